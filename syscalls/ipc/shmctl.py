"""shmctl(2)."""

from sentry.ipc.namespace import IpcNamespace, ipc_of, seconds
from sentry.ipc.permission import CAP_IPC_LOCK, MAY_READ
from sentry.kernel.rlimits import get_limit
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import (
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    SHM_INFO,
    SHM_INFO_DS,
    SHM_LOCK,
    SHM_STAT,
    SHM_STAT_ANY,
    SHM_UNLOCK,
    SHMID64_DS,
    SHMINFO64,
)
from syscalls.abi.resource import RLIMIT_MEMLOCK
from syscalls.args import Int, UserPtr
from syscalls.registry import Support, syscall


@syscall(man="shmctl(2)", support=Support.PARTIAL, note="SHM_LOCK is shown but locks nothing: paging is the host's")
def sys_shmctl(task: Task, shmid: Int, op: Int, buf: UserPtr) -> int:
    """Look at, change or remove a segment. Errors: EACCES, EFAULT, EIDRM, EINVAL, EPERM."""
    if shmid < 0 or op < 0:
        raise SyscallError(EINVAL)
    namespace = ipc_of(task)
    if op in (IPC_INFO, SHM_INFO):
        return _info(task, namespace, op, buf)
    if op in (IPC_STAT, SHM_STAT, SHM_STAT_ANY):
        return _stat(task, namespace, shmid, op, buf)
    if op in (IPC_SET, IPC_RMID):
        return _change(task, namespace, shmid, op, buf)
    if op in (SHM_LOCK, SHM_UNLOCK):
        return _lock(task, namespace, shmid, op)
    raise SyscallError(EINVAL)


def _info(task: Task, namespace: IpcNamespace, op: int, buf: int) -> int:
    settings, table = namespace.settings, namespace.segments
    for segment in list(table):
        segment.sweep()
    if op == IPC_INFO:
        packed = SHMINFO64.pack(settings.shmmax, 1, settings.shmmni, settings.shmmni, settings.shmall)
    else:
        resident = sum(segment.memory.resident_pages() for segment in table)
        packed = SHM_INFO_DS.pack(len(table), sum(segment.pages for segment in table), resident, 0, 0, 0)
    task.memory.write(buf, packed)
    return table.index_max


def _stat(task: Task, namespace: IpcNamespace, shmid: int, op: int, buf: int) -> int:
    table = namespace.segments
    segment = table.get(shmid) if op == IPC_STAT else table.at(shmid)
    segment.sweep()
    if segment.perm.is_removed:
        raise SyscallError(EINVAL)
    if op != SHM_STAT_ANY:
        segment.perm.check(task.credentials, MAY_READ)
    packed = SHMID64_DS.pack(
        *segment.fields(),
        segment.size,
        segment.atime,
        segment.dtime,
        segment.ctime,
        segment.maker_pid,
        segment.last_pid,
        segment.count(),
    )
    task.memory.write(buf, packed)
    return 0 if op == IPC_STAT else segment.perm.id


def _change(task: Task, namespace: IpcNamespace, shmid: int, op: int, buf: int) -> int:
    wanted = SHMID64_DS.unpack(task.memory.read(buf, SHMID64_DS.size)) if op == IPC_SET else ()
    segment = namespace.segments.get(shmid)
    segment.perm.check_owner(task.credentials)
    if op == IPC_RMID:
        segment.doom()
        return 0
    segment.perm.change(wanted[1], wanted[2], wanted[5])
    segment.ctime = seconds(task)
    return 0


def _lock(task: Task, namespace: IpcNamespace, shmid: int, op: int) -> int:
    segment = namespace.segments.get(shmid)
    creds, perm = task.credentials, segment.perm
    if not creds.has(CAP_IPC_LOCK):
        if creds.euid not in (perm.uid, perm.cuid):
            raise SyscallError(EPERM)
        if op == SHM_LOCK and not get_limit(task.group, RLIMIT_MEMLOCK)[0]:
            raise SyscallError(EPERM)
    segment.is_locked = op == SHM_LOCK
    return 0
