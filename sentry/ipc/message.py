"""System V message queues (msgop(2)). Linux: ipc/msg.c, pipelined_send(), find_msg()."""

from collections import deque
from typing import TYPE_CHECKING, Final

from sentry.ipc.charge import Charge
from sentry.ipc.permission import IpcPerm
from sentry.ipc.waiter import Waiter
from syscalls.abi.errno import E2BIG, EIDRM
from syscalls.abi.ipc import MSG_COPY, MSG_EXCEPT

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.kernel.limits import SandboxLimits

_QUEUE_BYTES: Final = 512
_MESSAGE_BYTES: Final = 128
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1


class Message:
    """``kind`` is the type, ``data`` the text."""

    __slots__ = ("_charge", "data", "kind")

    def __init__(self, kind: int, data: bytes, limits: "SandboxLimits") -> None:
        """Errors: ENOMEM."""
        self._charge = Charge(limits, len(data) + _MESSAGE_BYTES)
        self.kind = kind
        self.data = data


class Receiver(Waiter):
    """Somebody who waits for a message; ``wanted`` and ``flags`` are msgrcv's msgtyp and msgflg."""

    __slots__ = ("flags", "message", "pid", "size_max", "wanted")

    def __init__(self, wanted: int, flags: int, size_max: int, pid: int) -> None:
        super().__init__()
        self.wanted = wanted
        self.flags = flags
        self.size_max = size_max  # larger messages are no good; unlimited with MSG_NOERROR
        self.pid = pid
        self.message: Message | None = None

    def likes(self, message: Message) -> bool:
        """Whether the type fits."""
        wanted = self.wanted
        if not wanted:
            return True
        if wanted < 0:
            return message.kind <= (_LONG_MAX if wanted == _LONG_MIN else -wanted)
        return (message.kind != wanted) if self.flags & MSG_EXCEPT else message.kind == wanted


class MessageQueue:
    """Messages in order of arrival, those who wait for one and those who wait for room. Times in seconds."""

    __slots__ = (
        "__weakref__",
        "_charge",
        "_messages",
        "_receivers",
        "_senders",
        "bytes_max",
        "bytes_used",
        "ctime",
        "perm",
        "receiver_pid",
        "rtime",
        "sender_pid",
        "stime",
    )

    def __init__(self, perm: IpcPerm, bytes_max: int, limits: "SandboxLimits", now: int) -> None:
        """Errors: ENOMEM."""
        self._charge = Charge(limits, _QUEUE_BYTES)
        self.perm = perm
        self.bytes_max = bytes_max
        self.bytes_used = 0
        self.stime = self.rtime = 0
        self.ctime = now
        self.sender_pid = self.receiver_pid = 0
        self._messages: list[Message] = []
        self._receivers: deque[Receiver] = deque()
        self._senders: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def has_room(self, size: int) -> bool:
        """Whether a message of ``size`` bytes fits now."""
        return self.bytes_used + size <= self.bytes_max and len(self._messages) < self.bytes_max

    def send(self, message: Message, pid: int, now: int) -> None:
        """Hand ``message`` to the first receiver that takes it, or keep it. Precondition: ``has_room``."""
        self.sender_pid, self.stime = pid, now
        for receiver in list(self._receivers):
            if not receiver.likes(message):
                continue
            self._receivers.remove(receiver)
            if len(message.data) > receiver.size_max:
                receiver.finish(-E2BIG)
                continue
            self.receiver_pid, self.rtime = receiver.pid, now
            receiver.message = message
            receiver.finish(0)
            return
        self._messages.append(message)
        self.bytes_used += len(message.data)

    def find(self, receiver: Receiver) -> Message | None:
        """What ``receiver`` would get: with MSG_COPY by position, with a negative type the lowest one first."""
        if receiver.flags & MSG_COPY:
            position = receiver.wanted
            return self._messages[position] if 0 <= position < len(self._messages) else None
        fitting = [message for message in self._messages if receiver.likes(message)]
        if not fitting:
            return None
        return min(fitting, key=lambda message: message.kind) if receiver.wanted < 0 else fitting[0]

    def take(self, message: Message, pid: int, now: int) -> None:
        """Remove it; whoever waits for room tries again."""
        self._messages.remove(message)
        self.bytes_used -= len(message.data)
        self.receiver_pid, self.rtime = pid, now
        self.room_changed()

    def room_changed(self) -> None:
        """Every sender that waits tries again, in order."""
        senders, self._senders = self._senders, deque()
        for sender in senders:
            sender.finish(0)

    def add_sender(self, sender: Waiter) -> None:
        """Wait for room."""
        self._senders.append(sender)

    def add_receiver(self, receiver: Receiver) -> None:
        """Wait for a message."""
        self._receivers.append(receiver)

    def give_up(self, waiter: Waiter) -> None:
        """It waits no more."""
        if waiter in self._senders:
            self._senders.remove(waiter)
        if isinstance(waiter, Receiver) and waiter in self._receivers:
            self._receivers.remove(waiter)

    def settings_changed(self) -> None:
        """IPC_SET: rights or room may be others now; everybody checks again."""
        receivers, self._receivers = self._receivers, deque()
        for receiver in receivers:
            receiver.finish(1)
        self.room_changed()

    def remove(self) -> None:
        """Everybody who sleeps gets EIDRM."""
        for waiter in (*self._senders, *self._receivers):
            waiter.finish(-EIDRM)
        self._senders.clear()
        self._receivers.clear()


def new_queue(creds: "Credentials", key: int, mode: int, bytes_max: int, limits: "SandboxLimits", now: int) -> MessageQueue:
    """Errors: ENOMEM."""
    return MessageQueue(IpcPerm(key, mode, creds), bytes_max, limits, now)
