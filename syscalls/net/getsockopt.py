"""getsockopt(2), setsockopt(2)."""

from sentry.kernel.task import Task
from sentry.socket import options
from syscalls.abi.capability import CAP_NET_ADMIN
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import SOL_SOCKET
from syscalls.args import Fd, Int, UserPtr
from syscalls.net.lookup import socket_of
from syscalls.registry import Support, syscall

_VALUE_MAX = 4096
_NOTE = "options that mean something to UNIX sockets and to TCP and UDP on loopback; others are ENOPROTOOPT or EOPNOTSUPP"


@syscall(man="getsockopt(2)", support=Support.PARTIAL, note=_NOTE)
def sys_getsockopt(task: Task, sockfd: Fd, level: Int, optname: Int, optval: UserPtr, optlen: UserPtr) -> int:
    """Store an option's value, cut to the room. Errors: EBADF, ENOTSOCK, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP."""
    socket = socket_of(task, sockfd)
    room = task.memory.read_i32(optlen)
    if room < 0:
        raise SyscallError(EINVAL)
    value = (options.get_option(socket, optname) if level == SOL_SOCKET else socket.get_protocol_option(level, optname))[:room]
    task.memory.write(optval, value)
    task.memory.write_u32(optlen, len(value))
    return 0


@syscall(man="getsockopt(2)", support=Support.PARTIAL, note=_NOTE)
def sys_setsockopt(task: Task, sockfd: Fd, level: Int, optname: Int, optval: UserPtr, optlen: Int) -> int:
    """Change an option. Errors: EBADF, ENOTSOCK, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM, EDOM."""
    socket = socket_of(task, sockfd)
    if optlen < 0:
        raise SyscallError(EINVAL)
    value = task.memory.read(optval, min(optlen, _VALUE_MAX)) if optlen else b""
    if level != SOL_SOCKET:
        socket.set_protocol_option(task, level, optname, value)
        return 0
    options.set_option(socket, optname, value, is_privileged=task.credentials.has(CAP_NET_ADMIN))
    return 0
