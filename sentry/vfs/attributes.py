"""Calls that read and change attributes: access, chmod, chown, utimensat, truncate, statfs, readlink, xattr(7)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sentry.vfs import watch
from sentry.vfs.context import Path
from sentry.vfs.lease import break_leases
from sentry.vfs.lookup import resolve, try_resolve
from sentry.vfs.opening import check_not_executed
from sentry.vfs.permission import (
    CAP_FSETID,
    MAY_WRITE,
    check_chown,
    check_owner,
    check_permission,
    chmod_mode,
    is_owner_or_capable,
    may,
    without_set_ids,
)
from sentry.vfs.stat import Attr, SetAttr, StatFs
from syscalls.abi.errno import (
    EACCES,
    EINVAL,
    EISDIR,
    ENOENT,
    EOPNOTSUPP,
    EROFS,
)
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.inotify import IN_ACCESS, IN_ATTRIB, IN_MODIFY
from syscalls.abi.mount import MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RELATIME
from syscalls.abi.stat import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    ST_NOATIME,
    ST_NODEV,
    ST_NODIRATIME,
    ST_NOEXEC,
    ST_NOSUID,
    ST_NOSYMFOLLOW,
    ST_RELATIME,
    ST_VALID,
)

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.kernel.task import Task
    from sentry.vfs.inode import Inode

_TIME_MAX: Final = (1 << 63) - 1
_STATFS_FLAGS: Final = (
    (MS_NOSUID, ST_NOSUID),
    (MS_NODEV, ST_NODEV),
    (MS_NOEXEC, ST_NOEXEC),
    (MS_NOATIME, ST_NOATIME),
    (MS_NODIRATIME, ST_NODIRATIME),
    (MS_RELATIME, ST_RELATIME),
    (MS_NOSYMFOLLOW, ST_NOSYMFOLLOW),
)
_DEVICE_KINDS: Final = (S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK)


async def stat_path(task: "Task", dirfd: int, path: bytes, flags: int) -> Attr:
    """Return the attributes of what ``path`` names (AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW in ``flags``)."""
    place = await resolve_flagged(task, dirfd, path, flags)
    return await place.inode.getattr()


async def resolve_flagged(task: "Task", dirfd: int, path: bytes, flags: int) -> Path:
    """``resolve`` with AT_ flags."""
    return await resolve(task, dirfd, path, follow=not flags & AT_SYMLINK_NOFOLLOW, empty_ok=bool(flags & AT_EMPTY_PATH))


async def access_at(task: "Task", dirfd: int, path: bytes, mode: int, flags: int) -> None:
    """faccessat2(2): by the real ids unless AT_EACCESS. Errors: EACCES, EROFS."""
    creds = task.credentials
    effective = creds if flags & AT_EACCESS else _real(creds)
    if effective is not creds:
        # The walk, too, is made by the real ids; credentials are this thread's own, and it is in this call.
        task.credentials = effective
    try:
        place = await resolve_flagged(task, dirfd, path, flags)
    finally:
        task.credentials = creds
    check_access(effective, place, await place.inode.getattr(), mode)


def access_cached(task: "Task", dirfd: int, path: bytes, mode: int) -> bool:
    """``access_at`` without flags for the usual caller (its own real ids), as far as the caches reach; False if they do not."""
    creds = task.credentials
    if _real(creds) is not creds:
        return False
    place = try_resolve(task, dirfd, path)
    if place is None or not place.inode.has_current_attr:
        return False
    check_access(creds, place, place.inode.attr, mode)
    return True


def check_access(creds: "Credentials", place: Path, attr: Attr, mode: int) -> None:
    """access(2)'s own question about a place. Errors: EACCES, EROFS."""
    if not mode:
        return
    kind = attr.mode & S_IFMT
    if mode & 1 and kind == S_IFREG and place.mount.flags & MS_NOEXEC:
        raise SyscallError(EACCES)
    check_permission(creds, attr, mode)
    if mode & MAY_WRITE and place.mount.is_readonly and kind not in _DEVICE_KINDS:
        raise SyscallError(EROFS)


def _real(creds: "Credentials") -> "Credentials":
    """The credentials access(2) judges by: real ids, and capabilities only for real root."""
    if creds.fsuid == creds.uid and creds.fsgid == creds.gid and (creds.uid != 0 or creds.effective == creds.permitted):
        if creds.uid == 0 or not creds.effective:
            return creds
        return replace(creds, effective=0)
    return replace(creds, fsuid=creds.uid, fsgid=creds.gid, effective=creds.permitted if creds.uid == 0 else 0)


async def readlink_at(task: "Task", dirfd: int, path: bytes) -> bytes:
    """readlinkat(2). Errors: EINVAL not a link (ENOENT for an empty path on such a descriptor)."""
    place = await resolve(task, dirfd, path, follow=False, empty_ok=True)
    inode = place.inode
    if inode.attr.mode & S_IFMT != S_IFLNK:
        raise SyscallError(EINVAL if path else ENOENT)
    return inode.link_text if inode.link_text is not None and not inode.is_magic_link else await inode.readlink()


async def chmod_at(task: "Task", dirfd: int, path: bytes, mode: int, flags: int = 0) -> None:
    """fchmodat2(2). Errors: EOPNOTSUPP for a symbolic link itself."""
    await chmod_place(task, await resolve_flagged(task, dirfd, path, flags), mode)


async def chmod_place(task: "Task", place: Path, mode: int) -> None:
    """fchmod(2)."""
    check_writable_mount(place)
    inode = place.inode
    attr = await inode.getattr()
    if attr.mode & S_IFMT == S_IFLNK:
        raise SyscallError(EOPNOTSUPP)
    check_owner(task.credentials, attr)
    await inode.setattr(SetAttr(mode=chmod_mode(task.credentials, attr, mode & 0o7777)))
    watch.happened(place.dentry, IN_ATTRIB)


async def chown_at(task: "Task", dirfd: int, path: bytes, uid: int, gid: int, flags: int) -> None:
    """fchownat(2); 0xFFFFFFFF leaves an id alone."""
    await chown_place(task, await resolve_flagged(task, dirfd, path, flags), uid, gid)


async def chown_place(task: "Task", place: Path, uid: int, gid: int) -> None:
    """fchown(2): set-id bits of a file are lost."""
    check_writable_mount(place)
    inode = place.inode
    attr = await inode.getattr()
    new_uid = None if uid == 0xFFFFFFFF else uid
    new_gid = None if gid == 0xFFFFFFFF else gid
    check_chown(task.credentials, attr, new_uid, new_gid)
    mode = None
    if attr.mode & S_IFMT != S_IFDIR and attr.mode & 0o6000:
        mode = without_set_ids(attr.mode) & 0o7777
    await inode.setattr(SetAttr(uid=new_uid, gid=new_gid, mode=mode))
    watch.happened(place.dentry, IN_ATTRIB)


async def utimens_at(task: "Task", dirfd: int, path: bytes, times: tuple[int | None, int | None] | None, flags: int) -> None:
    """utimensat(2): ``times`` are nanoseconds or None (leave), together None for now."""
    await utimens_place(task, await resolve_flagged(task, dirfd, path, flags), times)


async def utimens_place(task: "Task", place: Path, times: tuple[int | None, int | None] | None) -> None:
    """futimens(3). Errors: EACCES (now), EPERM (given times)."""
    check_writable_mount(place)
    inode = place.inode
    attr = await inode.getattr()
    creds = task.credentials
    if times is None:
        if not is_owner_or_capable(creds, attr) and not may(creds, attr, MAY_WRITE):
            raise SyscallError(EACCES)
        now = task.kernel.realtime_ns()
        times = (now, now)
    else:
        check_owner(creds, attr)
        times = (_clamp(times[0]), _clamp(times[1]))
    await inode.setattr(SetAttr(atime_ns=times[0], mtime_ns=times[1]))
    both = times[0] is not None and times[1] is not None
    watch.happened(place.dentry, IN_ATTRIB if both else IN_MODIFY if times[0] is None else IN_ACCESS)


def _clamp(time_ns: int | None) -> int | None:
    """File systems keep a range of times and clamp the rest (Linux: fs/inode.c, timestamp_truncate()); ours is 1677 to 2262."""
    return None if time_ns is None else max(-_TIME_MAX - 1, min(_TIME_MAX, time_ns))


async def truncate_path(task: "Task", path: bytes, length: int) -> None:
    """truncate(2)."""
    place = await resolve(task, AT_FDCWD, path)
    inode = place.inode
    attr = await inode.getattr()
    kind = attr.mode & S_IFMT
    if kind == S_IFDIR:
        raise SyscallError(EISDIR)
    if kind != S_IFREG:
        raise SyscallError(EINVAL)
    check_writable_mount(place)
    check_permission(task.credentials, attr, MAY_WRITE)
    check_not_executed(task, inode)
    if inode.locks is not None and inode.locks.leases:
        await break_leases(task, inode, is_write=True, nowait=False)
    await truncate_inode(task, inode, length)
    watch.happened(place.dentry, IN_MODIFY)


async def truncate_inode(task: "Task", inode: "Inode", length: int) -> None:
    """The change itself; set-id bits are lost as by a write."""
    mode = None
    if inode.attr.mode & 0o6000 and not task.credentials.has(CAP_FSETID):
        mode = without_set_ids(inode.attr.mode) & 0o7777
    await inode.setattr(SetAttr(size=length, mode=mode))


async def statfs_path(task: "Task", path: bytes) -> StatFs:
    """statfs(2)."""
    return await statfs_place(await resolve(task, AT_FDCWD, path))


async def statfs_place(place: Path) -> StatFs:
    """fstatfs(2): the file system's totals and the mount's flags."""
    found = await place.inode.fs.statfs()
    mount = place.mount
    flags = found.flags | ST_VALID | mount.is_readonly
    for bit, shown in _STATFS_FLAGS:
        if mount.flags & bit:
            flags |= shown
    return replace(found, flags=flags)


def check_writable_mount(place: Path) -> None:
    """Errors: EROFS."""
    if place.mount.is_readonly:
        raise SyscallError(EROFS)
