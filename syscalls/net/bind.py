"""bind(2), listen(2), shutdown(2)."""

from sentry.kernel.task import Task
from syscalls.args import Fd, Int, UserPtr
from syscalls.net.lookup import read_address, socket_of
from syscalls.registry import syscall


@syscall(man="bind(2)")
async def sys_bind(task: Task, sockfd: Fd, addr: UserPtr, addrlen: Int) -> int:
    """Give a socket a name. Errors: EBADF, ENOTSOCK, EINVAL, EADDRINUSE, EACCES, ENOENT, ENOTDIR, EROFS."""
    socket = socket_of(task, sockfd)
    await socket.bind(task, read_address(task, addr, addrlen))
    return 0


@syscall(man="listen(2)")
def sys_listen(task: Task, sockfd: Fd, backlog: Int) -> int:
    """Accept connections from now on. Errors: EBADF, ENOTSOCK, EOPNOTSUPP, EINVAL."""
    socket_of(task, sockfd).listen(task, backlog)
    return 0


@syscall(man="shutdown(2)")
def sys_shutdown(task: Task, sockfd: Fd, how: Int) -> int:
    """Close one direction or both. Errors: EBADF, ENOTSOCK, EINVAL."""
    socket_of(task, sockfd).shutdown(how)
    return 0
