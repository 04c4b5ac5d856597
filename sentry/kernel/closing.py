"""Host copies of descriptors that the host is closing (close(2) of a number that had been mapped, see ``FdTable.host_copies``).

The number is free for the guest as soon as the sentry has forgotten it, but the closing thread's own call runs a moment later. A
copy that was put under the same number meanwhile, for another thread, would be what it closes.
"""

from typing import TYPE_CHECKING

from sentry.sched.wait import Latch

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def note(task: "Task", fd: int) -> None:
    """``task``'s call, which closes the copy at ``fd``, is let through now."""
    fds = task.fds
    fds.closing = [entry for entry in fds.closing if entry[1].may_be_in(entry[2])]
    fds.closing.append((fd, task, task.trap))


def has(task: "Task", fd: int) -> bool:
    """Whether a call that closes the copy at ``fd`` may not have run yet."""
    return any(number == fd and closer.may_be_in(trap) for number, closer, trap in task.fds.closing)


async def wait_for(task: "Task", fd: int) -> None:
    """Until the copy at ``fd`` is surely gone: whoever closes it is stopped behind that call for a moment."""
    for number, closer, trap in list(task.fds.closing):
        if number == fd and closer is not task and closer.may_be_in(trap):
            latch = Latch()
            closer.context.interrupt_then(latch.fire)
            await latch.wait(task.fiber)
    fds = task.fds
    fds.closing = [entry for entry in fds.closing if entry[0] != fd]
