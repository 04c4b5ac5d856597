"""socketpair(2)."""

from sentry.kernel.task import Task
from sentry.socket.unix.create import new_pair
from syscalls.abi.errno import EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_UNIX, SOCK_CLOEXEC
from syscalls.args import Int, UserPtr
from syscalls.net.socket import NOTE, check_family, split_type
from syscalls.registry import Support, syscall


@syscall(man="socketpair(2)", support=Support.PARTIAL, note=NOTE)
def sys_socketpair(task: Task, domain: Int, type: Int, protocol: Int, sv: UserPtr) -> int:
    """Store the numbers of two sockets that are connected to each other. Errors: as socket(2), EFAULT."""
    kind, flags = split_type(type)
    check_family(domain, kind)
    if domain != AF_UNIX:
        raise SyscallError(EOPNOTSUPP)
    pair = new_pair(task, kind, protocol, flags)
    installed: list[int] = []
    try:
        for socket in pair:
            installed.append(task.fds.install(socket, cloexec=bool(flags & SOCK_CLOEXEC)))
        task.memory.write(sv, b"".join(fd.to_bytes(4, "little") for fd in installed))
    except SyscallError:
        for fd in installed:
            task.fds.close(fd)
        for socket in pair[len(installed) :]:
            socket.close()
        raise
    return 0
