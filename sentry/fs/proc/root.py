"""The top of /proc: fixed files, then one directory for each process."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc.pid.directory import PidDirectory
from sentry.fs.proc.pid.plan import PROCESS
from sentry.fs.proc.pid.target import Target
from sentry.fs.synthetic.node import DynamicDirectory
from syscalls.abi.errno import ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFDIR

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.vfs.inode import Inode

_NUMBER_DIGITS_MAX: Final = 10


class ProcRoot(DynamicDirectory):
    """/proc."""

    __slots__ = ()

    def names(self) -> list[bytes]:
        """The processes of the reader's container in order of their numbers."""
        viewer = self.fs.viewer
        return [] if viewer is None else [b"%d" % pid for pid in sorted(group.tgid for group in viewer.kernel.tasks.processes())]

    def find(self, name: bytes) -> "Inode | None":
        """A process, or, not listed, any thread by its own number, which shows its process."""
        viewer = self.fs.viewer
        if viewer is None or not name.isdigit() or len(name) > _NUMBER_DIGITS_MAX or name[:1] == b"0":
            return None
        number = int(name)
        tasks = viewer.kernel.tasks
        group = tasks.find_group(number)
        if group is None:
            task = tasks.tasks.get(number)
            if task is None:
                return None
            return self._directory(task.group, task)
        return self._directory(group, None)

    def _directory(self, group: "ThreadGroup", thread: "Task | None") -> PidDirectory:
        fs = self.fs
        owner = thread or group

        def make() -> PidDirectory:
            attr = fs.new_attr(S_IFDIR | 0o555, nlink=9, ino=fs.ino_of(owner))
            return PidDirectory(fs, Target(group, thread), attr, PROCESS)

        inode = fs.intern(owner, make)
        creds = inode.target.task.credentials
        inode.attr.uid, inode.attr.gid = creds.euid, creds.egid
        return inode


def self_text(viewer: "Task | None") -> bytes:
    """/proc/self. Errors: ENOENT for the sentry's own work."""
    if viewer is None:
        raise SyscallError(ENOENT)
    return b"%d" % viewer.group.tgid


def thread_self_text(viewer: "Task | None") -> bytes:
    """/proc/thread-self. Errors: ENOENT."""
    if viewer is None:
        raise SyscallError(ENOENT)
    return b"%d/task/%d" % (viewer.group.tgid, viewer.tid)
