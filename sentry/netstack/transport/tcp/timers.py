"""What a connection's timers do: retransmission and probes, delayed acknowledgement, keep-alive, FIN_WAIT2 and TIME_WAIT."""

from errno import EHOSTUNREACH, ETIMEDOUT
from typing import TYPE_CHECKING

from sentry.netstack.transport.tcp import output
from sentry.netstack.transport.tcp.options import PERSIST_MAX
from sentry.netstack.transport.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT2, SYN_RECV, SYN_SENT, TIME_WAIT
from sentry.netstack.wire.tcp import ACK

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection

_SYN_ACK_RETRIES = 5
_ORPHAN_RETRIES = 8


def retransmit(c: "Connection", now: int) -> None:
    """The retransmission timer (RFC 6298 section 5) or the persist timer ran out."""
    if c.is_persisting:
        _probe(c, now)
        return
    if not c.board.records:
        return
    limit = c.options.retries if not c.is_orphan else _ORPHAN_RETRIES
    if c.state in (SYN_SENT, SYN_RECV):
        limit = c.options.syn_retries if c.state == SYN_SENT else _SYN_ACK_RETRIES
    c.retries += 1
    user_timeout = c.options.user_timeout
    if c.retries > limit or (user_timeout and now - c.progress_at >= user_timeout):
        _time_out(c)
        return
    c.stack.counters.tcp["TCPTimeouts"] += 1
    c.rtt.backoff += 1
    if c.state in (SYN_SENT, SYN_RECV):
        c.board.records[0].resent_at = now
        c.stack.counters.tcp["RetransSegs"] += 1
        output.send_syn(c)
        return
    if not c.is_loss:
        c.congestion.on_timeout(c.flight, now)  # RFC 5681: ssthresh is set once for a loss
    c.congestion.window = c.mss
    c.is_loss = True
    c.recover = c.snd_nxt
    c.duplicates = 0
    c.board.lose_all()
    output.output(c)
    c.retransmit_timer.set(now + c.rtt.timeout())


def _time_out(c: "Connection") -> None:
    c.finish(EHOSTUNREACH if c.soft_error == EHOSTUNREACH else c.soft_error or ETIMEDOUT)


def _probe(c: "Connection", now: int) -> None:
    """Probe a shut window with a segment that must be answered; never given up while it is (RFC 9293 MUST-36, SHLD-30)."""
    if c.snd_wnd and c.probes and output.output(c, is_forced=True):
        c.is_persisting = False
        return
    if c.is_orphan and c.probes >= _ORPHAN_RETRIES:  # answered or not: nobody waits for it (Linux: tcp_orphan_retries)
        c.abort(now)
        return
    c.probes += 1
    c.retries += 1
    limit = _ORPHAN_RETRIES if c.is_orphan else c.options.retries
    user_timeout = c.options.user_timeout
    if c.retries > limit or (user_timeout and now - c.progress_at >= user_timeout):
        _time_out(c)
        return
    output.transmit(c, c.snd_una - 1, ACK)
    c.retransmit_timer.set(now + min(c.rtt.timeout() << min(c.probes, 16), PERSIST_MAX))


def delayed_ack(c: "Connection", now: int) -> None:
    """Acknowledge what waited for company."""
    if c.ack_pending and c.state != CLOSED:
        output.send_ack(c)


def idle(c: "Connection", now: int) -> None:
    """Keep-alive (RFC 9293 section 3.8.4), the end of TIME_WAIT, an orphan's end of FIN_WAIT2."""
    if c.state == TIME_WAIT or (c.state == FIN_WAIT2 and c.is_orphan):
        c.finish(0)
    elif c.options.keepalive and c.state in (ESTABLISHED, CLOSE_WAIT):
        _keep_alive(c, now)


def _keep_alive(c: "Connection", now: int) -> None:
    options = c.options
    quiet = now - c.heard_at
    if quiet < options.keep_idle:
        c.keep_probes = 0
        c.idle_timer.set(c.heard_at + options.keep_idle)
        return
    is_over = c.keep_probes >= options.keep_count
    if options.user_timeout:
        is_over = quiet >= options.user_timeout and c.keep_probes > 0
    if is_over:
        output.send_reset(c)
        c.finish(ETIMEDOUT)
        return
    c.keep_probes += 1
    if c.peer is None and not c.flight:
        output.transmit(c, c.snd_una - 1, ACK)
    elif c.peer is not None:
        c.heard_at, c.keep_probes = now, 0
    c.idle_timer.set(now + (options.keep_interval if c.keep_probes else options.keep_idle))


def start_keepalive(c: "Connection") -> None:
    """The option was set, or the connection is established with it."""
    if c.options.keepalive and c.state in (ESTABLISHED, CLOSE_WAIT):
        c.idle_timer.set(max(c.heard_at + c.options.keep_idle, c.stack.now))


def cork(c: "Connection", now: int) -> None:
    """A cork holds a partial segment for 200 ms at most (tcp(7), TCP_CORK)."""
    output.output(c, is_forced=True)
