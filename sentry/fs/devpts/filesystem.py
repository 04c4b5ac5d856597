"""devpts: the names of pseudo-terminals, /dev/pts/N, and of the multiplexer that makes them (pts(4)).

Each mount is an instance of its own. /dev/ptmx (5:2) makes terminals in the instance mounted on `pts` beside it
(Linux: Documentation/filesystems/devpts.rst).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sentry.fs.devpts.master import MasterFile
from sentry.fs.synthetic.filesystem import SyntheticFileSystem
from sentry.fs.synthetic.node import DynamicDirectory, SyntheticInode
from sentry.fs.tty.terminal import PTS_MAJOR, Terminal
from sentry.vfs.context import Path
from sentry.vfs.mount import MS_NODEV, make_dev
from sentry.vfs.stat import Attr, SetAttr
from syscalls.abi.errno import EACCES, ENODEV, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFCHR, S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.fs.tty.slave import SlaveFile
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode
    from sentry.vfs.mount import Mount, MountNamespace

DEVPTS_SUPER_MAGIC: Final = 0x1CD1
TERMINALS_MAX: Final = 1024
TTY_GID: Final = 5
_PTMX: Final = (5, 2)


def terminals_of(task: "Task") -> int:
    """How many terminals boot's instance has."""
    served = task.kernel.mounts.terminals
    return len(served.inodes) if isinstance(served, DevPtsFileSystem) else 0


class PtsInode(SyntheticInode):
    """A device node whose mode and owner can be changed (mesg(1), login(1))."""

    __slots__ = ()

    async def setattr(self, change: SetAttr) -> None:
        """chmod, chown, utimensat."""
        attr = self.attr
        if change.mode is not None:
            attr.mode = attr.mode & S_IFMT | change.mode & 0o7777
        for field in ("uid", "gid", "atime_ns", "mtime_ns"):
            value = getattr(change, field)
            if value is not None:
                setattr(attr, field, value)
        attr.ctime_ns = self.fs.kernel.realtime_ns()


class TerminalInode(PtsInode):
    """/dev/pts/N: owned by who opened the master."""

    __slots__ = ("terminal",)

    def __init__(self, fs: "DevPtsFileSystem", attr: Attr, terminal: Terminal) -> None:
        super().__init__(fs, attr)
        self.terminal = terminal

    async def open(self, context: "OpenContext") -> "FileDescription":
        """Open the terminal. Errors: EACCES (nodev), EIO locked or hung up."""
        if context.path.mount.flags & MS_NODEV:
            raise SyscallError(EACCES)
        return self.terminal.open_slave(self, context.flags, context.task)


class PtsRoot(DynamicDirectory):
    """/dev/pts."""

    __slots__ = ()

    fs: "DevPtsFileSystem"

    def names(self) -> list[bytes]:
        """The numbers in use."""
        return [b"%d" % number for number in sorted(self.fs.inodes)]

    def find(self, name: bytes) -> "Inode | None":
        """The terminal of that number."""
        if not name.isdigit() or (name[:1] == b"0" and len(name) > 1):
            return None
        return self.fs.inodes.get(int(name))


@dataclass(frozen=True, slots=True)
class PtsOptions:
    """Mount options; None: the opener's own id."""

    mode: int = 0o600
    ptmxmode: int = 0
    uid: int | None = None
    gid: int | None = None
    max: int = TERMINALS_MAX

    def text(self) -> bytes:
        """The column of /proc/mounts."""
        words = [b"%s=%d" % (name, value) for name, value in ((b"uid", self.uid), (b"gid", self.gid)) if value is not None]
        words += [b"mode=%03o" % self.mode, b"ptmxmode=%03o" % self.ptmxmode]
        return b",".join(words + [b"max=%d" % self.max] * (self.max < TERMINALS_MAX))


#: as docker mounts it
BOOT_OPTIONS: Final = PtsOptions(mode=0o620, ptmxmode=0o666, gid=TTY_GID)


class DevPtsFileSystem(SyntheticFileSystem):
    """One instance."""

    name = b"devpts"
    magic = DEVPTS_SUPER_MAGIC

    def __init__(self, kernel: "Kernel", options: PtsOptions = BOOT_OPTIONS) -> None:
        super().__init__(kernel)
        self.options = options
        self.inodes: dict[int, TerminalInode] = {}
        self.root = root = PtsRoot(self, self.new_attr(S_IFDIR | 0o755, nlink=2))
        attr = self.new_attr(S_IFCHR | options.ptmxmode, uid=options.uid or 0, gid=options.gid or 0)
        attr.rdev = make_dev(*_PTMX)
        root.add(b"ptmx", PtsInode(self, attr))

    def serve(self) -> "DevPtsFileSystem":
        """Boot's instance: it is the kernel's ``mounts.terminals``, and /dev/ptmx is there from now on."""
        self.kernel.mounts.devices.register(S_IFCHR, *_PTMX, _open_multiplexer)
        self.kernel.mounts.terminals = self
        return self

    def mount_options(self) -> bytes:
        """As devpts shows them."""
        return self.options.text()

    def new_terminal(self, kernel: "Kernel", uid: int, gid: int = TTY_GID) -> Terminal:
        """A terminal with the lowest free number. Errors: ENOSPC."""
        options = self.options
        number = next((number for number in range(options.max) if number not in self.inodes), None)
        if number is None:
            raise SyscallError(ENOSPC)
        terminal = Terminal(kernel, number)
        uid, gid = options.uid if options.uid is not None else uid, options.gid if options.gid is not None else gid
        attr = self.new_attr(S_IFCHR | options.mode, uid=uid, gid=gid)
        attr.rdev = make_dev(PTS_MAJOR, number)
        self.inodes[number] = TerminalInode(self, attr, terminal)
        return terminal

    def remove(self, terminal: Terminal) -> None:
        """Its master is closed: the name is gone."""
        inode = self.inodes.get(terminal.number)
        if inode is not None and inode.terminal is terminal:
            del self.inodes[terminal.number]

    def open_master(self, inode: "Inode", context: "OpenContext") -> MasterFile:
        """A new pair, locked as unlockpt(3) expects. Errors: ENOSPC."""
        task = context.task
        terminal = self.new_terminal(task.kernel, task.credentials.fsuid, task.credentials.fsgid)
        terminal.is_locked = True
        file = MasterFile(inode, context.flags, terminal, self)
        terminal.far = file
        return file

    def open_terminal(self, terminal: Terminal, flags: int, task: "Task | None", mount: "Mount | None") -> "SlaveFile":
        """Open ``terminal`` without a path walk; ``mount`` gives the file its name. Errors: EIO."""
        inode = self.inodes[terminal.number]
        is_locked, terminal.is_locked = terminal.is_locked, False  # the caller has the master already
        try:
            file = terminal.open_slave(inode, flags, task)
        finally:
            terminal.is_locked = is_locked
        if mount is not None and mount.fs is self and self.root_dentry is not None:
            cache = self.kernel.mounts.cache
            file.path = Path(mount, cache.add(self.root_dentry, b"%d" % terminal.number, inode))
        return file

    def mount_in(self, namespace: "MountNamespace") -> "Mount | None":
        """Where ``namespace`` has this instance."""
        return next((mount for mount in namespace.mounts() if mount.fs is self), None)


def _open_multiplexer(inode: "Inode", context: "OpenContext") -> MasterFile:
    """Driver of 5:2: of the instance that it stands in, or that is mounted on `pts` beside it. Errors: ENODEV, ENOSPC."""
    if isinstance(inode.fs, DevPtsFileSystem):
        return inode.fs.open_master(inode, context)
    path = context.path
    mount = path.mount
    if path.dentry is mount.root and mount.parent is not None and mount.mountpoint is not None:  # bound over another name
        path = Path(mount.parent, mount.mountpoint)
    beside = path.dentry.parent.children.get(b"pts")
    if beside is not None and beside.inode is not None:
        place = context.task.mounts.top(Path(path.mount, beside))
        if isinstance(place.mount.fs, DevPtsFileSystem) and place.dentry is place.mount.root:
            return place.mount.fs.open_master(inode, context)
    raise SyscallError(ENODEV)
