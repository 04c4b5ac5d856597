"""UDP over loopback (udp(7)). Linux: net/ipv4/udp.c."""

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sentry.socket.inet import address as addresses
from sentry.socket.inet.address import Endpoint
from sentry.socket.inet.base import EVERYTHING, HOW, RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK, WRITABLE_BITS, InetSocket
from sentry.socket.socket import Envelope, Receipt
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLRDHUP, READABLE
from syscalls.abi.errno import (
    EACCES,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EPIPE,
)
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_UNSPEC, MSG_TRUNC, SO_BROADCAST

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.socket.inet.ports import PortTable
    from sentry.vfs.io import Sink, Source

PAYLOAD_MAX4, PAYLOAD_MAX6 = 65_507, 65_527
_OVERHEAD = 768  # struct sk_buff and its head, which count against SO_RCVBUF
_BROADCAST = addresses.MAPPED + b"\xff\xff\xff\xff"


class Datagram(NamedTuple):
    """One datagram: its bytes, who sent it, and to which address."""

    data: bytes
    source: Endpoint
    destination: Endpoint


class UdpSocket(InetSocket):
    """``datagrams`` wait to be received; ``used`` counts them against SO_RCVBUF."""

    __slots__ = ("datagrams", "used")

    is_stream = False

    @property
    def ports(self) -> "PortTable":
        """The table of UDP."""
        table: PortTable = self.kernel.net.udp_ports
        return table

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.datagrams: deque[Datagram] = deque()
        self.used = 0

    async def connect(self, task: "Task", address: bytes) -> None:
        """Set the only partner; AF_UNSPEC gives it up. Errors: ENETUNREACH, EAFNOSUPPORT, EINVAL, EACCES broadcast."""
        if addresses.family_of(address) == AF_UNSPEC:
            self.remote = None
            return
        destination = addresses.parse(address, self.family)
        if destination.address == _BROADCAST:
            raise SyscallError(EACCES)
        destination = self.route(destination)
        source = self.source_for(destination)
        if not self.local.port:
            self.take_port(Endpoint(source, 0))
        else:
            self.local = Endpoint(source, self.local.port)
        self.remote = destination

    async def resolve(self, task: "Task", address: bytes) -> object:
        """The destination of sendto(2). Errors: EINVAL, EAFNOSUPPORT, ENETUNREACH, EACCES broadcast without SO_BROADCAST."""
        destination = addresses.parse(address, self.family)
        if not destination.port:
            raise SyscallError(EINVAL)
        if destination.address == _BROADCAST and SO_BROADCAST not in self.flags_set:
            raise SyscallError(EACCES)
        return self.route(destination)

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) to the partner."""
        return self.try_send(source, Envelope())

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send one datagram; nobody there is an error for the next call of a connected socket only.

        Errors: EDESTADDRREQ, EMSGSIZE, EPIPE, ECONNREFUSED.
        """
        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & SEND_SHUTDOWN:
            raise SyscallError(EPIPE)
        destination = envelope.address if envelope.address is not None else self.remote
        if not isinstance(destination, Endpoint):
            raise SyscallError(EDESTADDRREQ)
        if source.remaining > (PAYLOAD_MAX4 if destination.is_v4 else PAYLOAD_MAX6):
            raise SyscallError(EMSGSIZE)
        data = b"".join(iter(lambda: source.take(source.remaining) if source.remaining else b"", b""))
        if not self.local.port:
            self.take_port(self.local)
        origin = Endpoint(self.source_for(destination), self.local.port)
        receivers = self._receivers(destination, origin)
        if not receivers and self.remote == destination:
            self.error = ECONNREFUSED  # the ICMP error comes back at once
            self.queue.wake(EVERYTHING)
        for receiver in receivers:
            receiver.deliver(Datagram(data, origin, destination))
        return len(data)

    def _receivers(self, destination: Endpoint, origin: Endpoint) -> "list[UdpSocket]":
        found = [
            other
            for other in self.ports.on(destination.port)
            if isinstance(other, UdpSocket) and (other.remote is None or other.remote == origin)
        ]
        fitting = [other for other in found if other.accepts(destination)]
        fitting.sort(key=lambda other: (other.remote is not None, other.local.address == destination.address))
        return fitting[-1:]

    def deliver(self, datagram: Datagram) -> None:
        """Queue ``datagram``; without room, or when nobody shall receive, it is lost."""
        size = len(datagram.data) + _OVERHEAD
        if self.used + size > self.rcvbuf and self.datagrams:
            self.drops += 1
            return
        try:
            self.kernel.limits.charge(size)
        except SyscallError:
            return
        self.used += size
        self.datagrams.append(datagram)
        self.queue.wake(READABLE)

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive one datagram; what does not fit is lost. Errors: ECONNREFUSED."""
        if self.error:
            raise SyscallError(self.take_error())
        if not self.datagrams:
            return 0 if self.shut & RCV_SHUTDOWN else None
        datagram = self.datagrams[0]
        length = len(datagram.data)
        room = sink.remaining
        count = sink.put(datagram.data[:room]) if room and length else 0
        if length > room:
            receipt.flags |= MSG_TRUNC
        receipt.length = length
        receipt.address = addresses.encode(datagram.source, self.family)
        receipt.is_complete = True
        if not receipt.is_peek:
            self.datagrams.popleft()
            self._uncharge(length + _OVERHEAD)
        return count

    def _uncharge(self, size: int) -> None:
        self.used -= size
        self.kernel.limits.uncharge(size)

    def shutdown(self, how: int) -> None:
        """Errors: EINVAL, ENOTCONN."""
        mode = HOW.get(how)
        if mode is None:
            raise SyscallError(EINVAL)
        self.shut |= mode
        self.queue.wake(EVERYTHING)
        if self.remote is None:
            raise SyscallError(ENOTCONN)

    def peer_address(self) -> bytes:
        """getpeername(2). Errors: ENOTCONN."""
        if self.remote is None:
            raise SyscallError(ENOTCONN)
        return addresses.encode(self.remote, self.family)

    def readiness(self) -> int:
        """The poll(2) bits (Linux: datagram_poll())."""
        mask = POLLERR if self.error else 0
        if self.shut & RCV_SHUTDOWN:
            mask |= POLLRDHUP | READABLE
        if self.shut == SHUTDOWN_MASK:
            mask |= POLLHUP
        if self.datagrams:
            mask |= READABLE
        return mask | WRITABLE_BITS

    def pending(self) -> int:
        """FIONREAD: the size of the next datagram."""
        return len(self.datagrams[0].data) if self.datagrams else 0

    def unread(self) -> int:
        """The column rx_queue of /proc/net/udp: the room that datagrams take."""
        return self.used

    def unsent(self) -> int:
        """SIOCOUTQ: loopback delivers at once."""
        return 0

    def close(self) -> None:
        """Give the port and the memory back."""
        while self.datagrams:
            self._uncharge(len(self.datagrams.popleft().data) + _OVERHEAD)
        if self.local.port:
            self.ports.drop(self, self.local.port)
        self.queue.wake(EVERYTHING)
