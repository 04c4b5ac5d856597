"""Two established ends in one stack: bytes go from buffer to buffer, the numbers move on as if segments had carried them.

So a RST, which remains a packet, still fits. Limits: a receiver holds its own buffer and the sender's.
"""

from typing import TYPE_CHECKING

from sentry.netstack.interface import POLLIN, POLLOUT, POLLRDHUP
from sentry.netstack.transport.tcp.state import CLOSE_WAIT, ESTABLISHED, FIN_WAIT1, FIN_WAIT2, LAST_ACK

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection

_WINDOW_AFTER = 65535  # when segments carry on

def start(one: "Connection", other: "Connection") -> None:
    """Join two ends that have nothing under way."""
    if one.state == other.state == ESTABLISHED and not one.buffer and not other.buffer and one.peer is None is other.peer:
        one.peer, other.peer = other, one
        for end in (one, other):
            end.ack_timer.clear()
            end.ack_pending = 0


def stop(one: "Connection") -> None:
    """Go back to segments: an end is reset or forgotten."""
    other = one.peer
    if other is not None:
        one.peer = other.peer = None
        for end in (one, other):
            end.rcv_adv = end.rcv_nxt + _WINDOW_AFTER
            end.snd_wnd = end.snd_wnd_max = _WINDOW_AFTER


def end(sender: "Connection", receiver: "Connection") -> None:
    """Hand over the FIN: both ends' states change as by the segment and its acknowledgement."""
    sender.fin_sent = True
    sender.snd_nxt += 1
    sender.snd_una = sender.snd_nxt
    receiver.rcv_nxt += 1
    receiver.has_fin = True
    is_last = sender.state == LAST_ACK
    if receiver.state == ESTABLISHED:
        receiver.state = CLOSE_WAIT
    if sender.state == FIN_WAIT1:
        sender.state = FIN_WAIT2
    receiver.waker.wake(POLLIN | POLLRDHUP)
    if is_last:
        sender.finish(0)
        receiver.stack.tcp.enter_time_wait(receiver)


def room(sender: "Connection", receiver: "Connection") -> int:
    """The bytes that may be handed over now."""
    return receiver.options.rcvbuf + sender.options.sndbuf - receiver.queue.length


def send(sender: "Connection", receiver: "Connection", data: bytes) -> int:
    """Hand over what fits; returns how much."""
    free = room(sender, receiver)
    if free <= 0:
        return 0
    if len(data) > free:
        data = data[:free]
    size = len(data)
    if receiver.is_orphan:
        stop(sender)
        receiver.abort(receiver.stack.now)
        return size
    sender.snd_nxt += size
    sender.snd_una = sender.snd_nxt
    receiver.rcv_nxt += size
    if not receiver.is_read_shut:
        receiver.queue.append(data)
        receiver.waker.wake(POLLIN)
    return size


def was_read(sender: "Connection") -> None:
    """The receiver took bytes: the sender may go on."""
    if sender.has_room():
        sender.waker.wake(POLLOUT)
