"""socket(2)."""

from sentry.kernel.task import Task
from sentry.socket.inet.create import new_inet_socket
from sentry.socket.netlink.socket import new_netlink_socket
from sentry.socket.socket import Socket
from sentry.socket.unix.create import new_socket
from syscalls.abi.errno import EAFNOSUPPORT, EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    AF_INET,
    AF_INET6,
    AF_MAX,
    AF_NETLINK,
    AF_PACKET,
    AF_UNIX,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_PACKET,
)
from syscalls.args import Int
from syscalls.registry import Support, syscall

TYPE_MASK = 0xF
NOTE = "AF_UNIX, TCP and UDP over loopback, NETLINK_ROUTE; AF_PACKET is EPERM always, other families are EAFNOSUPPORT"


def split_type(type: int) -> tuple[int, int]:
    """Return the type proper and its flags. Errors: EINVAL."""
    flags = type & ~TYPE_MASK
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise SyscallError(EINVAL)
    return type & TYPE_MASK, flags


def check_family(domain: int, type: int) -> None:
    """Errors: EAFNOSUPPORT, EINVAL no such type."""
    if not 0 <= domain < AF_MAX:
        raise SyscallError(EAFNOSUPPORT)
    if type > SOCK_PACKET:
        raise SyscallError(EINVAL)
    if domain == AF_PACKET:
        raise SyscallError(EPERM)  # refused with CAP_NET_RAW as well: frames bypass every rule of the stack
    if domain not in (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK):
        raise SyscallError(EAFNOSUPPORT)


@syscall(man="socket(2)", support=Support.PARTIAL, note=NOTE)
def sys_socket(task: Task, domain: Int, type: Int, protocol: Int) -> int:
    """Return a descriptor for a new socket. Errors: EAFNOSUPPORT, EINVAL, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EMFILE."""
    kind, flags = split_type(type)
    check_family(domain, kind)
    if domain == AF_UNIX:
        socket: Socket = new_socket(task, kind, protocol, flags)
    elif domain == AF_NETLINK:
        socket = new_netlink_socket(task, kind, protocol, flags)
    else:
        socket = new_inet_socket(task, domain, kind, protocol, flags)
    return task.fds.install(socket, cloexec=bool(flags & SOCK_CLOEXEC))
