"""One TCP connection: its variables (RFC 9293 section 3.3.1) and what a socket does with it.

Read RFC 9293, 7323, 6675 and 5961 before working here. ``input`` handles segments, ``output`` sends them, ``timers`` wait.
"""

from errno import ECONNRESET, ENOTCONN, EPIPE
from typing import TYPE_CHECKING

from sentry.netstack.interface import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, Inspector, NetError, NobodyWaits, Waker
from sentry.netstack.timer import Timer
from sentry.netstack.transport.ports import Binding
from sentry.netstack.transport.tcp import handover, output, timers
from sentry.netstack.transport.tcp.congestion import ALGORITHMS
from sentry.netstack.transport.tcp.options import RCVBUF_MAX, TcpOptions
from sentry.netstack.transport.tcp.receive_queue import ReceiveQueue
from sentry.netstack.transport.tcp.rtt import RoundTrip
from sentry.netstack.transport.tcp.scoreboard import Scoreboard
from sentry.netstack.transport.tcp.state import (
    CAN_SEND,
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    SYN_RECV,
    SYN_SENT,
    TIME_WAIT,
)
from sentry.netstack.wire.checksum import pseudo
from sentry.netstack.wire.tcp import PROTOCOL

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack
    from sentry.netstack.transport.tcp.listener import Listener

_LARGE_MAX = 65_535  # of an IP packet

EVERYTHING = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP


class Connection:
    """Sequence numbers never wrap inside (see ``sequence``). ``buffer`` holds what is sent and unacknowledged, then unsent.

    ``peer`` is the other end while both are in this stack and established: bytes then go from buffer to buffer.
    """

    def __init__(  # noqa: PLR0915 - the variables of RFC 9293, in one place
        self, stack: "Stack", local: bytes, port: int, remote: bytes, remote_port: int, options: TcpOptions
    ) -> None:
        self.stack = stack
        self.local, self.port, self.remote, self.remote_port = local, port, remote, remote_port
        self.options = options
        self.waker: Waker = NobodyWaits()
        self.binding: Binding | None = None
        self.listener: Listener | None = None
        self.state = CLOSED
        self.has_sack = self.has_stamps = False
        self.error = 0
        self.soft_error = 0
        self.is_orphan = False
        self.peer: Connection | None = None
        self.inspector: Inspector | None = None
        self.pseudo = pseudo(local, remote, PROTOCOL)
        # sending
        self.iss = self.snd_una = self.snd_nxt = stack.tcp.initial_sequence(local, port, remote, remote_port)
        self.snd_wnd = self.snd_wl1 = self.snd_wl2 = self.snd_wnd_max = 0
        self.snd_scale = 0
        self.buffer = bytearray()
        self.fin_queued = self.fin_sent = False
        self.mtu = stack.tcp.mtu(remote, options.device)
        self.mss = self.send_mss(536 if len(local) == 4 else 1220)  # RFC 9293 MUST-15 until the peer tells
        self.peer_mss = self.mss
        self.large = self.mss  # the payload of what is handed to the link at once
        self.board = Scoreboard()
        self.rtt = RoundTrip()
        self.congestion = ALGORITHMS[options.congestion](self.mss)
        self.duplicates = 0
        self.recover: int | None = None  # the end of what is being recovered (RFC 6582)
        self.is_loss = False  # recovering from a timeout
        self.sent_at = 0
        # receiving
        self.irs = self.rcv_nxt = self.rcv_adv = 0
        self.rcv_scale = 0
        self.queue = ReceiveQueue()
        self.has_fin = False
        self.is_read_shut = False
        self.ack_pending = 0  # segments that were not acknowledged yet
        self.quick_acks = 16
        self.data_at = 0  # when data came last
        self.read_since = 0
        self.read_bytes = 0
        self.tuned = 0  # what the buffers have grown
        # timestamps (RFC 7323)
        self.stamp_offset = int.from_bytes(stack.entropy(4), "big")
        self.stamp_recent = 0
        self.stamp_recent_at = 0
        self.last_ack_sent = 0
        # timers
        self.retries = 0
        self.probes = 0
        self.keep_probes = 0
        self.progress_at = stack.now
        self.heard_at = stack.now
        self.challenged_at: int | None = None
        self.is_persisting = False
        self.retransmit_timer = Timer(stack.timers, lambda now: timers.retransmit(self, now))
        self.ack_timer = Timer(stack.timers, lambda now: timers.delayed_ack(self, now))
        self.idle_timer = Timer(stack.timers, lambda now: timers.idle(self, now))
        self.cork_timer = Timer(stack.timers, lambda now: timers.cork(self, now))

    # --- numbers -------------------------------------------------------------------------------------------------------------

    def send_mss(self, peer_mss: int) -> int:
        """The payload of a full segment with the usual options (RFC 9293 section 3.7.1)."""
        header = 40 if len(self.local) == 4 else 60
        mss = min(peer_mss, self.mtu - header, self.options.mss or 65535)
        return max(mss, 48) - (12 if self.has_stamps else 0)

    def set_mss(self) -> None:
        """Take the segment size that the peer, the path and the options make; a link that cuts takes many full ones at once."""
        self.mss = self.congestion.mss = self.large = self.send_mss(self.peer_mss)
        path = self.stack.ip.route(self.remote, self.options.device)
        if path is None or not path.device.link.cuts_segments:
            return
        headers = (52 if self.has_stamps else 40) + (0 if len(self.local) == 4 else 20)
        if self.mss + headers == path.device.link.mtu:  # it cuts by the MTU
            self.large = max((_LARGE_MAX - headers) // self.mss, 1) * self.mss

    @property
    def flight(self) -> int:
        """What is sent and not acknowledged."""
        return self.snd_nxt - self.snd_una

    @property
    def pipe(self) -> int:
        """What is believed to be in the network (RFC 6675 section 4)."""
        board = self.board
        pipe = self.snd_nxt - self.snd_una - board.sacked - board.lost
        return pipe if self.has_sack else max(pipe - self.duplicates * self.mss, 0)

    def receive_window(self) -> int:
        """The bytes that may come; the right edge never goes back (RFC 9293 SHLD-14)."""
        free = self.options.rcvbuf - self.queue.length
        return max(free, self.rcv_adv - self.rcv_nxt, 0)

    # --- what a socket does --------------------------------------------------------------------------------------------------

    def send(self, data: bytes, now: int) -> int:
        """Take as much of ``data`` as there is room; 0: none now.

        Errors: EPIPE, ENOTCONN, ECONNRESET the inspector refuses it, or the connection's error.
        """
        if self.error:
            raise NetError(self.take_error())
        if self.state not in CAN_SEND or self.fin_queued:
            if self.state in (SYN_SENT, SYN_RECV) and not self.fin_queued:
                return 0
            raise NetError(ENOTCONN if self.state == CLOSED and self.iss == self.snd_nxt else EPIPE)
        self.stack.now = now
        if self.peer is not None:
            return handover.send(self, self.peer, data)
        room = self.options.sndbuf - len(self.buffer)
        if room <= 0:
            return 0
        if len(data) > room:
            data = data[:room]
        if self.inspector is not None and not self.inspector.may_send(data):
            self.abort(now)
            raise NetError(ECONNRESET)
        if not self.buffer:
            self.progress_at = now
        self.buffer += data
        output.output(self)
        self.stack.drain()
        return len(data)

    def receive(self, size: int, now: int, *, is_peek: bool = False) -> bytes | None:
        """Up to ``size`` bytes; b"" at the end of the stream, None: nothing now. Errors: ENOTCONN, or the connection's error."""
        queue = self.queue
        if not queue.length:
            if self.error:
                raise NetError(self.take_error())
            if self.has_fin or self.is_read_shut or (self.state == CLOSED and self.irs):
                return b""
            if self.state == CLOSED:
                raise NetError(ENOTCONN)
            return None
        data = queue.read(size, is_peek=is_peek)
        if is_peek:
            return data
        self.stack.now = now
        if self.peer is not None:
            handover.was_read(self.peer)
            return data
        if self.inspector is not None:
            self.inspector.has_come(data)
        self._tune_receive_buffer(len(data), now)
        output.update_window(self)
        return data

    def _tune_receive_buffer(self, size: int, now: int) -> None:
        """Grow the buffer where the reader takes more than half of it in a round trip (Linux: tcp_rcv_space_adjust())."""
        options = self.options
        if options.is_rcvbuf_fixed or options.rcvbuf >= RCVBUF_MAX:
            return
        self.read_bytes += size
        if now - self.read_since >= (self.rtt.srtt or 100_000_000):
            if self.read_bytes * 2 >= options.rcvbuf:
                options.rcvbuf += self.tune(min(options.rcvbuf, RCVBUF_MAX - options.rcvbuf))
            self.read_bytes, self.read_since = 0, now

    def tune(self, size: int) -> int:
        """Let a buffer grow by ``size`` if all connections' growth stays within its limit; returns what is granted."""
        tcp = self.stack.tcp
        if tcp.tuned + size > self.stack.limits.tuned_bytes or self.state == CLOSED:
            return 0
        tcp.tuned += size
        self.tuned += size
        return size

    def readiness(self) -> int:
        """The POLL* events that are there (tcp(7), poll(2))."""
        mask = 0
        if self.queue.length or self.has_fin or self.is_read_shut or self.error or self.state == CLOSED:
            mask |= POLLIN
        if self.has_fin or self.is_read_shut or self.state == CLOSED:
            mask |= POLLRDHUP
        if self.error:
            mask |= POLLERR
        if self.state == CLOSED or (self.fin_queued and (self.has_fin or self.is_read_shut)):
            mask |= POLLHUP
        if self.fin_queued or self.error or self.state == CLOSED or (self.state in CAN_SEND and self.has_room()):
            mask |= POLLOUT
        return mask

    def has_room(self) -> bool:
        """Whether a third of the send buffer is free (Linux: sk_stream_is_writeable())."""
        if self.peer is not None:
            return handover.room(self, self.peer) * 3 >= self.options.sndbuf
        return len(self.buffer) * 3 <= self.options.sndbuf * 2

    def take_error(self) -> int:
        """SO_ERROR: the error, which is gone then."""
        error, self.error = self.error, 0
        return error

    def shutdown(self, now: int, *, read: bool = False, write: bool = False) -> None:
        """Close halves (shutdown(2)). Errors: ENOTCONN."""
        if self.state in (CLOSED, SYN_SENT):
            raise NetError(ENOTCONN)
        self.stack.now = now
        if read:
            self.is_read_shut = True
        if write:
            self.queue_fin()
        self.waker.wake(EVERYTHING)
        self.stack.drain()

    def queue_fin(self) -> None:
        """Send a FIN after what is in the buffer (RFC 9293 section 3.10.4)."""
        if self.fin_queued:
            return
        self.fin_queued = True
        if self.state == ESTABLISHED:
            self.state = FIN_WAIT1
        elif self.state == CLOSE_WAIT:
            self.state = LAST_ACK
        else:
            return  # SYN_RECV: when it is established
        if self.peer is not None:
            handover.end(self, self.peer)
        else:
            output.output(self)

    def close(self, now: int) -> None:
        """The socket is gone: end in order, or by a reset where bytes were not read (RFC 2525 section 2.17) or linger is 0."""
        self.stack.now = now
        self.is_orphan = True
        self.waker = NobodyWaits()
        if self.state in (SYN_SENT, CLOSED):
            self.finish(0)
        elif self.state == SYN_RECV or self.queue.length or self.options.linger == 0:
            self.abort(now)
        else:
            self.queue_fin()
            if self.state == FIN_WAIT2:
                self.idle_timer.set(now + self.options.fin_timeout)
        self.stack.drain()

    def abort(self, now: int, error: int = 0) -> None:
        """Reset the connection (RFC 9293 section 3.10.5)."""
        self.stack.now = now
        if self.state not in (CLOSED, SYN_SENT, TIME_WAIT):
            handover.stop(self)
            output.send_reset(self)
        self.finish(error)
        self.stack.drain()

    def finish(self, error: int) -> None:
        """Enter CLOSED: timers off, out of the tables, the socket told."""
        if not self.stack.tcp.has(self):
            return
        handover.stop(self)
        self.state = CLOSED
        self.error = self.error or error
        for timer in (self.retransmit_timer, self.ack_timer, self.idle_timer, self.cork_timer):
            timer.cancel()
        self.stack.tcp.tuned -= self.tuned
        self.tuned = 0
        self.buffer.clear()
        self.board = Scoreboard()
        self.stack.tcp.forget(self)
        self.waker.wake(EVERYTHING)
