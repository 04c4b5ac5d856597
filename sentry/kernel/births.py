"""Births that pass through the sentry: clone3(2), and clone(2) with flags that the host must not get as they are (ADR 31).

The thread makes the host's clone(2) with arguments that were checked here; what the host shall not do is done here instead.
"""

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sentry.kernel.memory_usage import admits
from sentry.kernel.rlimits import exceeds_process_limit
from sentry.sched.wait import Latch
from syscalls.abi.errno import EAGAIN, EINVAL, ENOMEM
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    CLONE_CLEAR_SIGHAND,
    CLONE_PARENT,
    CLONE_PIDFD,
    CLONE_PTRACE,
    CLONE_THREAD,
    CLONE_UNTRACED,
)

if TYPE_CHECKING:
    from sentry.kernel.task import Task

#: The guest's tracer is never its parent's wish; a pidfd is the sentry's; handlers are cleared by calls of the child's own.
_NOT_FOR_THE_HOST: Final = CLONE_PTRACE | CLONE_UNTRACED | CLONE_PIDFD | CLONE_CLEAR_SIGHAND


class OnBirth(Protocol):
    """What a maker's child needs before it runs; ``errno`` is not 0 where that failed, and then the child never runs."""

    errno: int

    def born(self, child: "Task") -> None:
        """The child is there."""


class Request(NamedTuple):
    """What a thread asks for (struct clone_args of clone(2)); ``stack`` is where it begins, its highest address."""

    flags: int
    exit_signal: int
    stack: int
    parent_tid: int
    child_tid: int
    tls: int


async def bear(task: "Task", request: Request, on_birth: OnBirth | None) -> int:
    """Make a task; returns its number. Precondition: the flags go together. Errors: EAGAIN, ENOMEM limits; EINVAL a sibling of a
    first process; that of ``on_birth``; those of clone(2)."""
    flags = request.flags
    _check_limits(task)
    if flags & CLONE_PARENT and not flags & CLONE_THREAD and task.group.parent is None:
        raise SyscallError(EINVAL)
    task.on_birth = on_birth
    latch = Latch()
    try:
        arguments = (
            flags & ~_NOT_FOR_THE_HOST | request.exit_signal, request.stack, request.parent_tid, request.child_tid, request.tls,
        )  # fmt: skip
        task.context.bear(arguments, latch.fire, clears_handlers=bool(flags & CLONE_CLEAR_SIGHAND))
        result = await latch.wait(task.fiber)
    finally:
        task.on_birth = None
    assert isinstance(result, int)
    return -on_birth.errno if on_birth is not None and on_birth.errno else result


def _check_limits(task: "Task") -> None:
    """Errors: EAGAIN too many tasks; ENOMEM where the sentry keeps the sandbox's memory limit itself."""
    kernel = task.kernel
    if len(kernel.tasks.tasks) >= kernel.limits.tasks_max or exceeds_process_limit(task):
        raise SyscallError(EAGAIN)
    if not admits(kernel, 0):
        raise SyscallError(ENOMEM)
