"""What the calls of this family share: the socket behind a number, and addresses in guest memory."""

from sentry.kernel.task import Task
from sentry.socket.socket import Socket
from syscalls.abi.errno import EINVAL, ENOTSOCK
from syscalls.abi.errors import SyscallError

ADDRESS_MAX = 128  # struct sockaddr_storage


def socket_of(task: Task, fd: int) -> Socket:
    """Errors: EBADF, ENOTSOCK."""
    file = task.fds.get(fd)
    if not isinstance(file, Socket):
        raise SyscallError(ENOTSOCK)
    return file


def read_address(task: Task, addr: int, length: int) -> bytes:
    """A raw sockaddr. Errors: EINVAL, EFAULT."""
    if not 0 <= length <= ADDRESS_MAX:
        raise SyscallError(EINVAL)
    return task.memory.read(addr, length) if length else b""


def write_address(task: Task, address: bytes, addr: int, addrlen: int) -> None:
    """Store ``address`` cut to the room that ``addrlen`` names, and its full length there. Errors: EINVAL, EFAULT."""
    room = task.memory.read_i32(addrlen)
    if room < 0:
        raise SyscallError(EINVAL)
    task.memory.write(addr, address[:room])
    task.memory.write_u32(addrlen, len(address))
