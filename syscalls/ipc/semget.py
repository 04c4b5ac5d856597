"""semget(2)."""

from sentry.ipc.namespace import ipc_of, seconds
from sentry.ipc.semaphore import SemaphoreSet, new_set
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.args import Int
from syscalls.registry import syscall


@syscall(man="semget(2)")
def sys_semget(task: Task, key: Int, nsems: Int, semflg: Int) -> int:
    """Return the identifier of a set. Errors: EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC."""
    namespace = ipc_of(task)
    settings, table = namespace.settings, namespace.semaphores
    if not 0 <= nsems <= settings.semmsl:
        raise SyscallError(EINVAL)

    def make() -> int:
        if not nsems:
            raise SyscallError(EINVAL)
        if sum(len(known.values) for known in table) + nsems > settings.semmns:
            raise SyscallError(ENOSPC)
        new = new_set(task.credentials, key, semflg, nsems, task.kernel.limits, seconds(task))
        return table.add(new, settings.semmni)

    def check(found: SemaphoreSet) -> None:
        if nsems > len(found.values):
            raise SyscallError(EINVAL)

    return table.obtain(task.credentials, key, semflg, make, check)
