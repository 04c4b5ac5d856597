"""getsockopt(2), setsockopt(2)."""

from sentry.fs.pidfd import open_pidfd_for
from sentry.kernel.task import Task
from sentry.socket import options
from sentry.socket.inet.base import InetSocket
from sentry.socket.inet.options import get_device, set_device
from sentry.socket.socket import Socket
from syscalls.abi.errno import EINVAL, ENODATA, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    IP_MULTICAST_IF,
    IPPROTO_IP,
    SO_BINDTODEVICE,
    SO_BINDTOIFINDEX,
    SO_PEERGROUPS,
    SO_PEERPIDFD,
    SOL_SOCKET,
)
from syscalls.args import Fd, Int, UserPtr
from syscalls.net.lookup import socket_of
from syscalls.registry import Support, syscall

_VALUE_MAX = 4096
_WORD = 4
_DEVICE = (SO_BINDTODEVICE, SO_BINDTOIFINDEX)
_NOTE = "options that mean something to UNIX sockets and to TCP and UDP on loopback; others are ENOPROTOOPT or EOPNOTSUPP"


@syscall(man="getsockopt(2)", support=Support.PARTIAL, note=_NOTE)
def sys_getsockopt(task: Task, sockfd: Fd, level: Int, optname: Int, optval: UserPtr, optlen: UserPtr) -> int:
    """Store an option's value, cut to the room. Errors: EBADF, ENOTSOCK, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP, ENOTCONN."""
    socket = socket_of(task, sockfd)
    if level != SOL_SOCKET:
        socket.check_level(level, is_get=True)
    room = task.memory.read_i32(optlen)
    if room < 0:
        raise SyscallError(EINVAL)
    if level != SOL_SOCKET:
        value = socket.get_protocol_option(level, optname)
        if level == IPPROTO_IP and 0 < room < _WORD == len(value) and optname != IP_MULTICAST_IF and not any(value[1:]):
            room = 1  # Linux: do_ip_getsockopt() answers into less than a word with one byte
        value = value[:room]
    elif isinstance(socket, InetSocket) and optname in _DEVICE:
        value = get_device(socket, optname)
        if len(value) > room:
            raise SyscallError(EINVAL)
    elif optname == SO_PEERPIDFD:
        value = _peer_pidfd(task, socket)[:room]
    elif optname == SO_PEERGROUPS:
        value = _peer_groups(task, socket, room, optlen)
    else:
        value = options.get_option(socket, optname, room)[:room]
    task.memory.write(optval, value)
    task.memory.write_u32(optlen, len(value))
    return 0


def _peer_pidfd(task: Task, socket: Socket) -> bytes:
    """A new descriptor for the peer. Errors: ENODATA there is none, ESRCH it is gone, EMFILE."""
    pid = socket.peer_credentials().pid
    if not pid:
        raise SyscallError(ENODATA)
    return open_pidfd_for(task, pid).to_bytes(_WORD, "little")


def _peer_groups(task: Task, socket: Socket, room: int, optlen: int) -> bytes:
    """The further groups of the peer. Errors: ENODATA there is none, ERANGE they do not fit (``optlen`` tells the room)."""
    peer = socket.peer_credentials()
    if not peer.pid:
        raise SyscallError(ENODATA)
    value = b"".join(group.to_bytes(_WORD, "little") for group in peer.groups)
    if len(value) > room:
        task.memory.write_u32(optlen, len(value))
        raise SyscallError(ERANGE)
    return value


@syscall(man="getsockopt(2)", support=Support.PARTIAL, note=_NOTE)
def sys_setsockopt(task: Task, sockfd: Fd, level: Int, optname: Int, optval: UserPtr, optlen: Int) -> int:
    """Change an option. Errors: EBADF, ENOTSOCK, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM, EACCES, EDOM."""
    socket = socket_of(task, sockfd)
    if optlen < 0:
        raise SyscallError(EINVAL)
    if level != SOL_SOCKET:
        socket.check_level(level, is_get=False)
    value = task.memory.read(optval, min(optlen, _VALUE_MAX)) if optlen else b""
    if level != SOL_SOCKET:
        socket.set_protocol_option(task, level, optname, value)
        return 0
    if isinstance(socket, InetSocket) and optname in _DEVICE:
        set_device(socket, optname, value)
        return 0
    options.set_option(socket, optname, value, task.credentials.has)
    return 0
