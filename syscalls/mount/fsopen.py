"""fsopen(2), fsconfig(2), fsmount(2), fspick(2): a file system is set up step by step."""

from typing import Annotated, Final

from sentry.fs.anon import AnonFile, anon_inode
from sentry.fs.mount_types import check_option, check_type, make_file_system
from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.file import O_PATH
from sentry.vfs.fs_context import DetachedFile, FsParameters
from sentry.vfs.lookup import resolve_empty
from sentry.vfs.mount import MountNamespace
from sentry.vfs.namespace import resolve
from syscalls.abi.errno import EBUSY, EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.mount import (
    FSCONFIG_CMD_CREATE,
    FSCONFIG_CMD_CREATE_EXCL,
    FSCONFIG_CMD_RECONFIGURE,
    FSCONFIG_SET_BINARY,
    FSCONFIG_SET_FD,
    FSCONFIG_SET_FLAG,
    FSCONFIG_SET_PATH,
    FSCONFIG_SET_PATH_EMPTY,
    FSCONFIG_SET_STRING,
    FSMOUNT_CLOEXEC,
    FSOPEN_CLOEXEC,
    FSPICK_CLOEXEC,
    FSPICK_EMPTY_PATH,
    FSPICK_NO_AUTOMOUNT,
    FSPICK_SYMLINK_NOFOLLOW,
    MOUNT_ATTR_IDMAP,
)
from syscalls.args import Fd, Flags, Int, PathPtr, UInt, UserPtr
from syscalls.mount.mount_setattr import flags_of_attr
from syscalls.mount.propagation import check_may_mount
from syscalls.registry import Support, syscall

_TEXT_MAX: Final = 256
_OPTION_MAX: Final = 65_536
_FSPICK = FSPICK_CLOEXEC | FSPICK_EMPTY_PATH | FSPICK_NO_AUTOMOUNT | FSPICK_SYMLINK_NOFOLLOW
_UNSUPPORTED = (FSCONFIG_SET_BINARY, FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY, FSCONFIG_SET_FD)


class ContextFile(AnonFile):
    """A descriptor of fsopen(2) or fspick(2)."""

    __slots__ = ("parameters",)

    def __init__(self, task: Task, parameters: FsParameters) -> None:
        super().__init__(anon_inode(task.kernel, b"fscontext"), O_RDWR)
        self.parameters = parameters


@syscall(man="fsopen(2)")
def sys_fsopen(task: Task, fs_name: UserPtr, flags: UInt) -> int:
    """Begin to set up a file system. Errors: EPERM, EINVAL, EFAULT, ENODEV, EMFILE."""
    check_may_mount(task)
    if flags & ~FSOPEN_CLOEXEC:
        raise SyscallError(EINVAL)
    kind = _text(task, fs_name)
    check_type(kind)
    return task.fds.install(ContextFile(task, FsParameters(kind)), cloexec=bool(flags & FSOPEN_CLOEXEC))


@syscall(man="fspick(2)")
async def sys_fspick(task: Task, dfd: Fd, path: PathPtr, flags: Annotated[int, Flags("FSPICK", _FSPICK)]) -> int:
    """Begin to change the file system at a mount's root. Errors: EPERM, EINVAL, as path_resolution(7)."""
    check_may_mount(task)
    text = task.memory.read_path(path)
    if flags & FSPICK_EMPTY_PATH and not text:
        place = resolve_empty(task, dfd)
    else:
        place = task.mounts.top(await resolve(task, dfd, text, follow=not flags & FSPICK_SYMLINK_NOFOLLOW))
    if place.dentry is not place.mount.root:
        raise SyscallError(EINVAL)
    parameters = FsParameters(place.mount.fs.name, place.mount)
    return task.fds.install(ContextFile(task, parameters), cloexec=bool(flags & FSPICK_CLOEXEC))


@syscall(
    man="fsconfig(2)",
    support=Support.PARTIAL,
    note="options with a path, a descriptor or binary data are EOPNOTSUPP, no type here has any; a reconfiguration takes none",
)
async def sys_fsconfig(task: Task, fd: Fd, cmd: UInt, key: UserPtr, value: UserPtr, aux: Int) -> int:
    """Set an option or carry out. Errors: EBADF, EINVAL, EFAULT, EBUSY, EOPNOTSUPP, EPERM."""
    if cmd > FSCONFIG_CMD_CREATE_EXCL:
        raise SyscallError(EOPNOTSUPP)
    _check_arguments(cmd, key, value, aux)
    parameters = _context(task, fd).parameters
    if cmd in _UNSUPPORTED:
        raise SyscallError(EOPNOTSUPP)
    if cmd in (FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING):
        name = _text(task, key)
        _set(parameters, name, _text(task, value) if cmd == FSCONFIG_SET_STRING else b"")
    elif cmd == FSCONFIG_CMD_RECONFIGURE:
        if parameters.mount is None:
            raise SyscallError(EBUSY)
    else:
        check_may_mount(task)
        if parameters.mount is not None or parameters.made is not None:
            raise SyscallError(EBUSY)
        parameters.made = await make_file_system(task, parameters.kind, parameters.options)
    return 0


def _check_arguments(cmd: int, key: int, value: int, aux: int) -> None:
    """Linux: fs/fsopen.c, SYSCALL_DEFINE5(fsconfig). Errors: EINVAL."""
    if cmd == FSCONFIG_SET_FLAG:
        is_good = bool(key) and not value and not aux
    elif cmd == FSCONFIG_SET_STRING:
        is_good = bool(key) and bool(value) and not aux
    elif cmd in (FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE_EXCL, FSCONFIG_CMD_RECONFIGURE):
        is_good = not key and not value and not aux
    else:
        is_good = bool(key)
    if not is_good:
        raise SyscallError(EINVAL)


def _set(parameters: FsParameters, name: bytes, value: bytes) -> None:
    if parameters.made is not None:
        raise SyscallError(EBUSY)
    if name == b"source":
        parameters.source = value
    elif name not in (b"ro", b"rw"):
        if parameters.mount is not None:
            raise SyscallError(EINVAL)
        check_option(parameters.kind, name)
        if name.endswith(b"+"):  # each value is one more
            value = parameters.options.get(name, b"") + b"\0" + value
            if len(value) > _OPTION_MAX:
                raise SyscallError(EINVAL)
        parameters.options[name] = value


@syscall(man="fsmount(2)")
def sys_fsmount(task: Task, fs_fd: Fd, flags: UInt, attr_flags: UInt) -> int:
    """Return a descriptor of a new mount of what fsconfig(2) has made. Errors: EPERM, EINVAL, EBADF, EBUSY, ENOSPC."""
    check_may_mount(task)
    if flags & ~FSMOUNT_CLOEXEC or attr_flags & MOUNT_ATTR_IDMAP:
        raise SyscallError(EINVAL)
    wanted = flags_of_attr(attr_flags)
    parameters = _context(task, fs_fd).parameters
    if parameters.made is None and parameters.mount is None:
        raise SyscallError(EINVAL)
    if parameters.made is None or parameters.is_mounted:
        raise SyscallError(EBUSY)
    parameters.is_mounted = True
    table = task.kernel.mounts
    mount = table.mount(parameters.made, wanted, parameters.source)
    tree = MountNamespace(table, mount, is_detached=True)
    place = Path(mount, mount.root)
    return task.fds.install(DetachedFile(place.inode, O_PATH, place, tree), cloexec=bool(flags & FSMOUNT_CLOEXEC))


def _context(task: Task, fd: int) -> ContextFile:
    file = task.fds.get(fd)
    if not isinstance(file, ContextFile):
        raise SyscallError(EINVAL)
    return file


def _text(task: Task, address: int) -> bytes:
    text = task.memory.guest.read_string(address, _TEXT_MAX)
    if text is None:
        raise SyscallError(EINVAL)
    return text
