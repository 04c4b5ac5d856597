"""semctl(2)."""

from collections.abc import Callable
from struct import pack, unpack
from typing import Final

from sentry.ipc.namespace import IpcNamespace, ipc_of, seconds
from sentry.ipc.permission import MAY_READ, MAY_WRITE
from sentry.ipc.semaphore import SemaphoreSet
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import (
    GETALL,
    GETNCNT,
    GETPID,
    GETVAL,
    GETZCNT,
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    SEM_INFO,
    SEM_STAT,
    SEM_STAT_ANY,
    SEMAEM,
    SEMID64_DS,
    SEMINFO,
    SEMVMX,
    SETALL,
    SETVAL,
)
from syscalls.args import Int, ULong
from syscalls.registry import syscall

_SEMUSZ: Final = 20


@syscall(man="semctl(2)")
def sys_semctl(task: Task, semid: Int, semnum: Int, cmd: Int, arg: ULong) -> int:
    """Look at or change a set. Errors: EACCES, EFAULT, EIDRM, EINVAL, EPERM, ERANGE."""
    if semid < 0:
        raise SyscallError(EINVAL)
    namespace = ipc_of(task)
    if cmd in (IPC_INFO, SEM_INFO):
        return _info(task, namespace, cmd, arg)
    if cmd in (IPC_STAT, SEM_STAT, SEM_STAT_ANY):
        return _stat(task, namespace, semid, cmd, arg)
    if cmd in (GETALL, SETALL):
        return _all(task, namespace.semaphores.get(semid), cmd, arg)
    if cmd in (IPC_RMID, IPC_SET):
        return _change(task, namespace, semid, cmd, arg)
    if cmd == SETVAL:
        return _set_value(task, namespace, semid, semnum, arg)
    answer = _ONE.get(cmd)
    if answer is None:
        raise SyscallError(EINVAL)
    semaphores = namespace.semaphores.get(semid)
    semaphores.perm.check(task.credentials, MAY_READ)
    _check_number(semaphores, semnum)
    return answer(semaphores, semnum)


_ONE: Final[dict[int, Callable[[SemaphoreSet, int], int]]] = {
    GETVAL: lambda semaphores, number: semaphores.values[number],
    GETPID: lambda semaphores, number: semaphores.pids[number],
    GETNCNT: lambda semaphores, number: semaphores.count_waiting(number, for_zero=False),
    GETZCNT: lambda semaphores, number: semaphores.count_waiting(number, for_zero=True),
}


def _check_number(semaphores: SemaphoreSet, number: int) -> None:
    if not 0 <= number < len(semaphores.values):
        raise SyscallError(EINVAL)


def _info(task: Task, namespace: IpcNamespace, cmd: int, arg: int) -> int:
    settings, table = namespace.settings, namespace.semaphores
    usz, aem = _SEMUSZ, SEMAEM
    if cmd == SEM_INFO:
        usz, aem = len(table), sum(len(known.values) for known in table)
    semmns = settings.semmns
    task.memory.write(
        arg,
        SEMINFO.pack(semmns, settings.semmni, semmns, semmns, settings.semmsl, settings.semopm, 500, usz, SEMVMX, aem),
    )
    return table.index_max


def _stat(task: Task, namespace: IpcNamespace, semid: int, cmd: int, arg: int) -> int:
    table = namespace.semaphores
    semaphores = table.get(semid) if cmd == IPC_STAT else table.at(semid)
    if cmd != SEM_STAT_ANY:
        semaphores.perm.check(task.credentials, MAY_READ)
    fields = (*semaphores.perm.fields(), semaphores.otime, semaphores.ctime, len(semaphores.values))
    task.memory.write(arg, SEMID64_DS.pack(*fields))
    return 0 if cmd == IPC_STAT else semaphores.perm.id


def _all(task: Task, semaphores: SemaphoreSet, cmd: int, arg: int) -> int:
    semaphores.perm.check(task.credentials, MAY_READ if cmd == GETALL else MAY_WRITE)
    count = len(semaphores.values)
    if cmd == GETALL:
        task.memory.write(arg, pack(f"<{count}H", *semaphores.values))
        return 0
    values = unpack(f"<{count}H", task.memory.read(arg, 2 * count))
    semaphores.assign(dict(enumerate(values)), task.group.tgid, seconds(task))
    return 0


def _set_value(task: Task, namespace: IpcNamespace, semid: int, semnum: int, arg: int) -> int:
    value = arg & 0xFFFFFFFF
    value -= value >> 31 << 32
    if not 0 <= value <= SEMVMX:
        raise SyscallError(ERANGE)
    semaphores = namespace.semaphores.get(semid)
    _check_number(semaphores, semnum)
    semaphores.perm.check(task.credentials, MAY_WRITE)
    semaphores.assign({semnum: value}, task.group.tgid, seconds(task))
    return 0


def _change(task: Task, namespace: IpcNamespace, semid: int, cmd: int, arg: int) -> int:
    wanted = SEMID64_DS.unpack(task.memory.read(arg, SEMID64_DS.size)) if cmd == IPC_SET else ()
    table = namespace.semaphores
    semaphores = table.get(semid)
    semaphores.perm.check_owner(task.credentials)
    if cmd == IPC_RMID:
        table.remove(semaphores)
        semaphores.remove()
        return 0
    semaphores.perm.change(wanted[1], wanted[2], wanted[5])
    semaphores.ctime = seconds(task)
    return 0
