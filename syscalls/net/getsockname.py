"""getsockname(2), getpeername(2)."""

from sentry.kernel.task import Task
from syscalls.args import Fd, UserPtr
from syscalls.net.lookup import socket_of, write_address
from syscalls.registry import syscall


@syscall(man="getsockname(2)")
def sys_getsockname(task: Task, sockfd: Fd, addr: UserPtr, addrlen: UserPtr) -> int:
    """Store the socket's own address. Errors: EBADF, ENOTSOCK, EINVAL, EFAULT."""
    write_address(task, socket_of(task, sockfd).local_address(), addr, addrlen)
    return 0


@syscall(man="getpeername(2)")
def sys_getpeername(task: Task, sockfd: Fd, addr: UserPtr, addrlen: UserPtr) -> int:
    """Store the peer's address. Errors: EBADF, ENOTSOCK, ENOTCONN, EINVAL, EFAULT."""
    write_address(task, socket_of(task, sockfd).peer_address(), addr, addrlen)
    return 0
