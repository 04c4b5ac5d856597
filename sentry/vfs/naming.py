"""Calls that make, remove and move names: mkdir, mknod, symlink, link, unlink, rmdir, rename (section 2)."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sentry.vfs import watch
from sentry.vfs.context import Path
from sentry.vfs.dentry import Dentry
from sentry.vfs.lookup import lookup_child, resolve, resolve_parent
from sentry.vfs.newborn import expect
from sentry.vfs.permission import (
    CAP_FOWNER,
    CAP_MKNOD,
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    check_delete,
    check_permission,
    inherit,
    may,
)
from syscalls.abi.errno import EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, ESTALE, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.inode import Inode

_SPECIAL = (b"", b".", b"..")
_TRIES = 4
P = ParamSpec("P")
T = TypeVar("T")


def retry_stale(operation: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Begin again when a name has become another's while a file system was asked (Linux: retry_estale())."""

    @wraps(operation)
    async def retrying(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_TRIES - 1):
            try:
                return await operation(*args, **kwargs)
            except SyscallError as error:
                if error.errno != ESTALE:
                    raise
        return await operation(*args, **kwargs)

    return retrying


@retry_stale
async def mkdir_at(task: "Task", dirfd: int, path: bytes, mode: int) -> None:
    """mkdirat(2)."""
    parent, name = await _place_for_new(task, dirfd, path, is_directory=True)
    creds = task.credentials
    directory = parent.inode
    born = expect(directory.attr, creds, mode & 0o1777, task.fs.umask, S_IFDIR)
    inode = await directory.mkdir(name, S_IFDIR | born.mode, creds.fsuid, born.gid)
    if born.default is not None:
        await born.endow(inode)
    task.kernel.mounts.cache.add(parent.dentry, name, inode)
    watch.created(directory, name, inode)


@retry_stale
async def mknod_at(task: "Task", dirfd: int, path: bytes, mode: int, rdev: int) -> Path:
    """mknodat(2), and the socket inode of bind(2). Errors: EPERM (devices without CAP_MKNOD, directories), EINVAL (type)."""
    kind = mode & S_IFMT or S_IFREG
    if kind == S_IFDIR:
        raise SyscallError(EPERM)
    if kind not in (S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK):
        raise SyscallError(EINVAL)
    creds = task.credentials
    parent, name = await _place_for_new(task, dirfd, path)
    if kind in (S_IFCHR, S_IFBLK):
        if not creds.has(CAP_MKNOD):
            raise SyscallError(EPERM)
    else:
        rdev = 0
    directory = parent.inode
    born = expect(directory.attr, creds, mode & 0o7777, task.fs.umask, kind)
    inode = await directory.create(name, kind | born.mode, creds.fsuid, born.gid, rdev)
    if born.access is not None:
        await born.endow(inode)
    dentry = task.kernel.mounts.cache.add(parent.dentry, name, inode)
    watch.created(directory, name, inode)
    return Path(parent.mount, dentry)


@retry_stale
async def symlink_at(task: "Task", target: bytes, dirfd: int, path: bytes) -> None:
    """symlinkat(2). Errors: ENOENT for an empty target."""
    if not target:
        raise SyscallError(ENOENT)
    parent, name = await _place_for_new(task, dirfd, path)
    directory = parent.inode
    gid, _ = inherit(directory.attr, task.credentials, 0o777, 0)
    inode = await directory.symlink(name, target, task.credentials.fsuid, gid)
    task.kernel.mounts.cache.add(parent.dentry, name, inode)
    watch.created(directory, name, inode)


@retry_stale
async def link_at(task: "Task", old_dirfd: int, old_path: bytes, dirfd: int, path: bytes, flags: int) -> None:
    """linkat(2). Errors: EPERM (directories; fs.protected_hardlinks), EXDEV, EMLINK."""
    place = await resolve(task, old_dirfd, old_path, follow=bool(flags & AT_SYMLINK_FOLLOW), empty_ok=bool(flags & AT_EMPTY_PATH))
    parent, name, has_slash = await resolve_parent(task, dirfd, path)
    await _check_new(task, parent, name, has_slash, is_directory=False)
    if parent.mount is not place.mount:
        raise SyscallError(EXDEV)
    inode = place.inode
    _check_link_source(task, inode)
    if parent.mount.is_readonly:
        raise SyscallError(EROFS)
    check_permission(task.credentials, parent.inode.attr, MAY_WRITE | MAY_EXEC)
    if inode.attr.mode & S_IFMT == S_IFDIR:
        raise SyscallError(EPERM)
    if inode.attr.nlink == 0 and not inode.is_linkable:
        raise SyscallError(ENOENT)
    await parent.inode.link(name, inode)
    inode.is_linkable = False
    task.kernel.mounts.cache.add(parent.dentry, name, inode)
    watch.linked(parent.inode, name, inode)


@retry_stale
async def unlink_at(task: "Task", dirfd: int, path: bytes, *, is_rmdir: bool) -> None:
    """unlinkat(2) and rmdir(2)."""
    parent, name, has_slash = await resolve_parent(task, dirfd, path)
    if name in _SPECIAL:
        if not is_rmdir:
            raise SyscallError(EISDIR)
        raise SyscallError({b".": EINVAL, b"..": ENOTEMPTY}.get(name, EBUSY))
    if parent.mount.is_readonly:
        raise SyscallError(EROFS)
    child = await lookup_child(task, parent, name)
    inode = child.inode
    if inode is None:
        raise SyscallError(ENOENT)
    is_directory = inode.attr.mode & S_IFMT == S_IFDIR
    if has_slash and not is_rmdir:
        raise SyscallError(EISDIR if is_directory else ENOTDIR)
    check_delete(task.credentials, parent.inode.attr, inode.attr)
    if is_rmdir:
        if not is_directory:
            raise SyscallError(ENOTDIR)
    elif is_directory:
        raise SyscallError(EISDIR)
    if child.mounts_here:
        raise SyscallError(EBUSY)
    if is_rmdir:
        await parent.inode.rmdir(name, inode)
    else:
        await parent.inode.unlink(name, inode)
    task.kernel.mounts.cache.remove(child)
    watch.removed(task, parent.inode, name, inode)


@retry_stale
async def rename_at(task: "Task", old_dirfd: int, old_path: bytes, new_dirfd: int, new_path: bytes, flags: int) -> None:
    """renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE."""
    old_parent, old_name, old_slash = await resolve_parent(task, old_dirfd, old_path)
    new_parent, new_name, new_slash = await resolve_parent(task, new_dirfd, new_path)
    if old_parent.mount is not new_parent.mount:
        raise SyscallError(EXDEV)
    if old_name in _SPECIAL:
        raise SyscallError(EBUSY)
    if new_name in _SPECIAL:
        raise SyscallError(EEXIST if flags & RENAME_NOREPLACE else EBUSY)
    if old_parent.mount.is_readonly:
        raise SyscallError(EROFS)
    source = await lookup_child(task, old_parent, old_name)
    if source.inode is None:
        raise SyscallError(ENOENT)
    target = await lookup_child(task, new_parent, new_name)
    _check_rename_names(source, target, old_parent, new_parent, flags, old_slash, new_slash)
    if source.inode is target.inode and not flags & RENAME_EXCHANGE:
        return
    _check_rename_rights(task, source, target, old_parent, new_parent, flags)
    if flags & RENAME_WHITEOUT and not old_parent.inode.fs.has_whiteouts:
        raise SyscallError(EINVAL)
    inode = source.inode
    assert inode is not None
    await old_parent.inode.rename(old_name, inode, new_parent.inode, new_name, target.inode, flags)
    mounts = task.kernel.mounts
    replaced = target.inode
    if flags & RENAME_EXCHANGE:
        mounts.cache.exchange(source, target)
        assert replaced is not None
        watch.moved(task, new_parent.inode, new_name, old_parent.inode, old_name, replaced, None, mounts.next_cookie())
        replaced = None
    else:
        mounts.cache.move(source, new_parent.dentry, new_name)
    if flags & RENAME_WHITEOUT:
        await _leave_whiteout(task, old_parent, old_name)
    watch.moved(task, old_parent.inode, old_name, new_parent.inode, new_name, inode, replaced, mounts.next_cookie())


async def _leave_whiteout(task: "Task", parent: Path, name: bytes) -> None:
    """A character device 0:0 where the name was: what an overlay shows as nothing (rename(2), RENAME_WHITEOUT)."""
    creds = task.credentials
    gid, mode = inherit(parent.inode.attr, creds, 0, S_IFCHR)
    whiteout = await parent.inode.create(name, S_IFCHR | mode, creds.fsuid, gid, 0)
    task.kernel.mounts.cache.add(parent.dentry, name, whiteout)


def _check_rename_names(
    source: Dentry, target: Dentry, old_parent: Path, new_parent: Path, flags: int, old_slash: bool, new_slash: bool
) -> None:
    """Linux: fs/namei.c, do_renameat2(): the order of these errors."""
    if flags & RENAME_NOREPLACE and target.inode is not None:
        raise SyscallError(EEXIST)
    assert source.inode is not None
    is_directory = source.inode.attr.mode & S_IFMT == S_IFDIR
    if flags & RENAME_EXCHANGE:
        if target.inode is None:
            raise SyscallError(ENOENT)
        if target.inode.attr.mode & S_IFMT != S_IFDIR and new_slash:
            raise SyscallError(ENOTDIR)
    if not is_directory and (old_slash or (new_slash and not flags & RENAME_EXCHANGE)):
        raise SyscallError(ENOTDIR)
    if new_parent.dentry.is_below(source):
        raise SyscallError(EINVAL)
    if target.inode is not None and old_parent.dentry.is_below(target):
        raise SyscallError(EINVAL if flags & RENAME_EXCHANGE else ENOTEMPTY)


def _check_rename_rights(task: "Task", source: Dentry, target: Dentry, old_parent: Path, new_parent: Path, flags: int) -> None:
    """Linux: fs/namei.c, vfs_rename()."""
    creds = task.credentials
    old_directory, new_directory = old_parent.inode.attr, new_parent.inode.attr
    moved = source.inode
    assert moved is not None
    is_directory = moved.attr.mode & S_IFMT == S_IFDIR
    is_exchange = flags & RENAME_EXCHANGE
    check_delete(creds, old_directory, moved.attr)
    replaced = target.inode
    if replaced is None:
        if new_parent.dentry.is_deleted:
            raise SyscallError(ENOENT)
        check_permission(creds, new_directory, MAY_WRITE | MAY_EXEC)
    else:
        check_delete(creds, new_directory, replaced.attr)
        is_target_directory = replaced.attr.mode & S_IFMT == S_IFDIR
        if not is_exchange and is_directory != is_target_directory:
            raise SyscallError(ENOTDIR if is_directory else EISDIR)
    if old_parent.dentry is not new_parent.dentry:
        if is_directory:
            check_permission(creds, moved.attr, MAY_WRITE)
        if is_exchange and replaced is not None and replaced.attr.mode & S_IFMT == S_IFDIR:
            check_permission(creds, replaced.attr, MAY_WRITE)
    if source.mounts_here or target.mounts_here:
        raise SyscallError(EBUSY)


async def _place_for_new(task: "Task", dirfd: int, path: bytes, *, is_directory: bool = False) -> tuple[Path, bytes]:
    """The parent and name of something to be made. Errors: EEXIST, ENOENT, EROFS, EACCES in Linux's order."""
    parent, name, has_slash = await resolve_parent(task, dirfd, path)
    await _check_new(task, parent, name, has_slash, is_directory=is_directory)
    if parent.mount.is_readonly:
        raise SyscallError(EROFS)
    check_permission(task.credentials, parent.inode.attr, MAY_WRITE | MAY_EXEC)
    return parent, name


async def _check_new(task: "Task", parent: Path, name: bytes, has_slash: bool, *, is_directory: bool) -> None:
    if name in _SPECIAL:
        raise SyscallError(EEXIST)
    child = await lookup_child(task, parent, name)
    if child.inode is not None:
        raise SyscallError(EEXIST)
    if has_slash and not is_directory:
        raise SyscallError(ENOENT)


def _check_link_source(task: "Task", inode: "Inode") -> None:
    """fs.protected_hardlinks=1: others' files only if they are plain and readable and writable anyway (proc(5))."""
    creds, attr = task.credentials, inode.attr
    if attr.uid == creds.fsuid or creds.has(CAP_FOWNER) or not task.kernel.mounts.protected_hardlinks:
        return
    is_plain = attr.mode & S_IFMT == S_IFREG and not attr.mode & 0o4000 and attr.mode & 0o2010 != 0o2010
    if not is_plain or not may(creds, attr, MAY_READ | MAY_WRITE):
        raise SyscallError(EPERM)
