"""msgget(2)."""

from sentry.ipc.message import new_queue
from sentry.ipc.namespace import ipc_of, seconds
from sentry.kernel.task import Task
from syscalls.args import Int
from syscalls.registry import syscall


@syscall(man="msgget(2)")
def sys_msgget(task: Task, key: Int, msgflg: Int) -> int:
    """Return the identifier of a queue. Errors: EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC."""
    namespace = ipc_of(task)
    settings, table = namespace.settings, namespace.messages

    def make() -> int:
        new = new_queue(task.credentials, key, msgflg, settings.msgmnb, task.kernel.limits, seconds(task))
        return table.add(new, settings.msgmni)

    return table.obtain(task.credentials, key, msgflg, make, lambda found: None)
