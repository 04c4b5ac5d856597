"""signalfd(2): pending signals are read as records.

The host keeps the pending signals; a read takes them out of its queues in the reader's own thread (kernel-facts.md 6).
"""

from struct import Struct
from typing import TYPE_CHECKING

from sentry.fs.anon import AnonFile, anon_inode
from sentry.kernel.task import Task
from sentry.sched.wait import Latch
from sentry.vfs.readiness import READABLE
from syscalls.abi.errno import EFAULT, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.signal import SI_KERNEL, SI_TIMER, SI_TKILL, SI_USER, SIGCHLD, SIGKILL, SIGNALFD_SIGINFO, SIGSTOP

if TYPE_CHECKING:
    from sentry.vfs.io import Sink

_NEVER = 1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1)
#: siginfo_t by kind: si_signo si_errno si_code, then
_SENT = Struct("<iii4xIIQ")  # si_pid si_uid si_value; a timer's si_timerid si_overrun si_value
_CHILD = Struct("<iii4xIIi4xQQ")  # si_pid si_uid si_status si_utime si_stime
_POLLED = Struct("<iii4xqi")  # si_band si_fd
_INT32 = 1 << 31


class SignalFile(AnonFile):
    """Reads the pending signals of ``mask`` of whoever reads."""

    __slots__ = ("_creator", "mask")

    is_caller_bound = True

    def __init__(self, task: "Task", flags: int, mask: int) -> None:
        super().__init__(anon_inode(task.kernel, b"signalfd"), O_RDWR | flags)
        self._creator = task
        self.queue = task.kernel.signals.watch_arrivals()
        self.mask = mask & ~_NEVER

    def set_mask(self, mask: int) -> None:
        """signalfd(2) on an existing descriptor."""
        self.mask = mask & ~_NEVER
        self.queue.wake(READABLE)

    async def read_as(self, task: "Task", sink: "Sink") -> int | None:
        """Store as many records as fit; None if no signal is pending.

        Errors: EINVAL fewer bytes than one record, EFAULT the memory that its records come through is gone.
        """
        if sink.remaining < SIGNALFD_SIGINFO.size:
            raise SyscallError(EINVAL)
        done = 0
        while sink.remaining >= SIGNALFD_SIGINFO.size and task.context.pending_signals() & self.mask:
            latch = Latch()
            task.context.take_signal(self.mask, latch.fire)
            info = await latch.wait(task.fiber)
            if info is None:  # killed a moment ago, which is not known yet: its pending signals stay where they are
                raise SyscallError(EFAULT)
            assert isinstance(info, bytes)
            if not info:
                break
            done += sink.put(_record(task, info))
        return done or None

    def readiness(self) -> int:
        """Readable while a signal of the mask is pending for the caller, or, where nobody is known to call, for the creator."""
        current = self._creator.kernel.runner.current
        task = current.owner if current is not None else None
        if not isinstance(task, Task):
            task = self._creator if not self._creator.is_exiting else self._creator.group.leader
        return READABLE if not task.is_exiting and task.context.pending_signals() & self.mask else 0

    def fdinfo(self) -> bytes:
        """The sigmask line of /proc/PID/fdinfo/N."""
        return b"sigmask:\t%016x\n" % self.mask


def _record(task: "Task", info: bytes) -> bytes:
    """struct signalfd_siginfo of a siginfo_t (Linux: fs/signalfd.c, signalfd_copyinfo())."""
    signal, errno, code, first, second, value = _SENT.unpack_from(info)
    pid = uid = fd = tid = band = overrun = status = number = pointer = utime = stime = 0
    if code == SI_TIMER:
        tid, overrun, number, pointer = first, second, _int32(value), value
    elif code in (SI_USER, SI_TKILL, SI_KERNEL):
        pid, uid = first, second
    elif code < 0:
        pid, uid, number, pointer = first, second, _int32(value), value
    elif signal == SIGCHLD:
        *_, pid, uid, status, utime, stime = _CHILD.unpack_from(info)
        uid = _uid(task, pid, uid)
    else:
        *_, band, fd = _POLLED.unpack_from(info)
    band &= 0xFFFFFFFF
    return SIGNALFD_SIGINFO.pack(
        signal, errno, code, pid, uid, fd, tid, band, overrun, 0, status, number, pointer, utime, stime, 0
    )


def _int32(value: int) -> int:
    return (value + _INT32) % (2 * _INT32) - _INT32


def _uid(task: "Task", pid: int, uid: int) -> int:
    """The host knows only the one identity of the jail."""
    known = task.kernel.tasks.uid_of(pid)
    return uid if known is None else known
