"""pidfd (pidfd_open(2)): a descriptor for a process, readable once the process is over."""

from typing import TYPE_CHECKING

from sentry.fs.anon import AnonFile, anon_inode
from sentry.host.process import close_pidfd, open_pidfd
from sentry.vfs.readiness import POLLHUP, READABLE
from syscalls.abi.errno import EBADF, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.signal import SIGKILL

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup


_NO_NUMBER = -1


class PidFile(AnonFile):
    """Refers to ``group``, also when its number has long been given to another process."""

    __slots__ = ("_stop", "group")

    is_endless = False

    def __init__(self, kernel: "Kernel", group: "ThreadGroup", flags: int) -> None:
        super().__init__(anon_inode(kernel, b"pidfd"), O_RDWR | flags)
        self.group = group
        self._stop = group.exit_queue.enqueue(self._ended)

    def readiness(self) -> int:
        """Readable when the process has ended, hung up as well once it has been waited for."""
        if self.group.is_alive:
            return 0
        return READABLE if self._has_number() else READABLE | POLLHUP

    def close(self) -> None:
        """Nobody asks any more."""
        self._stop()

    def fdinfo(self) -> bytes:
        """The Pid line of /proc/PID/fdinfo/N; -1 once the process has been waited for."""
        return b"Pid:\t%d\nNSpid:\t%d\n" % ((self.group.tgid,) * 2 if self._has_number() else (-1, -1))

    def _has_number(self) -> bool:
        group = self.group
        return group.leader.kernel.tasks.find_group(group.tgid) is group

    def _ended(self, _: int) -> None:
        self.queue.wake()


def open_pidfd_for(task: "Task", pid: int) -> int:
    """A new descriptor of ``task`` for a process, closed on exec. Errors: ESRCH it is gone, EMFILE."""
    group = task.kernel.tasks.find_group(pid)
    if group is None:
        raise SyscallError(ESRCH)
    return task.fds.install(PidFile(task.kernel, group, 0), cloexec=True)


def pidfd_of(task: "Task", fd: int) -> PidFile:
    """The pidfd under a number. Errors: EBADF also for any other kind of file."""
    file = task.fds.get(fd)
    if not isinstance(file, PidFile):
        raise SyscallError(EBADF)
    return file


def lend(task: "Task", file: PidFile, fd: int) -> None:
    """Give the guest's host table a pidfd under the same number, for a waitid that the host runs. Errors: ECHILD.

    Like the copy for a mapping it is of use to trapped calls only, and goes with close and exec.
    """
    if fd in task.fds.host_copies:
        return
    host_fd = open_pidfd(file.group.host_pid)
    try:
        task.context.add_fd(host_fd, fd)  # type: ignore[arg-type]
    finally:
        close_pidfd(host_fd)
    task.fds.host_copies.add(fd)


class PidfdOfChild:
    """CLONE_PIDFD: the maker's descriptor for its child, there before the child runs. ``errno`` is not 0 where that failed."""

    def __init__(self, maker: "Task", address: int) -> None:
        """Errors: EFAULT, EMFILE."""
        maker.fds.check_room()
        maker.memory.write(address, maker.memory.read(address, 4))
        self.errno = 0
        self._maker = maker
        self._address = address

    def born(self, child: "Task") -> None:
        """See ``OnBirth``."""
        maker = self._maker
        number = _NO_NUMBER
        try:
            number = maker.fds.install(PidFile(maker.kernel, child.group, 0), cloexec=True)
            maker.memory.write_u32(self._address, number)
        except SyscallError as error:  # a sibling took the last number, or the memory away, meanwhile
            self.errno = error.errno
            if number != _NO_NUMBER:
                maker.fds.close(number)
            child.context.send_signal(SIGKILL)
