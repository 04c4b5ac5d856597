"""What UDP, ping and raw sockets share: a queue of datagrams, control data, the error queue, groups.

Linux: net/ipv4/datagram.c, net/core/datagram.c.
"""

from collections import deque
from typing import TYPE_CHECKING

from sentry.socket.inet import address as addresses
from sentry.socket.inet import control, error_queue, multicast, options
from sentry.socket.inet.address import Endpoint
from sentry.socket.inet.base import EVERYTHING, HOW, RCV_SHUTDOWN, SHUTDOWN_MASK, WRITABLE_BITS, InetSocket
from sentry.socket.inet.control import Datagram, Header
from sentry.socket.inet.error_queue import Report
from sentry.socket.socket import Envelope, Receipt
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLPRI, POLLRDHUP, READABLE
from syscalls.abi import socket as abi
from syscalls.abi.errno import EACCES, EDESTADDRREQ, EINVAL, ENETUNREACH, ENOTCONN
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.io import Sink, Source

_OVERHEAD = 768  # struct sk_buff and its head, which count against SO_RCVBUF
_EVERYONE = addresses.MAPPED + b"\xff\xff\xff\xff"


class DatagramSocket(InetSocket):
    """``datagrams`` wait to be received, ``reports`` are its error queue; ``used`` counts both against SO_RCVBUF."""

    __slots__ = ("datagrams", "groups", "multicast_device", "reports", "used")

    is_stream = False

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.datagrams: deque[Datagram] = deque()
        self.reports: deque[Report] = deque()
        self.groups: set[bytes] = set()
        self.multicast_device = 0
        self.used = 0

    def check_local(self, address: bytes) -> None:
        """Groups and broadcast addresses can be bound to as well. Errors: EADDRNOTAVAIL, EINVAL."""
        if not multicast.is_group(address) and address != _EVERYONE:
            super().check_local(address)

    async def connect(self, task: "Task", address: bytes) -> None:
        """Set the only partner; AF_UNSPEC gives it up. Errors: ENETUNREACH, EAFNOSUPPORT, EINVAL, EACCES broadcast."""
        if addresses.family_of(address) == abi.AF_UNSPEC:
            self.remote = None
            return
        destination = self.route(addresses.parse(address, self.family))
        self._check_broadcast(destination)
        self.choose_source(self.source_for(destination))
        self.remote = destination

    def choose_source(self, source: bytes) -> None:
        """Set the local address of a connection."""
        self.local = Endpoint(source, self.local.port)

    async def resolve(self, task: "Task", address: bytes) -> object:
        """The destination of sendto(2). Errors: EINVAL, EAFNOSUPPORT, ENETUNREACH, EACCES broadcast without SO_BROADCAST."""
        destination = addresses.parse(address, self.family)
        self.check_port(destination.port)
        self._check_broadcast(destination)
        return self.route(destination)

    def check_port(self, port: int) -> None:
        """Errors: EINVAL no port."""

    def _check_broadcast(self, destination: Endpoint) -> None:
        if abi.SO_BROADCAST in self.flags_set:
            return
        outside = self.kernel.net.outside
        is_of_network = outside is not None and outside.is_broadcast(destination.address)
        if is_of_network or destination.address in (_EVERYONE, control.BROADCAST):
            raise SyscallError(EACCES)

    def route(self, destination: Endpoint) -> Endpoint:
        """The destination as it is reached; a group needs a device. Errors: ENETUNREACH."""
        if multicast.is_group(destination.address):
            has_device = self.multicast_device or addresses.is_loopback(self.local.address)
            if not has_device or not destination.is_v4:
                raise SyscallError(ENETUNREACH)
            return destination
        return super().route(destination)

    def source_for(self, destination: Endpoint) -> bytes:
        """A group is reached through lo only."""
        if multicast.is_group(destination.address) and not addresses.is_loopback(self.local.address):
            return addresses.LOOPBACK4 if destination.is_v4 else addresses.LOOPBACK6
        return super().source_for(destination)

    def is_here(self, destination: Endpoint) -> bool:
        """Whether what goes there stays in the sandbox."""
        return self.is_local(destination.address) or multicast.is_group(destination.address)

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) to the partner."""
        return self.try_send(source, Envelope())

    def destination_of(self, envelope: Envelope) -> Endpoint:
        """Where a send goes. Errors: EDESTADDRREQ."""
        destination = envelope.address if envelope.address is not None else self.remote
        if not isinstance(destination, Endpoint):
            raise SyscallError(EDESTADDRREQ)
        return destination

    def make(self, data: bytes, source: Endpoint, destination: Endpoint, header: Header) -> Datagram:
        """A datagram with this socket's TTL and TOS, unless ``header`` says otherwise."""
        ttl, tos, values = header.ttl, header.tos, self.values
        if ttl is None:
            if destination.is_v4:
                is_group = multicast.is_group(destination.address)
                key = (abi.IPPROTO_IP, abi.IP_MULTICAST_TTL if is_group else abi.IP_TTL)
                ttl = values.get(key, 1 if is_group else control.TTL_DEFAULT)
            else:
                ttl = values.get((abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS), control.TTL_DEFAULT)
        if tos is None:
            key = (abi.IPPROTO_IP, abi.IP_TOS) if destination.is_v4 else (abi.IPPROTO_IPV6, abi.IPV6_TCLASS)
            tos = values.get(key, 0)
        return Datagram(data, source, destination, ttl, tos & 0xFF)

    def deliver(self, datagram: Datagram) -> None:
        """Queue ``datagram``; without room, or when nobody shall receive, it is lost."""
        size = len(datagram.data) + _OVERHEAD
        if self.used + size > self.rcvbuf and self.datagrams:
            self.drops += 1
            return
        try:
            self.kernel.limits.charge(size)
        except SyscallError:
            self.drops += 1
            return
        self.used += size
        if self.flags_set and control.wants_time(self):
            datagram = datagram._replace(time_ns=self.kernel.realtime_ns())
        self.datagrams.append(datagram)
        self.queue.wake(READABLE)

    def report(self, errno: int, data: bytes, destination: Endpoint) -> None:
        """ICMP has answered: an error for the next call of a connected socket, and for the error queue."""
        self.take_report(Report(errno, data, destination), is_fatal=True)

    def take_report(self, report: Report, *, is_fatal: bool) -> None:
        """As ``report``; an error that may pass is only for who has asked (Linux: __udp4_lib_err(), harderr)."""
        has_asked = error_queue.wants_reports(self, report.destination)
        if has_asked:
            error_queue.add(self, report)
        if has_asked or (is_fatal and self.remote == report.destination):
            self.error = report.errno
            self.queue.wake(EVERYTHING)

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive one datagram; what does not fit is lost. Errors: ECONNREFUSED, EAGAIN an empty error queue."""
        if receipt.wants_errors:
            return error_queue.take(self, sink, receipt)
        if self.error:
            raise SyscallError(self.take_error())
        if not self.datagrams:
            return 0 if self.shut & RCV_SHUTDOWN else None
        datagram = self.datagrams[0]
        length = len(datagram.data)
        room = sink.remaining
        count = sink.put(datagram.data[:room]) if room and length else 0
        if length > room:
            receipt.flags |= abi.MSG_TRUNC
        receipt.length = length
        receipt.address = addresses.encode(datagram.source, self.family)
        receipt.is_complete = True
        control.describe(self, datagram, receipt)
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
        mask = POLLERR if self.error or self.reports else 0
        if mask and abi.SO_SELECT_ERR_QUEUE in self.flags_set:
            mask |= POLLPRI
        if self.shut & RCV_SHUTDOWN:
            mask |= POLLRDHUP | READABLE
        if self.shut == SHUTDOWN_MASK:
            mask |= POLLHUP
        if self.datagrams:
            mask |= READABLE
        return mask | WRITABLE_BITS

    def get_protocol_option(self, level: int, name: int) -> bytes:
        """getsockopt(2) above SOL_SOCKET."""
        if (level, name) == (abi.IPPROTO_IP, abi.IP_MULTICAST_IF):
            return bytes(4)  # an address was never set, only a device
        if (level, name) == (abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_IF):
            return self.multicast_device.to_bytes(4, "little")
        return options.get_option(self, level, name)

    def set_protocol_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """setsockopt(2) above SOL_SOCKET."""
        if multicast.is_option(level, name):
            multicast.set_option(self, level, name, value)
        else:
            options.set_option(self, level, name, value)

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
        """Give the groups and the memory back."""
        while self.datagrams:
            self._uncharge(len(self.datagrams.popleft().data) + _OVERHEAD)
        while self.reports:
            error_queue.release(self, self.reports.popleft())
        multicast.leave_all(self)
        self.queue.wake(EVERYTHING)
