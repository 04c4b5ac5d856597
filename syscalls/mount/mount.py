"""mount(2) for guests with CAP_SYS_ADMIN: new file systems, bind mounts, flag changes. Mounts do not propagate."""

from typing import Final

from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.mount import MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME, Mount
from sentry.vfs.namespace import resolve
from sentry.vfs.permission import CAP_SYS_ADMIN
from syscalls.abi.errno import EINVAL, ENODEV, ENOTDIR, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.mount import (
    MS_BIND,
    MS_MOVE,
    MS_PRIVATE,
    MS_REC,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_STRICTATIME,
    MS_UNBINDABLE,
)
from syscalls.abi.stat import S_IFDIR, S_IFMT
from syscalls.args import PathPtr, ULong, UserPtr
from syscalls.registry import Support, syscall

_OPTIONS_MAX: Final = 4096
_KEPT: Final = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME
_PROPAGATION: Final = MS_PRIVATE | MS_SHARED | MS_SLAVE | MS_UNBINDABLE


@syscall(
    man="mount(2)",
    support=Support.PARTIAL,
    note="types that the sentry itself serves, MS_BIND and MS_REMOUNT; no MS_MOVE; propagation is accepted and always private",
)
async def sys_mount(
    task: Task, source: PathPtr, target: PathPtr, filesystemtype: UserPtr, mountflags: ULong, data: UserPtr
) -> int:
    """Mount, bind or remount. Errors: EPERM, ENODEV (type), EINVAL, ENOTDIR, as path_resolution(7)."""
    memory = task.memory
    kind = _text(task, filesystemtype)
    origin = memory.read_path(source) if source else b"none"
    where = memory.read_path(target)
    options = _text(task, data)
    place = await resolve(task, AT_FDCWD, where)
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
    flags = mountflags & ~0xFFFF0000 if mountflags & 0xFFFF0000 == 0xC0ED0000 else mountflags
    if flags & MS_REMOUNT:
        _remount(place, flags)
    elif flags & MS_BIND:
        await _bind(task, origin, place, recursive=bool(flags & MS_REC))
    elif flags & _PROPAGATION:
        if flags & MS_SHARED:
            raise SyscallError(EINVAL)
    elif flags & MS_MOVE:
        raise SyscallError(EINVAL)
    else:
        _mount_new(task, kind, origin, place, options, flags)
    return 0


def _text(task: Task, address: int) -> bytes:
    if not address:
        return b""
    text = task.memory.guest.read_string(address, _OPTIONS_MAX)
    if text is None:
        raise SyscallError(EINVAL)
    return text


def _mount_new(task: Task, kind: bytes, source: bytes, place: Path, options: bytes, flags: int) -> None:
    make = task.kernel.mounts.file_system_types.get(kind)
    if make is None:
        raise SyscallError(ENODEV)
    if place.inode.attr.mode & S_IFMT != S_IFDIR:
        raise SyscallError(ENOTDIR)
    mount = task.kernel.mounts.mount(make(source, options), _mount_flags(flags), source)
    task.mounts.attach(mount, place)


async def _bind(task: Task, source: bytes, place: Path, *, recursive: bool) -> None:
    origin = await resolve(task, AT_FDCWD, source)
    if (origin.inode.attr.mode & S_IFMT == S_IFDIR) != (place.inode.attr.mode & S_IFMT == S_IFDIR):
        raise SyscallError(ENOTDIR)
    table = task.kernel.mounts
    twin = table.clone(origin.mount, root=origin.dentry)
    inner = [mount for mount in task.mounts.mounts() if recursive and _is_below(mount, origin)]
    task.mounts.attach(twin, place)
    twins: dict[Mount, Mount] = {origin.mount: twin}
    for mount in inner:
        assert mount.parent is not None
        assert mount.mountpoint is not None
        twins[mount] = table.clone(mount)
        if mount.parent in twins:
            task.mounts.attach(twins[mount], Path(twins[mount.parent], mount.mountpoint))


def _is_below(mount: Mount, origin: Path) -> bool:
    """Whether ``mount`` is attached within the subtree at ``origin``."""
    while mount.parent is not None and mount.mountpoint is not None:
        if mount.parent is origin.mount:
            return mount.mountpoint.is_below(origin.dentry)
        mount = mount.parent
    return False


def _remount(place: Path, flags: int) -> None:
    """The flags of the mount (a whole file system's are not kept apart). Errors: EINVAL off a mount's root."""
    if place.dentry is not place.mount.root:
        raise SyscallError(EINVAL)
    place.mount.set_flags(_mount_flags(flags))


def _mount_flags(flags: int) -> int:
    kept = flags & _KEPT
    if not flags & (MS_NOATIME | MS_STRICTATIME):
        kept |= MS_RELATIME
    return kept
