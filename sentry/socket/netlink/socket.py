"""AF_NETLINK sockets of the family NETLINK_ROUTE (netlink(7)). The kernel answers while the request is sent.

Linux: net/netlink/af_netlink.c, net/core/rtnetlink.c.
"""

from collections import deque
from typing import TYPE_CHECKING, Final

from sentry.kernel.socket_row import NetlinkRow
from sentry.socket import device_ioctl
from sentry.socket.netlink import route
from sentry.socket.netlink.message import Request, acknowledge, message, split
from sentry.socket.socket import Envelope, Receipt, Socket, SocketInode
from sentry.vfs.readiness import POLLERR, POLLOUT, POLLWRBAND, POLLWRNORM, READABLE
from syscalls.abi import netlink as nl
from syscalls.abi.capability import CAP_NET_ADMIN
from syscalls.abi.errno import (
    EADDRINUSE,
    EAFNOSUPPORT,
    EBUSY,
    ECONNREFUSED,
    EINVAL,
    EMSGSIZE,
    ENOBUFS,
    ENOPROTOOPT,
    EOPNOTSUPP,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_NETLINK, AF_UNSPEC, MSG_TRUNC, SOCK_DGRAM, SOCK_RAW, SOL_NETLINK

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.io import Sink, Source

_PART_MAX: Final = 16_384
_OVERHEAD: Final = 768
_GROUPS_MAX: Final = 64
_FLAGS: Final = (
    nl.NETLINK_PKTINFO, nl.NETLINK_BROADCAST_ERROR, nl.NETLINK_NO_ENOBUFS, nl.NETLINK_CAP_ACK, nl.NETLINK_EXT_ACK,
    nl.NETLINK_GET_STRICT_CHK,
)  # fmt: skip
_WRITABLE: Final = POLLOUT | POLLWRNORM | POLLWRBAND


def new_netlink_socket(task: "Task", type: int, protocol: int, flags: int) -> "NetlinkSocket":
    """A new socket. Errors: ESOCKTNOSUPPORT, EPROTONOSUPPORT a family that this kernel has not."""
    if type not in (SOCK_RAW, SOCK_DGRAM):
        raise SyscallError(ESOCKTNOSUPPORT)
    if protocol != nl.NETLINK_ROUTE:
        raise SyscallError(EPROTONOSUPPORT)
    inode = SocketInode(task.kernel, task.credentials.fsuid, task.credentials.fsgid)
    return NetlinkSocket(task, inode, flags, type)


class NetlinkSocket(Socket):
    """``port`` is nl_pid (0: not bound); ``groups`` the multicast groups, which stay silent: no device ever changes."""

    __slots__ = ("destination", "groups", "is_privileged", "options_set", "parts", "port", "tgid", "used")

    def __init__(self, task: "Task", inode: SocketInode, flags: int, type: int) -> None:
        kernel: Kernel = task.kernel
        super().__init__(kernel, inode, flags, AF_NETLINK, type, nl.NETLINK_ROUTE)
        self.port = 0
        self.groups = 0
        self.destination = 0
        self.options_set: set[int] = set()
        self.parts: deque[bytes] = deque()
        self.used = 0
        self.tgid = task.group.tgid
        # Linux asks both the opener's and the sender's rights (netlink_capable()).
        self.is_privileged = task.credentials.has(CAP_NET_ADMIN)

    def _parse(self, raw: bytes) -> tuple[int, int]:
        if len(raw) < nl.SOCKADDR_NL.size:
            raise SyscallError(EINVAL)
        family, port, groups = nl.SOCKADDR_NL.unpack_from(raw)
        if family != AF_NETLINK:
            raise SyscallError(EAFNOSUPPORT if family != AF_UNSPEC else EINVAL)
        return port, groups

    async def bind(self, task: "Task", address: bytes) -> None:
        """Take a port and groups. Errors: EINVAL another port than it has (0 is another), EADDRINUSE."""
        port, groups = self._parse(address)
        if self.port and port != self.port:
            raise SyscallError(EINVAL)
        if not self.port:
            self._take_port(port)
        self.groups = self.groups & ~0xFFFFFFFF | groups

    def _take_port(self, port: int) -> None:
        taken = self.kernel.net.netlink_ports
        if port:
            if port in taken:
                raise SyscallError(EADDRINUSE)
        else:
            port = self.tgid
            while port in taken:
                # Linux: netlink_autobind() takes a negative number when the process's own is taken.
                port = 0x80000000 | int.from_bytes(self.kernel.random(4), "little") | 1
        self.port = port
        taken[port] = self

    async def connect(self, task: "Task", address: bytes) -> None:
        """Set the default destination. Errors: EPERM another one than the kernel, unprivileged."""
        if len(address) >= 2 and int.from_bytes(address[:2], "little") == AF_UNSPEC:
            self.destination = 0
            return
        port, groups = self._parse(address)
        if (port or groups) and not task.credentials.has(CAP_NET_ADMIN):
            raise SyscallError(EPERM)
        if not self.port:
            self._take_port(0)
        self.destination = port

    async def resolve(self, task: "Task", address: bytes) -> object:
        """The destination's nl_pid. Errors: EPERM, EINVAL."""
        port, groups = self._parse(address)
        if (port or groups) and not task.credentials.has(CAP_NET_ADMIN):
            raise SyscallError(EPERM)
        return port

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) sends one message."""
        return self.try_send(source, Envelope())

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Give requests to the kernel, which answers at once. Errors: EMSGSIZE, ECONNREFUSED nobody with that number."""
        if source.remaining > self.sndbuf:
            raise SyscallError(EMSGSIZE)
        if not self.port:
            self._take_port(0)
        data = b"".join(iter(lambda: source.take(source.remaining) if source.remaining else b"", b""))
        target = envelope.address if isinstance(envelope.address, int) else self.destination
        if target:
            raise SyscallError(ECONNREFUSED)
        for request in split(data):
            self._serve(request)
        return len(data)

    def _serve(self, request: Request) -> None:
        if not request.flags & nl.NLM_F_REQUEST or request.type < nl.RTM_NEWLINK:
            self._acknowledge(request, 0)
            return
        try:
            if request.type & nl.RTM_KIND_MASK != nl.RTM_KIND_GET:
                raise SyscallError(EOPNOTSUPP if self.is_privileged else EPERM)
            if request.is_dump:
                self._dump(request)
                return
            type, body = route.get(self.kernel.net.devices, request, self.inode.attr.uid)
            self._deliver(message(type, 0, request.sequence, self.port, body))
        except SyscallError as error:
            self._acknowledge(request, error.errno)
        else:
            self._acknowledge(request, 0)

    def _acknowledge(self, request: Request, errno: int) -> None:
        if errno or request.flags & nl.NLM_F_ACK:
            self._deliver(acknowledge(request, self.port, errno, is_capped=nl.NETLINK_CAP_ACK in self.options_set))

    def _dump(self, request: Request) -> None:
        if len(self.parts) > 1024:
            raise SyscallError(EBUSY)
        is_strict = nl.NETLINK_GET_STRICT_CHK in self.options_set
        entries = route.dump(self.kernel.net.devices, request, is_strict=is_strict)
        part = b""
        for type, body in entries:
            one = message(type, nl.NLM_F_MULTI, request.sequence, self.port, body)
            if part and len(part) + len(one) > _PART_MAX:
                self._deliver(part)
                part = b""
            part += one
        if part:
            self._deliver(part)
        self._deliver(message(nl.NLMSG_DONE, nl.NLM_F_MULTI, request.sequence, self.port, bytes(4)))

    def _deliver(self, data: bytes) -> None:
        size = len(data) + _OVERHEAD
        if self.used + size > self.rcvbuf:
            self.error = ENOBUFS
            self.queue.wake(READABLE | POLLERR)
            return
        self.kernel.limits.charge(size)
        self.used += size
        self.parts.append(data)
        self.queue.wake(READABLE)

    def _drop_first(self) -> None:
        size = len(self.parts.popleft()) + _OVERHEAD
        self.used -= size
        self.kernel.limits.uncharge(size)

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive one part of an answer; what does not fit is lost. Errors: ENOBUFS answers were lost."""
        if not self.parts:
            error = self.take_error()
            if error:
                raise SyscallError(error)
            return None
        data = self.parts[0]
        room = sink.remaining
        count = sink.put(data[:room]) if room else 0
        if len(data) > room:
            receipt.flags |= MSG_TRUNC
        receipt.length = len(data)
        receipt.address = nl.SOCKADDR_NL.pack(AF_NETLINK, 0, 0)
        receipt.is_complete = True
        if not receipt.is_peek:
            self._drop_first()
        return count

    def shutdown(self, how: int) -> None:
        """Errors: EOPNOTSUPP always."""
        raise SyscallError(EOPNOTSUPP)

    def local_address(self) -> bytes:
        """getsockname(2)."""
        return nl.SOCKADDR_NL.pack(AF_NETLINK, self.port, self.groups & 0xFFFFFFFF)

    def peer_address(self) -> bytes:
        """getpeername(2): the kernel, or what connect(2) named."""
        return nl.SOCKADDR_NL.pack(AF_NETLINK, self.destination, 0)

    def check_level(self, level: int, *, is_get: bool) -> None:
        """SOL_NETLINK. Errors: ENOPROTOOPT."""
        if level != SOL_NETLINK:
            raise SyscallError(ENOPROTOOPT)

    def get_protocol_option(self, level: int, name: int) -> bytes:
        """SOL_NETLINK. Errors: ENOPROTOOPT."""
        if name not in _FLAGS:
            raise SyscallError(ENOPROTOOPT)
        return int(name in self.options_set).to_bytes(4, "little")

    def set_protocol_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """SOL_NETLINK. Errors: ENOPROTOOPT, EINVAL no such group."""
        if level != SOL_NETLINK:
            raise SyscallError(ENOPROTOOPT)
        number = int.from_bytes(value[:4], "little")
        if name in _FLAGS:
            (self.options_set.add if number else self.options_set.discard)(name)
        elif name in (nl.NETLINK_ADD_MEMBERSHIP, nl.NETLINK_DROP_MEMBERSHIP):
            if not 0 < number <= _GROUPS_MAX:
                raise SyscallError(EINVAL)
            bit = 1 << (number - 1)
            self.groups = self.groups | bit if name == nl.NETLINK_ADD_MEMBERSHIP else self.groups & ~bit
        else:
            raise SyscallError(ENOPROTOOPT)

    def row(self) -> NetlinkRow:
        """The line of /proc/net/netlink."""
        return NetlinkRow(self.protocol, self.port, self.groups, self.used, self.inode.attr.ino)

    def readiness(self) -> int:
        """The poll(2) bits."""
        return _WRITABLE | (READABLE if self.parts else 0) | (POLLERR if self.error else 0)

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """Those of the devices. Errors: ENOTTY, ENODEV."""
        return device_ioctl.run(task, self.family, request, argument)

    def close(self) -> None:
        """Give the number and the memory back."""
        while self.parts:
            self._drop_first()
        if self.port:
            self.kernel.net.netlink_ports.pop(self.port, None)
