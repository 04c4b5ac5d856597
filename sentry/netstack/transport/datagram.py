"""What UDP and raw endpoints share: a receive queue, errors, options."""

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sentry.netstack.interface import POLLERR, POLLIN, POLLOUT, NobodyWaits, QueuedError, Waker

if TYPE_CHECKING:
    from sentry.netstack.iface.icmp import IcmpError
    from sentry.netstack.stack import Stack

RCVBUF = 212_992  # net.core.rmem_default
_OVERHEAD = 256  # bytes that a queued datagram costs beside its data, so that empty ones are bounded too
_ERRORS_MAX = 64


class Datagram(NamedTuple):
    """What came in, with what control data asks for."""

    payload: bytes
    source: bytes
    port: int
    destination: bytes
    interface: int
    ttl: int
    tos: int
    at: int  # nanoseconds of the stack's clock


class DatagramEndpoint:
    """``error`` is SO_ERROR; ``errors`` the error queue, filled while ``wants_errors`` (IP_RECVERR)."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.waker: Waker = NobodyWaits()
        self.local = b""
        self.remote = b""
        self.device = 0
        self.ttl = 64
        self.multicast_ttl = 1
        self.tos = 0
        self.can_broadcast = False
        self.dont_fragment = False
        self.wants_errors = False
        self.multicast_loop = True
        self.rcvbuf = RCVBUF
        self.queued = 0
        self.queue: deque[Datagram] = deque()
        self.error = 0
        self.errors: deque[QueuedError] = deque()
        self.groups: set[tuple[int, bytes]] = set()
        self.drops = 0

    def push(self, datagram: Datagram) -> bool:
        """Queue a datagram; False: the buffer is full."""
        cost = len(datagram.payload) + _OVERHEAD
        if self.queued + cost > self.rcvbuf and self.queue:
            self.drops += 1
            return False
        self.queued += cost
        self.queue.append(datagram)
        self.waker.wake(POLLIN)
        return True

    def receive(self, *, is_peek: bool = False) -> Datagram | None:
        """The oldest datagram; None: there is none."""
        if not self.queue:
            return None
        if is_peek:
            return self.queue[0]
        datagram = self.queue.popleft()
        self.queued -= len(datagram.payload) + _OVERHEAD
        return datagram

    def readiness(self) -> int:
        """The POLL* events that are there."""
        return (POLLIN if self.queue else 0) | POLLOUT | (POLLERR if self.error or self.errors else 0)

    def take_error(self) -> int:
        """SO_ERROR: the error, which is gone then."""
        error, self.error = self.error, 0
        return error

    def fail(self, error: "IcmpError", destination: bytes, port: int, payload: bytes) -> None:
        """An ICMP error for what was sent (udp(7): told when connected or asked for)."""
        if self.wants_errors and len(self.errors) < _ERRORS_MAX:
            origin = 2 if len(destination) == 4 else 3
            self.errors.append(
                QueuedError(error.errno, origin, error.type, error.code, error.mtu, error.offender, destination, port, payload)
            )
        if self.wants_errors or (self.remote and error.is_fatal):
            self.error = error.errno
            self.waker.wake(POLLERR | POLLIN | POLLOUT)

    def join(self, device: int, group: bytes) -> bool:
        """Receive what is sent to a group on a device; False: joined before, or no such device."""
        if (device, group) in self.groups or device not in self.stack.devices:
            return False
        self.groups.add((device, group))
        groups = self.stack.devices[device].groups
        groups[group] = groups.get(group, 0) + 1
        return True

    def leave(self, device: int, group: bytes) -> bool:
        """Undo ``join``; False: not joined."""
        if (device, group) not in self.groups:
            return False
        self.groups.remove((device, group))
        groups = self.stack.devices[device].groups
        groups[group] -= 1
        if not groups[group]:
            del groups[group]
        return True

    def leave_all(self) -> None:
        """Undo every ``join``."""
        for device, group in tuple(self.groups):
            self.leave(device, group)
