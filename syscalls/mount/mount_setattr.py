"""mount_setattr(2), and the attributes that fsmount(2) takes as well."""

from struct import Struct
from typing import Final

from sentry.kernel.task import Task
from sentry.vfs.lookup import resolve_empty
from sentry.vfs.mount import MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_RELATIME
from sentry.vfs.namespace import resolve
from syscalls.abi.errno import E2BIG, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW
from syscalls.abi.mount import (
    MOUNT_ATTR__ATIME,
    MOUNT_ATTR_NOATIME,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NODIRATIME,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW,
    MOUNT_ATTR_RDONLY,
    MOUNT_ATTR_STRICTATIME,
)
from syscalls.args import Fd, PathPtr, Size, UInt, UserPtr
from syscalls.mount.propagation import PROPAGATION, check_may_mount, set_propagation
from syscalls.registry import Support, syscall

#: struct mount_attr: attr_set, attr_clr, propagation, userns_fd
_MOUNT_ATTR: Final = Struct("<4Q")
_SIZE_MAX: Final = 4096
_FLAGS: Final = AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT
_BITS: Final = (
    (MOUNT_ATTR_RDONLY, MS_RDONLY),
    (MOUNT_ATTR_NOSUID, MS_NOSUID),
    (MOUNT_ATTR_NODEV, MS_NODEV),
    (MOUNT_ATTR_NOEXEC, MS_NOEXEC),
    (MOUNT_ATTR_NODIRATIME, MS_NODIRATIME),
    (MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW),
)
_KNOWN: Final = sum(attr for attr, _ in _BITS) | MOUNT_ATTR__ATIME
_ATIME_FLAGS: Final = MS_NOATIME | MS_RELATIME


def flags_of_attr(attr: int) -> int:
    """MOUNT_ATTR_ as MS_ flags. Errors: EINVAL unknown ones, or two kinds of access times."""
    atime = attr & MOUNT_ATTR__ATIME
    if attr & ~_KNOWN or atime not in (0, MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME):
        raise SyscallError(EINVAL)
    flags = sum(flag for bit, flag in _BITS if attr & bit)
    if atime == MOUNT_ATTR_NOATIME:
        return flags | MS_NOATIME
    return flags | (0 if atime else MS_RELATIME)


def attr_of_flags(flags: int) -> int:
    """The other way round."""
    attr = sum(bit for bit, flag in _BITS if flags & flag)
    if flags & MS_NOATIME:
        return attr | MOUNT_ATTR_NOATIME
    return attr | (0 if flags & MS_RELATIME else MOUNT_ATTR_STRICTATIME)


@syscall(man="mount_setattr(2)", support=Support.PARTIAL, note="MOUNT_ATTR_IDMAP is EINVAL")
async def sys_mount_setattr(task: Task, dfd: Fd, path: PathPtr, flags: UInt, uattr: UserPtr, usize: Size) -> int:
    """Change attributes and propagation of a mount or a tree. Errors: EINVAL, E2BIG, EFAULT, EPERM."""
    if flags & ~_FLAGS or usize < _MOUNT_ATTR.size:
        raise SyscallError(EINVAL)
    if usize > _SIZE_MAX:
        raise SyscallError(E2BIG)
    check_may_mount(task)
    raw = task.memory.read(uattr, usize)
    if any(raw[_MOUNT_ATTR.size :]):
        raise SyscallError(E2BIG)
    added, cleared, propagation, _ = _MOUNT_ATTR.unpack_from(raw)
    if not added and not cleared and not propagation:
        return 0
    _check(added, cleared, propagation)
    text = task.memory.read_path(path)
    if flags & AT_EMPTY_PATH and not text:
        place = resolve_empty(task, dfd)
    else:
        place = task.mounts.top(await resolve(task, dfd, text, follow=not flags & AT_SYMLINK_NOFOLLOW))
    mount, tree = place.mount, place.mount.namespace
    if place.dentry is not mount.root or tree is None or not (tree is task.mounts or tree.is_detached):
        raise SyscallError(EINVAL)
    mounts = tree.subtree(mount) if flags & AT_RECURSIVE else [mount]
    for one in mounts:
        one.set_flags(_changed(one.flags, added, cleared))
    if propagation:
        set_propagation(task, mounts, propagation)
    return 0


def _check(added: int, cleared: int, propagation: int) -> None:
    """Linux: fs/namespace.c, build_mount_kattr(). Errors: EINVAL."""
    if (added | cleared) & ~_KNOWN or propagation & ~PROPAGATION or propagation & (propagation - 1):
        raise SyscallError(EINVAL)
    if cleared & MOUNT_ATTR__ATIME:
        if cleared & MOUNT_ATTR__ATIME != MOUNT_ATTR__ATIME:
            raise SyscallError(EINVAL)
    elif added & MOUNT_ATTR__ATIME:
        raise SyscallError(EINVAL)
    flags_of_attr(added)


def _changed(flags: int, added: int, cleared: int) -> int:
    for bit, flag in _BITS:
        if cleared & bit:
            flags &= ~flag
        if added & bit:
            flags |= flag
    if cleared & MOUNT_ATTR__ATIME:
        flags = flags & ~_ATIME_FLAGS | flags_of_attr(added & MOUNT_ATTR__ATIME)
    return flags
