"""/proc/PID and /proc/PID/task/TID: directories that exist as long as their process or thread (proc_pid(5))."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sentry.fs.proc.pid.target import Target
from sentry.fs.synthetic.generated import GeneratedFile
from sentry.fs.synthetic.node import DynamicDirectory, SyntheticInode
from sentry.vfs.stat import Attr
from syscalls.abi.errno import ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFDIR, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.vfs.inode import Inode

#: a directory with this mode belongs to the process's user even if it is not dumpable
_OPEN_DIRECTORY: Final = S_IFDIR | 0o555
_OWN_DIRECTORY: Final = S_IFDIR | 0o500


@dataclass(frozen=True, slots=True)
class PidFile:
    """A file: ``text(viewer, target)``; ``is_private`` ones need the right to inspect the process (ptrace(2))."""

    text: Callable[["Task", Target], bytes] | None
    mode: int = 0o444
    command: Callable[["Task", Target, bytes], None] | None = None
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class PidNode:
    """Anything else: ``make(fs, target, attr)``."""

    make: Callable[["SyntheticFileSystem", Target, Attr], SyntheticInode]
    mode: int


Plan = Mapping[bytes, PidFile | PidNode]


def refresh_owner(attr: Attr, target: Target) -> None:
    """Files belong to the effective user; to root while the process is not dumpable (proc(5)). Its own lists of descriptors and
    mappings stay open to it (Linux: proc_fd_permission()); they check themselves who else may look."""
    creds = target.task.credentials
    if target.group.is_dumpable or attr.mode in (_OPEN_DIRECTORY, _OWN_DIRECTORY):
        attr.uid, attr.gid = creds.euid, creds.egid
    else:
        attr.uid = attr.gid = 0


class PidDirectory(DynamicDirectory):
    """A directory about ``target`` whose entries are listed in ``plan``; entries are made when they are asked for."""

    __slots__ = ("_key", "plan", "target")

    def __init__(self, fs: "SyntheticFileSystem", target: Target, attr: Attr, plan: Plan) -> None:
        super().__init__(fs, attr)
        self.target = target
        self.plan = plan
        self._key = attr.ino

    def names(self) -> list[bytes]:
        """All names of the plan."""
        return list(self.plan) if self.target.exists else []

    def find(self, name: bytes) -> "Inode | None":
        """The entry, None once the process is gone."""
        wish = self.plan.get(name)
        if wish is None or not self.target.exists:
            return None
        inode = self.fs.intern((self._key, name), lambda: self._make(name, wish))
        refresh_owner(inode.attr, self.target)
        return inode

    def _make(self, name: bytes, wish: PidFile | PidNode) -> SyntheticInode:
        fs, target = self.fs, self.target
        kind = 0 if wish.mode & S_IFMT else S_IFREG
        attr = fs.new_attr(kind | wish.mode, nlink=2 if wish.mode & S_IFMT == S_IFDIR else 1, ino=fs.ino_of((self._key, name)))
        if isinstance(wish, PidNode):
            return wish.make(fs, target, attr)
        return GeneratedFile(fs, _text_of(wish, target), _command_of(wish, target), attr=attr)


def process_of(inode: "Inode") -> "ThreadGroup | None":
    """The process whose directory /proc/PID this is, as pidfd_send_signal(2) takes it."""
    if not isinstance(inode, PidDirectory) or inode.target.is_thread or b"task" not in inode.plan:
        return None
    return inode.target.group


def _text_of(wish: PidFile, target: Target) -> "Callable[[Task], bytes] | None":
    text = wish.text
    if text is None:
        return None

    def read(viewer: "Task") -> bytes:
        if wish.is_private:
            target.check_inspect(viewer)
        if not target.exists:
            raise SyscallError(ESRCH)
        return text(viewer, target)

    return read


def _command_of(wish: PidFile, target: Target) -> "Callable[[Task, bytes], None] | None":
    command = wish.command
    if command is None:
        return None

    def write(viewer: "Task", data: bytes) -> None:
        target.check_exists()
        command(viewer, target, data)

    return write
