"""connect(2)."""

from sentry.kernel.task import Task
from syscalls.args import Fd, Int, UserPtr
from syscalls.net.lookup import read_address, socket_of
from syscalls.registry import syscall


@syscall(man="connect(2)")
async def sys_connect(task: Task, sockfd: Fd, addr: UserPtr, addrlen: Int) -> int:
    """Connect to a listening socket, or set the destination of datagrams.

    Errors: EBADF, ENOTSOCK, EINVAL, ECONNREFUSED, EAGAIN, EISCONN, EPROTOTYPE, EACCES, ENOENT.
    """
    socket = socket_of(task, sockfd)
    address = read_address(task, addr, addrlen)
    socket.acquire()
    try:
        await socket.connect(task, address)
    finally:
        socket.release()
    return 0
