"""What TCP and UDP sockets share: names, ports, routes, options, readiness.

What is for an address of the sandbox is handed over here; with a link, ``sentry.socket.inet.outside`` has the rest.

Linux: net/ipv4/af_inet.c.
"""

from typing import TYPE_CHECKING

from sentry.kernel.net_devices import LOOPBACK_INDEX
from sentry.kernel.socket_row import InetRow
from sentry.socket import device_ioctl
from sentry.socket.inet import address as addresses
from sentry.socket.inet import options
from sentry.socket.inet.address import Endpoint
from sentry.socket.socket import Socket, SocketInode
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLOUT, POLLRDHUP, POLLWRBAND, POLLWRNORM, READABLE
from syscalls.abi.capability import CAP_NET_BIND_SERVICE
from syscalls.abi.errno import EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH
from syscalls.abi.errors import SyscallError
from syscalls.abi.ioctl import FIONREAD, SIOCATMARK, TIOCOUTQ
from syscalls.abi.socket import AF_INET, AF_INET6, IPPROTO_TCP, SHUT_RD, SHUT_RDWR, SHUT_WR

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.socket.inet.ports import PortTable
    from sentry.vfs.file import FileDescription

RCV_SHUTDOWN, SEND_SHUTDOWN = 1, 2
SHUTDOWN_MASK = RCV_SHUTDOWN | SEND_SHUTDOWN
HOW = {SHUT_RD: RCV_SHUTDOWN, SHUT_WR: SEND_SHUTDOWN, SHUT_RDWR: SHUTDOWN_MASK}
WRITABLE_BITS = POLLOUT | POLLWRNORM | POLLWRBAND
EVERYTHING = READABLE | WRITABLE_BITS | POLLERR | POLLHUP | POLLRDHUP
PRIVILEGED_PORTS = 1024


class InetSocket(Socket):
    """``local`` and ``remote`` are the two ends; a port 0 in ``local`` means not bound, ``remote`` None not connected."""

    __slots__ = ("device", "drops", "is_v6only", "local", "remote", "shut", "uid", "values")

    def __init__(self, kernel: "Kernel", inode: SocketInode, flags: int, family: int, type: int, protocol: int) -> None:
        super().__init__(kernel, inode, flags, family, type, protocol)
        self.local = addresses.UNBOUND4 if family == AF_INET else addresses.UNBOUND6
        self.remote: Endpoint | None = None
        self.shut = 0
        self.drops = 0
        self.device = 0  # SO_BINDTODEVICE: the number, 0 for any
        self.uid = inode.attr.uid
        self.is_v6only = False
        self.values: dict[tuple[int, int], int] = {}  # options of IP and above that were set

    @property
    def ports(self) -> "PortTable":
        """The table of the protocol."""
        raise NotImplementedError

    async def bind(self, task: "Task", address: bytes) -> None:
        """Take an address and a port. Errors: EINVAL bound already, EADDRNOTAVAIL, EADDRINUSE, EACCES, EAFNOSUPPORT."""
        endpoint = addresses.parse(address, self.family)
        if addresses.family_of(address) == 0 and not endpoint.is_any:
            raise SyscallError(EAFNOSUPPORT)  # AF_UNSPEC is INADDR_ANY's only (Linux: __inet_bind())
        self.check_local(endpoint.address)
        if self.is_privileged_port(endpoint.port) and not task.credentials.has(CAP_NET_BIND_SERVICE):
            raise SyscallError(EACCES)
        if self.local.port or self.remote is not None:
            raise SyscallError(EINVAL)
        self.take_port(endpoint)

    def is_privileged_port(self, port: int) -> bool:
        """Whether the port needs CAP_NET_BIND_SERVICE."""
        return 0 < port < PRIVILEGED_PORTS

    def check_local(self, address: bytes) -> None:
        """Whether the address can be bound to. Errors: EADDRNOTAVAIL, EINVAL an IPv4 one with IPV6_V6ONLY."""
        if self.family == AF_INET6 and address.startswith(addresses.MAPPED) and self.is_v6only:
            raise SyscallError(EINVAL)
        if not (address in (addresses.ANY4, addresses.ANY6) or self.is_local(address)):
            raise SyscallError(EADDRNOTAVAIL)

    def is_local(self, address: bytes) -> bool:
        """Whether the sandbox has the address."""
        if addresses.is_loopback(address):
            return True
        outside = self.kernel.net.outside
        return outside is not None and outside.is_own(address)

    def take_port(self, endpoint: Endpoint) -> None:
        """Bind to ``endpoint``, whose port may be 0. Errors: EADDRINUSE."""
        self.local = Endpoint(endpoint.address, self.ports.take(self, endpoint))

    def route(self, destination: Endpoint) -> Endpoint:
        """The destination as it is reached: "any" means this host. Errors: ENETUNREACH, EINVAL of the wrong family."""
        if destination.address == addresses.ANY4:
            destination = Endpoint(addresses.LOOPBACK4, destination.port)
        elif destination.address == addresses.ANY6:
            is_v4 = self.local.is_v4 and self.local.port
            destination = Endpoint(addresses.LOOPBACK4 if is_v4 else addresses.LOOPBACK6, destination.port)
        if self.family == AF_INET6 and destination.is_v4 and self.is_v6only:
            raise SyscallError(ENETUNREACH)
        if addresses.is_loopback(destination.address):
            if self.device not in (0, LOOPBACK_INDEX):
                raise SyscallError(ENETUNREACH)
            return destination
        outside = self.kernel.net.outside
        if outside is None or outside.source_for(destination.address, self.device) is None:
            raise SyscallError(ENETUNREACH)
        if addresses.is_loopback(self.local.address) and not outside.is_own(destination.address):
            raise SyscallError(EINVAL)  # Linux: __mkroute_output()
        return destination

    def source_for(self, destination: Endpoint) -> bytes:
        """The source address of what goes to ``destination`` (RFC 6724; the device lo has one address of each family)."""
        mine = self.local.address
        if mine not in (addresses.ANY4, addresses.ANY6) and self.is_local(mine):
            return mine
        outside = self.kernel.net.outside
        if outside is not None and not addresses.is_loopback(destination.address):
            source: bytes | None = outside.source_for(destination.address, self.device)
            if source is not None:
                return source
        return addresses.LOOPBACK4 if destination.is_v4 else addresses.LOOPBACK6

    def accepts(self, destination: Endpoint) -> bool:
        """Whether what is sent to ``destination`` may be for this socket."""
        mine = self.local.address
        if mine == destination.address:
            return True
        if mine == addresses.ANY6:
            return not (destination.is_v4 and self.is_v6only)
        return mine == addresses.ANY4 and destination.is_v4

    def local_address(self) -> bytes:
        """getsockname(2)."""
        return addresses.encode(self.local, self.family)

    def check_in_flight(self, task: "Task", files: "list[FileDescription]") -> None:
        """Descriptors are taken and dropped (Linux: __sock_cmsg_send() skips SCM_RIGHTS)."""

    def check_level(self, level: int, *, is_get: bool) -> None:
        """IP's, and the protocol's own. Errors: EOPNOTSUPP, ENOPROTOOPT."""
        options.check_level(self, level, is_get=is_get)

    def get_protocol_option(self, level: int, name: int) -> bytes:
        """getsockopt(2) above SOL_SOCKET."""
        return options.get_option(self, level, name)

    def set_protocol_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """setsockopt(2) above SOL_SOCKET."""
        options.set_option(self, level, name, value)

    def state_number(self) -> int:
        """The state of /proc/net/{tcp,udp}: 7 unconnected, 1 connected."""
        return 7 if self.remote is None else 1

    def unread(self) -> int:
        """The column rx_queue of /proc/net."""
        return self.pending()

    def row(self) -> InetRow:
        """The line of /proc/net/{tcp,udp}."""
        local, remote = self.local, self.remote or (self.local.address[:12] + bytes(4), 0)
        if remote[1] == 0 and self.family == AF_INET6:
            remote = (bytes(16), 0)
        return InetRow(
            self.family, local, remote, self.state_number(), self.unsent() if not self.is_listening else 0, self.unread(),
            self.uid, self.inode.attr.ino, self.references, self.drops,
        )  # fmt: skip

    def pending(self) -> int:
        """FIONREAD."""
        raise NotImplementedError

    def unsent(self) -> int:
        """SIOCOUTQ."""
        raise NotImplementedError

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """FIONREAD, SIOCOUTQ and those of the devices. Errors: ENODEV, ENOTTY, EINVAL listening."""
        if request == FIONREAD:
            task.memory.write_u32(argument, self.pending())
        elif request == TIOCOUTQ:
            task.memory.write_u32(argument, self.unsent())
        elif request == SIOCATMARK and self.protocol == IPPROTO_TCP:
            task.memory.write_u32(argument, 0)  # there is no urgent byte
        else:
            return device_ioctl.run(task, self.family, request, argument)
        return 0
