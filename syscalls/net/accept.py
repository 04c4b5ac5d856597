"""accept(2), accept4(2)."""

from sentry.kernel.task import Task
from sentry.socket import transfer
from sentry.socket.socket import Socket
from syscalls.abi.errno import ECONNABORTED, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.socket import SOCK_CLOEXEC, SOCK_NONBLOCK
from syscalls.args import Fd, Int, UserPtr
from syscalls.net.lookup import socket_of, write_address
from syscalls.registry import syscall


@syscall(man="accept(2)")
async def sys_accept(task: Task, sockfd: Fd, addr: UserPtr, addrlen: UserPtr) -> int:
    """Return a descriptor for the next connection. Errors: EBADF, ENOTSOCK, EAGAIN, EINTR, EINVAL, EOPNOTSUPP, EMFILE."""
    return await _accept(task, sockfd, addr, addrlen, 0)


@syscall(man="accept(2)")
async def sys_accept4(task: Task, sockfd: Fd, addr: UserPtr, addrlen: UserPtr, flags: Int) -> int:
    """accept(2) with SOCK_NONBLOCK and SOCK_CLOEXEC. Errors: EINVAL unknown flag, and those of accept(2)."""
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise SyscallError(EINVAL)
    return await _accept(task, sockfd, addr, addrlen, flags)


async def _accept(task: Task, sockfd: int, addr: int, addrlen: int, flags: int) -> int:
    listener = socket_of(task, sockfd)
    # Linux takes the number before it waits: EMFILE loses no connection.
    task.fds.check_room()
    socket = await transfer.accept(task, listener)
    try:
        if flags & SOCK_NONBLOCK:
            socket.flags |= O_NONBLOCK
        if addr:
            _write_peer(task, socket, addr, addrlen)
        return task.fds.install(socket, cloexec=bool(flags & SOCK_CLOEXEC))
    except SyscallError:
        socket.close()
        raise


def _write_peer(task: Task, socket: Socket, addr: int, addrlen: int) -> None:
    try:
        address = socket.peer_address()
    except SyscallError:
        raise SyscallError(ECONNABORTED) from None
    write_address(task, address, addr, addrlen)
