"""futex(2), futex_waitv(2): the host waits and wakes on the guest's own memory.

docs/security-model.md names the channel that pages of a shared host file open.
"""

from sentry.kernel.kill import is_host_exact
from sentry.kernel.task import Task
from syscalls.abi.errno import ENOSYS
from syscalls.abi.errors import SyscallError
from syscalls.abi.futex import (
    FUTEX_CMP_REQUEUE,
    FUTEX_CMP_REQUEUE_PI,
    FUTEX_LOCK_PI,
    FUTEX_LOCK_PI2,
    FUTEX_REQUEUE,
    FUTEX_TRYLOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_WAIT,
    FUTEX_WAIT_BITSET,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_WAKE,
    FUTEX_WAKE_BITSET,
    FUTEX_WAKE_OP,
)
from syscalls.args import PROCEED, Int, Result, UInt, ULong, UserPtr
from syscalls.registry import Support, syscall

_COMMAND = 0x7F
_FUTEX2 = "ENOSYS where the host is older than Linux 6.7"
_PLAIN = (FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET)
_INHERITING = (
    FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_CMP_REQUEUE_PI,
    FUTEX_LOCK_PI2,
)


@syscall(
    man="futex(2)",
    support=Support.PARTIAL,
    note="operations with priority inheritance are ENOSYS where the jail has no pid namespace",
    native="waits and wakes on the guest's own memory",
    condition="no priority inheritance, or inside a pid namespace",
)
def sys_futex(task: Task, uaddr: UserPtr, futex_op: Int, val: UInt, timeout: ULong, uaddr2: UserPtr, val3: UInt) -> Result:
    """Wait or wake. Errors: ENOSYS; the host finds the others."""
    command = futex_op & _COMMAND
    if command in _PLAIN or (command in _INHERITING and is_host_exact(task)):
        return PROCEED
    raise SyscallError(ENOSYS)


@syscall(man="futex(2)", support=Support.PARTIAL, note=_FUTEX2)
def sys_futex_wake(task: Task, uaddr: UserPtr, mask: ULong, nr: Int, flags: UInt) -> Result:
    """Wake waiters of a word. Errors: EINVAL, EFAULT."""
    return PROCEED


@syscall(man="futex(2)", support=Support.PARTIAL, note=_FUTEX2)
def sys_futex_wait(task: Task, uaddr: UserPtr, val: ULong, mask: ULong, flags: UInt, timeout: UserPtr, clockid: Int) -> Result:
    """Wait for a word to change. Errors: EINVAL, EFAULT, EAGAIN, ETIMEDOUT, EINTR."""
    return PROCEED


@syscall(man="futex(2)", support=Support.PARTIAL, note=_FUTEX2)
def sys_futex_requeue(task: Task, waiters: UserPtr, flags: UInt, nr_wake: Int, nr_requeue: Int) -> Result:
    """Wake waiters of one word and move others to a second. Errors: EINVAL, EFAULT, EAGAIN."""
    return PROCEED


@syscall(man="futex_waitv(2)")
def sys_futex_waitv(task: Task, waiters: UserPtr, nr_futexes: UInt, flags: UInt, timeout: UserPtr, clockid: Int) -> Result:
    """Wait on several words. Errors: EINVAL, EFAULT, EAGAIN, ETIMEDOUT, EINTR."""
    return PROCEED
