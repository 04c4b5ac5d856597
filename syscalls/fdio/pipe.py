"""pipe(2), pipe2(2)."""

from typing import Annotated

from sentry.fs.pipe.file import make_pipe
from sentry.kernel.task import Task
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_CLOEXEC, O_DIRECT, O_NONBLOCK
from syscalls.args import Flags, UserPtr
from syscalls.registry import syscall


@syscall(man="pipe(2)")
def sys_pipe(task: Task, pipefd: UserPtr) -> int:
    """Store the numbers of a new pipe's two ends. Errors: EFAULT, EMFILE, ENFILE."""
    return _pipe(task, pipefd, 0)


@syscall(man="pipe(2)")
def sys_pipe2(task: Task, pipefd: UserPtr, flags: Annotated[int, Flags("O", O_CLOEXEC | O_DIRECT | O_NONBLOCK)]) -> int:
    """pipe(2) with flags; O_DIRECT makes packets. Errors: EINVAL, EFAULT, EMFILE, ENFILE."""
    return _pipe(task, pipefd, flags)


def _pipe(task: Task, pipefd: int, flags: int) -> int:
    fds = task.fds
    reader, writer = make_pipe(task, flags)
    cloexec = bool(flags & O_CLOEXEC)
    installed: list[int] = []
    try:
        installed.append(fds.install(reader, cloexec=cloexec))
        installed.append(fds.install(writer, cloexec=cloexec))
        task.memory.write(pipefd, b"".join(fd.to_bytes(4, "little") for fd in installed))
    except SyscallError:
        for fd in installed:
            fds.close(fd)
        for file in (reader, writer)[len(installed) :]:
            file.close()
        raise
    return 0
