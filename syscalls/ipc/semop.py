"""semop(2), semtimedop(2)."""

from collections.abc import Coroutine
from typing import Any

from sentry.ipc.namespace import ipc_of, seconds
from sentry.ipc.permission import MAY_READ, MAY_WRITE
from sentry.ipc.semaphore import Operation, SemaphoreSet, Sleeper
from sentry.kernel.sem_undo import undo_list_of
from sentry.kernel.task import Task
from sentry.kernel.timeout import to_nanoseconds
from sentry.sched.wait import Interrupted, Restart, TimedOut
from syscalls.abi.errno import E2BIG, EAGAIN, EFBIG, EINTR, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import SEM_UNDO, SEMBUF
from syscalls.abi.time import TIMESPEC
from syscalls.args import Int, UInt, UserPtr
from syscalls.registry import syscall


@syscall(man="semop(2)")
def sys_semop(task: Task, semid: Int, sops: UserPtr, nsops: UInt) -> int | Coroutine[Any, Any, int]:
    """Carry out operations, all at once. Errors: E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, ENOMEM, ERANGE."""
    return _semop(task, semid, sops, nsops, 0)


@syscall(man="semop(2)")
def sys_semtimedop(task: Task, semid: Int, sops: UserPtr, nsops: UInt, timeout: UserPtr) -> int | Coroutine[Any, Any, int]:
    """semop(2), waiting at most ``timeout``. Errors: as semop(2); EAGAIN when the time is over."""
    return _semop(task, semid, sops, nsops, timeout)


def _semop(task: Task, semid: int, address: int, count: int, timeout: int) -> int | Coroutine[Any, Any, int]:
    namespace = ipc_of(task)
    deadline = None
    if timeout:
        deadline = task.kernel.runner.monotonic_ns() + to_nanoseconds(*task.memory.read_struct(TIMESPEC, timeout))
    if not count or semid < 0:
        raise SyscallError(EINVAL)
    if count > namespace.settings.semopm:
        raise SyscallError(E2BIG)
    # sem_num is unsigned, the other two are not
    raw = SEMBUF.iter_unpack(task.memory.read(address, count * SEMBUF.size))
    operations = [Operation(number & 0xFFFF, change, flags) for number, change, flags in raw]
    semaphores = namespace.semaphores.get(semid)
    if max(operation.number for operation in operations) >= len(semaphores.values):
        raise SyscallError(EFBIG)
    alters = any(operation.change for operation in operations)
    semaphores.perm.check(task.credentials, MAY_WRITE if alters else MAY_READ)
    undo = None
    undone = [operation.number for operation in operations if operation.flags & SEM_UNDO]
    if undone:
        undo = undo_list_of(task).of(semaphores, task.kernel.limits)
        undo.reserve(undone)
    pid = task.group.tgid
    blocking = semaphores.perform(operations, undo, pid)
    if blocking is None:
        semaphores.otime = seconds(task)
        if alters:
            semaphores.changed(semaphores.otime)
        return 0
    return _sleep(task, semaphores, Sleeper(operations, undo, pid, blocking), deadline)


async def _sleep(task: Task, semaphores: SemaphoreSet, sleeper: Sleeper, deadline_ns: int | None) -> int:
    semaphores.enqueue(sleeper)
    try:
        return await sleeper.sleep(task, Restart.SYS, deadline_ns)
    except Interrupted:
        raise SyscallError(EINTR) from None  # never restarted (signal(7))
    except TimedOut:
        raise SyscallError(EAGAIN) from None
    finally:
        semaphores.dequeue(sleeper)
