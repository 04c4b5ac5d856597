"""mount(2) for guests with CAP_SYS_ADMIN: new file systems, bind mounts, moves, flags and propagation."""

from typing import Final

from sentry.fs.mount_types import make_file_system, parse_options
from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.namespace import resolve
from syscalls.abi.errno import EINVAL, ENODEV, ENOTDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.mount import (
    MS_BIND,
    MS_MOVE,
    MS_NOATIME,
    MS_NODIRATIME,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SILENT,
    MS_STRICTATIME,
)
from syscalls.abi.stat import S_IFDIR, S_IFMT
from syscalls.args import PathPtr, ULong, UserPtr
from syscalls.mount.propagation import PROPAGATION, check_may_mount, mount_flags, set_propagation
from syscalls.registry import Support, syscall

_OPTIONS_MAX: Final = 4096
_ATIME_KEPT: Final = MS_NOATIME | MS_NODIRATIME | MS_RELATIME
_ATIME_WISHES: Final = _ATIME_KEPT | MS_STRICTATIME
_MAGIC, _MAGIC_MASK = 0xC0ED0000, 0xFFFF0000


@syscall(
    man="mount(2)",
    support=Support.PARTIAL,
    note="tmpfs, ramfs, overlay, devpts, proc, sysfs, cgroup2, mqueue; others ENODEV; MS_REMOUNT changes the mount's flags only",
)
async def sys_mount(
    task: Task, source: PathPtr, target: PathPtr, filesystemtype: UserPtr, mountflags: ULong, data: UserPtr
) -> int:
    """Mount, bind, move, remount or set propagation. Errors: EPERM, ENODEV (type), EINVAL, ENOTDIR, ELOOP, ENOSPC."""
    memory = task.memory
    kind = _text(task, filesystemtype)
    origin = memory.read_path(source) if source else b""
    where = memory.read_path(target)
    options = _text(task, data)
    place = task.mounts.top(await resolve(task, AT_FDCWD, where))
    check_may_mount(task)
    flags = mountflags & ~_MAGIC_MASK if mountflags & _MAGIC_MASK == _MAGIC else mountflags
    if flags & MS_REMOUNT:
        _remount(task, place, flags)
    elif flags & MS_BIND:
        await _bind(task, origin, place, recursive=bool(flags & MS_REC))
    elif flags & PROPAGATION:
        _propagation(task, place, flags)
    elif flags & MS_MOVE:
        await _move(task, origin, place)
    else:
        await _mount_new(task, kind, origin, place, options, flags)
    return 0


def _text(task: Task, address: int) -> bytes:
    if not address:
        return b""
    text = task.memory.guest.read_string(address, _OPTIONS_MAX)
    if text is None:
        raise SyscallError(EINVAL)
    return text


def _check_root(task: Task, place: Path) -> None:
    """Errors: EINVAL for what is not the root of a mount in the caller's tree."""
    if place.dentry is not place.mount.root or not task.mounts.holds(place.mount):
        raise SyscallError(EINVAL)


async def _mount_new(task: Task, kind: bytes, source: bytes, place: Path, options: bytes, flags: int) -> None:
    if not kind:
        raise SyscallError(EINVAL)
    parsed = parse_options(kind, options)
    check_place(task, place, is_directory=True)
    fs = await make_file_system(task, kind, parsed)
    mount = task.kernel.mounts.mount(fs, mount_flags(flags), source or b"none")
    attach(task, mount, place)


def attach(task: Task, mount: object, place: Path) -> None:
    """Put a new mount in its place, or drop it again. Errors: ENOSPC."""
    try:
        task.mounts.attach(mount, place)  # type: ignore[arg-type]
    except SyscallError:
        task.kernel.mounts.drop(mount)  # type: ignore[arg-type]
        raise


def check_place(task: Task, place: Path, *, is_directory: bool) -> None:
    """Errors: ENOTDIR (or the other way round), EINVAL not in the caller's tree, ENODEV nothing there."""
    if (place.inode.attr.mode & S_IFMT == S_IFDIR) != is_directory:
        raise SyscallError(ENOTDIR)
    if not task.mounts.holds(place.mount):
        raise SyscallError(EINVAL)
    if place.dentry.is_deleted:
        raise SyscallError(ENODEV)


def check_kind(origin: Path, place: Path) -> None:
    """A directory moves onto a directory (Linux: do_move_mount(), not the errno of other mounts). Errors: EINVAL."""
    if (origin.inode.attr.mode & S_IFMT == S_IFDIR) != (place.inode.attr.mode & S_IFMT == S_IFDIR):
        raise SyscallError(EINVAL)


async def _bind(task: Task, source: bytes, place: Path, *, recursive: bool) -> None:
    if not source:
        raise SyscallError(EINVAL)
    origin = await resolve(task, AT_FDCWD, source)
    if origin.mount.is_unbindable or not task.mounts.holds(origin.mount):
        raise SyscallError(EINVAL)
    check_place(task, place, is_directory=origin.inode.attr.mode & S_IFMT == S_IFDIR)
    attach(task, task.mounts.copy_tree(origin.mount, recursive=recursive, root=origin.dentry), place)


async def _move(task: Task, source: bytes, place: Path) -> None:
    if not source:
        raise SyscallError(EINVAL)
    origin = task.mounts.top(await resolve(task, AT_FDCWD, source))
    _check_root(task, origin)
    check_kind(origin, place)
    check_place(task, place, is_directory=origin.inode.attr.mode & S_IFMT == S_IFDIR)
    task.mounts.move(origin.mount, place)


def _propagation(task: Task, place: Path, flags: int) -> None:
    kind = flags & PROPAGATION
    if flags & ~(PROPAGATION | MS_REC | MS_SILENT):
        raise SyscallError(EINVAL)
    _check_root(task, place)
    set_propagation(task, task.mounts.subtree(place.mount) if flags & MS_REC else [place.mount], kind)


def _remount(task: Task, place: Path, flags: int) -> None:
    """The flags of the mount (a whole file system's are not kept apart). Errors: EINVAL off a mount's root."""
    _check_root(task, place)
    wanted = mount_flags(flags)
    if not flags & _ATIME_WISHES:  # nothing said: the kind of access times stays
        wanted = wanted & ~_ATIME_KEPT | place.mount.flags & _ATIME_KEPT
    place.mount.set_flags(wanted)
