"""shmget(2)."""

from sentry.fs.shm import SegmentStorage
from sentry.ipc.namespace import ipc_of, seconds
from sentry.ipc.permission import IpcPerm
from sentry.ipc.shared_memory import Segment
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, ENOMEM, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import SHM_HUGETLB
from syscalls.args import Int, Size
from syscalls.registry import Support, syscall


@syscall(
    man="shmget(2)", support=Support.PARTIAL, note="SHM_HUGETLB is ENOMEM; SHM_NORESERVE has no effect: all is charged at once"
)
def sys_shmget(task: Task, key: Int, size: Size, shmflg: Int) -> int:
    """Return the identifier of a segment. Errors: EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC."""
    namespace = ipc_of(task)
    settings, table = namespace.settings, namespace.segments

    def make() -> int:
        if not 1 <= size <= settings.shmmax:
            raise SyscallError(EINVAL)
        for known in list(table):
            known.sweep()
        if sum(known.pages for known in table) + (size + 4095 >> 12) > settings.shmall or len(table) >= settings.shmmni:
            raise SyscallError(ENOSPC)
        if shmflg & SHM_HUGETLB:
            raise SyscallError(ENOMEM)
        return table.add(_segment(task, key, size, shmflg), settings.shmmni)

    def check(found: Segment) -> None:
        if size > found.size:
            raise SyscallError(EINVAL)

    return table.obtain(task.credentials, key, shmflg, make, check)


def _segment(task: Task, key: int, size: int, flags: int) -> Segment:
    try:
        memory = SegmentStorage(task, key, size, flags)
    except SyscallError as error:
        raise SyscallError(ENOMEM) from error
    perm = IpcPerm(key, flags, task.credentials)
    return Segment(ipc_of(task).segments, perm, memory, size, task.group.tgid, lambda: seconds(task))
