"""The surface of the stack: what it asks of a link and of a waiter, its errors and limits.

The stack (design.md, section 5) does no I/O and has no clock: frames go in through ``Stack.receive``, out through
``Link.transmit``, ``now`` (monotonic, nanoseconds) comes with every call and random bytes from the function given to ``Stack``.
An address is ``bytes``: 4 of IPv4, 16 of IPv6; the "any" address is ``b""`` wherever an endpoint is bound.
"""

from dataclasses import dataclass
from typing import Protocol

POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLRDHUP = 0x001, 0x002, 0x004, 0x008, 0x010, 0x2000  # poll(2)

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


class NetError(Exception):
    """A call of an endpoint failed with ``errno``."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


class Link(Protocol):
    """A device that carries frames. ``mac`` is empty where frames are bare IP packets (a tun device, loopback)."""

    @property
    def name(self) -> str:
        """The name that `ip link` shows."""
        raise NotImplementedError

    @property
    def mac(self) -> bytes:
        """The Ethernet address: six bytes, or none."""
        raise NotImplementedError

    @property
    def mtu(self) -> int:
        """The largest IP packet in bytes."""
        raise NotImplementedError

    @property
    def cuts_segments(self) -> bool:
        """Whether a frame may be larger than the MTU: a TCP segment of several full ones, summed over the pseudo-header alone."""
        raise NotImplementedError

    def transmit(self, frame: bytes) -> None:
        """Send one frame now, or drop it: never waits, never raises."""


class Waker(Protocol):
    """What an endpoint tells of its readiness: `sentry.sched` WaitQueue is one."""

    def wake(self, mask: int) -> object:
        """Tell that the events of ``mask`` (POLL*) may be there now."""


class Inspector(Protocol):
    """What sees the bytes of a connection as its socket sends and reads them."""

    def may_send(self, data: bytes) -> bool:
        """Whether these bytes may go on; if not, the connection is reset."""
        raise NotImplementedError

    def has_come(self, data: bytes) -> None:
        """Bytes that were read."""


class NobodyWaits:
    """The waker of an endpoint that no one looks at."""

    def wake(self, mask: int) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What traffic may make the stack hold; beyond it the newest is dropped and counted (reassembly: the oldest)."""

    connections: int = 8192
    time_wait: int = 4096
    listen_backlog: int = 4096
    neighbours: int = 1024
    neighbour_queue: int = 16
    reassembly_bytes: int = 4 << 20
    reassembly_parts: int = 256  # of one datagram
    path_mtus: int = 1024
    routes: int = 1024
    icmp_errors_per_second: int = 1000
    icmp_error_burst: int = 50
    loop_packets: int = 4096
    tuned_bytes: int = 128 << 20  # by which all TCP buffers together may grow
    out_of_order_parts: int = 1024  # of one connection


@dataclass(frozen=True, slots=True)
class QueuedError:
    """One entry of an endpoint's error queue (MSG_ERRQUEUE; struct sock_extended_err)."""

    errno: int
    origin: int  # SO_EE_ORIGIN_ICMP 2, SO_EE_ORIGIN_ICMP6 3
    type: int
    code: int
    info: int  # the path's MTU with EMSGSIZE
    offender: bytes
    destination: bytes
    port: int
    payload: bytes
