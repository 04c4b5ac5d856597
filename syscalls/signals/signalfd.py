"""signalfd(2), signalfd4(2)."""

from sentry.fs.signalfd import SignalFile
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SFD_CLOEXEC, SFD_NONBLOCK
from syscalls.args import Fd, Size, UInt, UserPtr
from syscalls.registry import Support, syscall

_SET_SIZE = 8
_NOTE = "ITIMER_VIRTUAL and ITIMER_PROF, which are the host's, wake nobody; poll without waiting looks at the maker's signals"


@syscall(man="signalfd(2)", support=Support.PARTIAL, note=_NOTE)
def sys_signalfd(task: Task, fd: Fd, mask: UserPtr, sizemask: Size) -> int:
    """Make or change a descriptor for signals. Errors: EINVAL, EFAULT, EBADF, EMFILE."""
    return _signalfd(task, fd, mask, sizemask, 0)


@syscall(man="signalfd(2)", support=Support.PARTIAL, note=_NOTE)
def sys_signalfd4(task: Task, fd: Fd, mask: UserPtr, sizemask: Size, flags: UInt) -> int:
    """signalfd(2) with flags. Errors: EINVAL, EFAULT, EBADF, EMFILE."""
    return _signalfd(task, fd, mask, sizemask, flags)


def _signalfd(task: Task, fd: int, mask: int, sizemask: int, flags: int) -> int:
    if sizemask != _SET_SIZE:
        raise SyscallError(EINVAL)
    signals = task.memory.read_u64(mask)
    if flags & ~(SFD_CLOEXEC | SFD_NONBLOCK):
        raise SyscallError(EINVAL)
    if fd == -1:
        return task.fds.install(SignalFile(task, flags & SFD_NONBLOCK, signals), cloexec=bool(flags & SFD_CLOEXEC))
    file = task.fds.get(fd)
    if not isinstance(file, SignalFile):
        raise SyscallError(EINVAL)
    file.set_mask(signals)
    return fd
