"""POSIX message queues (mq_overview(7)): messages by priority, then by age. Linux: ipc/mqueue.c."""

from bisect import insort
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.ipc.charge import Charge
from sentry.ipc.waiter import Waiter
from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.readiness import POLLIN, POLLOUT, READABLE, WRITABLE

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits

_NODE_BYTES, _SLOT_BYTES, _PRIORITIES_MAX = 48, 48, 32768
_MESSAGE_BYTES: Final = 128


def queue_bytes(maxmsg: int, msgsize: int) -> int:
    """What a queue counts against RLIMIT_MSGQUEUE (getrlimit(2))."""
    return maxmsg * _SLOT_BYTES + min(maxmsg, _PRIORITIES_MAX) * _NODE_BYTES + maxmsg * msgsize


class QueuedMessage:
    """Sorts by priority, the highest first; ``insort`` keeps equal ones in order of arrival."""

    __slots__ = ("_charge", "data", "priority")

    def __init__(self, data: bytes, priority: int, limits: "SandboxLimits") -> None:
        """Errors: ENOMEM."""
        self._charge = Charge(limits, len(data) + _MESSAGE_BYTES)
        self.data = data
        self.priority = priority


class MessageReceiver(Waiter):
    """Somebody who waits for a message."""

    __slots__ = ("message",)

    def __init__(self) -> None:
        super().__init__()
        self.message: QueuedMessage | None = None


class PosixQueue:
    """``events`` tells pollers; ``on_arrival`` is the notification that ``notify_owner`` has asked for (mq_notify(3))."""

    __slots__ = (
        "_messages",
        "_receivers",
        "_senders",
        "events",
        "maxmsg",
        "msgsize",
        "notify_owner",
        "notify_pid",
        "notify_signal",
        "notify_word",
        "on_arrival",
    )

    def __init__(self, maxmsg: int, msgsize: int) -> None:
        self.maxmsg = maxmsg
        self.msgsize = msgsize
        self.events = WaitQueue()
        self._messages: list[QueuedMessage] = []
        self._receivers: deque[MessageReceiver] = deque()
        self._senders: deque[Waiter] = deque()
        self.forget_notification()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def bytes_used(self) -> int:
        """QSIZE."""
        return sum(len(message.data) for message in self._messages)

    @property
    def is_full(self) -> bool:
        """Whether senders wait."""
        return len(self._messages) >= self.maxmsg

    def forget_notification(self) -> None:
        """Nobody is told of the next message."""
        self.on_arrival: Callable[[int, int], None] | None = None
        self.notify_owner: object | None = None
        self.notify_pid = self.notify_signal = self.notify_word = 0

    def ask_notification(self, owner: object, pid: int, signal: int, word: int, tell: Callable[[int, int], None]) -> None:
        """``tell`` is called once, when a message comes to the empty queue and nobody waits for it."""
        self.notify_owner, self.notify_pid, self.notify_signal, self.notify_word = owner, pid, signal, word
        self.on_arrival = tell

    def send(self, message: QueuedMessage, pid: int = 0, uid: int = 0) -> None:
        """Hand over or keep; a notification names the sender. Precondition: not full."""
        if self._receivers:
            receiver = self._receivers.popleft()
            receiver.message = message
            receiver.finish(0)
            return
        insort(self._messages, message, key=lambda one: -one.priority)
        if len(self._messages) == 1 and self.on_arrival is not None:
            tell = self.on_arrival
            self.forget_notification()
            tell(pid, uid)
        self.events.wake(POLLIN)

    def receive(self) -> QueuedMessage | None:
        """The oldest of the highest priority, None if there is none; a sender that waits may go on."""
        if not self._messages:
            return None
        message = self._messages.pop(0)
        if self._senders:
            self._senders.popleft().finish(0)
        self.events.wake(POLLOUT)
        return message

    def add_receiver(self, receiver: MessageReceiver) -> None:
        """Wait for a message."""
        self._receivers.append(receiver)

    def add_sender(self, sender: Waiter) -> None:
        """Wait for room."""
        self._senders.append(sender)

    def give_up(self, waiter: Waiter) -> None:
        """It waits no more."""
        if waiter in self._senders:
            self._senders.remove(waiter)
        elif isinstance(waiter, MessageReceiver) and waiter in self._receivers:
            self._receivers.remove(waiter)

    def pass_on(self) -> None:
        """A sender that was woken has not used the room."""
        if self._senders and not self.is_full:
            self._senders.popleft().finish(0)

    def readiness(self) -> int:
        """poll(2)."""
        return (READABLE if self._messages else 0) | (0 if self.is_full else WRITABLE)
