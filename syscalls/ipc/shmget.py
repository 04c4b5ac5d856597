"""shmget(2)."""

from typing import NoReturn

from sentry.fs.shm import SegmentStorage
from sentry.ipc.namespace import ipc_of, seconds
from sentry.ipc.permission import IpcPerm
from sentry.ipc.shared_memory import Segment
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_IPC_LOCK
from syscalls.abi.errno import EINVAL, ENOMEM, ENOSPC, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import SHM_HUGE_SHIFT, SHM_HUGETLB
from syscalls.abi.mman import HUGE_PAGE_SIZES
from syscalls.args import Int, Size
from syscalls.registry import Support, syscall


@syscall(
    man="shmget(2)",
    support=Support.PARTIAL,
    note="SHM_HUGETLB is ENOMEM or EPERM; SHM_NORESERVE has no effect: all is charged at once",
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
            _refuse_huge_pages(task, shmflg)
        return table.add(_segment(task, key, size, shmflg), settings.shmmni)

    def check(found: Segment) -> None:
        if size > found.size:
            raise SyscallError(EINVAL)

    return table.obtain(task.credentials, key, shmflg, make, check)


def _refuse_huge_pages(task: Task, flags: int) -> NoReturn:
    """Errors: EINVAL no such page size; EPERM neither CAP_IPC_LOCK nor hugetlb_shm_group (0); ENOMEM there are no huge pages."""
    creds = task.credentials
    if flags >> SHM_HUGE_SHIFT & 63 not in HUGE_PAGE_SIZES:
        raise SyscallError(EINVAL)
    if not creds.has(CAP_IPC_LOCK) and creds.egid != 0 and 0 not in creds.groups:
        raise SyscallError(EPERM)
    raise SyscallError(ENOMEM)


def _segment(task: Task, key: int, size: int, flags: int) -> Segment:
    try:
        memory = SegmentStorage(task, key, size, flags)
    except SyscallError as error:
        raise SyscallError(ENOMEM) from error
    perm = IpcPerm(key, flags, task.credentials)
    return Segment(ipc_of(task).segments, perm, memory, size, task.group.tgid, lambda: seconds(task))
