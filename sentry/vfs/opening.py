"""open(2), openat2(2): from a path and flags to an open file description."""

from typing import TYPE_CHECKING, Final

from sentry.vfs import watch
from sentry.vfs.context import OpenContext, Path
from sentry.vfs.dentry import Dentry
from sentry.vfs.lease import break_leases
from sentry.vfs.lookup import lookup_child, parent_from, resolve, resolve_parent, try_resolve
from sentry.vfs.newborn import expect
from sentry.vfs.pathwalk import LINKS_MAX
from sentry.vfs.permission import (
    CAP_FSETID,
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    check_owner,
    check_permission,
    may,
    without_set_ids,
)
from sentry.vfs.special import PathFile
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import EACCES, EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EROFS, ETXTBSY
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_TMPFILE,
    O_TRUNC,
    RESOLVE_NO_SYMLINKS,
)
from syscalls.abi.inotify import IN_MODIFY, IN_OPEN
from syscalls.abi.mount import MS_NOSYMFOLLOW
from syscalls.abi.stat import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISVTX

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode
    from sentry.vfs.stat import Attr

TMPFILE_BIT: Final = O_TMPFILE & ~O_DIRECTORY
_PERMISSION: Final = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)
_AWAITED: Final = O_PATH | O_CREAT | O_TRUNC | TMPFILE_BIT
_NOT_KEPT: Final = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC


async def open_at(task: "Task", dirfd: int, path: bytes, flags: int, mode: int, resolve_flags: int = 0) -> "FileDescription":
    """Open ``path``. ``flags`` have been validated by the handler. Errors: as open(2)."""
    if flags & O_PATH:
        place = await resolve(task, dirfd, path, follow=not flags & O_NOFOLLOW, resolve_flags=resolve_flags)
        if flags & O_DIRECTORY and place.inode.attr.mode & S_IFMT != S_IFDIR:
            raise SyscallError(ENOTDIR)
        file = PathFile(place.inode, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), place)
        file.opened_by = (task.credentials, task.group)
        return file
    if flags & TMPFILE_BIT:
        return await _open_tmpfile(task, dirfd, path, flags, mode, resolve_flags)
    is_created = False
    if flags & O_CREAT:
        place, is_created = await _find_or_create(task, dirfd, path, flags, mode, resolve_flags)
    else:
        place = await resolve(task, dirfd, path, follow=not flags & O_NOFOLLOW, resolve_flags=resolve_flags)
    return await open_place(task, place, flags, is_created=is_created)


def open_cached(task: "Task", dirfd: int, path: bytes, flags: int) -> "FileDescription | None":
    """``open_at`` as far as nothing must be awaited; None then means that it must be. Errors: as open(2)."""
    if flags & _AWAITED:
        return None
    place = try_resolve(task, dirfd, path, follow=not flags & O_NOFOLLOW)
    if place is None:
        return None
    inode = place.inode
    if not inode.has_current_attr or (inode.locks is not None and inode.locks.leases):
        return None
    _check_open(task, place, inode.attr, flags, is_created=False)
    file = inode.open_now(OpenContext(place, flags, task))
    return None if file is None else _opened(task, place, file, flags)


async def open_place(task: "Task", place: Path, flags: int, *, is_created: bool = False) -> "FileDescription":
    """Open what is at ``place``, with all checks of open(2) except those of the walk."""
    inode = place.inode
    attr = inode.attr if is_created or inode.has_current_attr else await inode.getattr()
    _check_open(task, place, attr, flags, is_created=is_created)
    if inode.locks is not None and inode.locks.leases:
        await break_leases(task, inode, is_write=bool(flags & (O_ACCMODE | O_TRUNC)), nowait=bool(flags & O_NONBLOCK))
    context = OpenContext(place, flags, task, is_created)
    file = _opened(task, place, inode.open_now(context) or await inode.open(context), flags)
    file.is_created = is_created
    if flags & O_TRUNC and not is_created and attr.mode & S_IFMT == S_IFREG:
        await _truncate_at_open(task, place, file)
    return file


def _check_open(task: "Task", place: Path, attr: "Attr", flags: int, *, is_created: bool) -> None:
    """What open(2) asks of the object itself. Errors: EISDIR, ENOTDIR, ELOOP, ENXIO, EACCES, EROFS, EPERM, ETXTBSY."""
    kind = attr.mode & S_IFMT
    if kind != S_IFREG or flags & O_DIRECTORY:
        _check_kind(kind, flags)
    if not is_created:
        wanted = _PERMISSION[flags & O_ACCMODE]
        check_permission(task.credentials, attr, wanted | MAY_WRITE if flags & O_TRUNC else wanted)
    is_written = kind == S_IFREG and flags & (O_ACCMODE | O_TRUNC)
    if is_written and place.mount.is_readonly:
        raise SyscallError(EROFS)
    if flags & O_NOATIME:
        check_owner(task.credentials, attr)
    if is_written and attr.mode & 0o111:
        check_not_executed(task, place.inode)


def _opened(task: "Task", place: Path, file: "FileDescription", flags: int) -> "FileDescription":
    """Enter in the books what has been opened."""
    inode = place.inode
    if file.path is None and file.inode is inode:
        file.path = place
    file.flags = file.flags & ~_NOT_KEPT | O_LARGEFILE
    file.opened_by = (task.credentials, task.group)
    if flags & O_ACCMODE and inode.attr.mode & S_IFMT == S_IFREG:
        inode.writers += 1
        file.inode = inode
        file.is_counted_writer = True
    if watch.is_watched(place.dentry):
        watch.happened(place.dentry, IN_OPEN)
    return file


def check_not_executed(task: "Task", inode: "Inode") -> None:
    """A running program's file is not written to. Errors: ETXTBSY."""
    for group in task.kernel.tasks.groups.values():
        executable = group.executable
        if executable is not None and executable.dentry.inode is inode and group.is_alive:
            raise SyscallError(ETXTBSY)


async def open_inode(task: "Task", place: Path, flags: int) -> "FileDescription":
    """Open without any permission check: the kernel's own reads (exec has checked MAY_EXEC)."""
    file = await place.inode.open(OpenContext(place, flags, task))
    if file.path is None:
        file.path = place
    return file


def _check_kind(kind: int, flags: int) -> None:
    if kind == S_IFDIR:
        if flags & (O_ACCMODE | O_TRUNC | O_CREAT):
            raise SyscallError(EISDIR)
    elif flags & O_DIRECTORY:
        raise SyscallError(ENOTDIR)
    elif kind == S_IFLNK:
        raise SyscallError(ELOOP)
    elif kind == S_IFSOCK:
        raise SyscallError(ENXIO)


async def _truncate_at_open(task: "Task", place: Path, file: "FileDescription") -> None:
    inode = place.inode
    attr = inode.attr
    mode = None
    if attr.mode & 0o6000 and not task.credentials.has(CAP_FSETID):
        mode = without_set_ids(attr.mode) & 0o7777
    try:
        await inode.setattr(SetAttr(size=0, mode=mode))
    except SyscallError:
        file.acquire().release()
        raise
    if watch.is_watched(place.dentry):
        watch.happened(place.dentry, IN_MODIFY)


async def _find_or_create(task: "Task", dirfd: int, path: bytes, flags: int, mode: int, resolve_flags: int) -> tuple[Path, bool]:
    """O_CREAT: the place and whether this call made it. A dangling link makes its target (not with O_EXCL)."""
    parent, name, has_slash = await resolve_parent(task, dirfd, path, resolve_flags)
    for _ in range(LINKS_MAX + 1):
        if name in (b"", b".", b".."):
            raise SyscallError(EEXIST if flags & O_EXCL else EISDIR)
        if has_slash:
            raise SyscallError(EISDIR)
        if flags & O_EXCL and _may_create_unseen(task, parent, name):
            return await create_file(task, parent, name, mode), True
        child = await lookup_child(task, parent, name)
        if child.inode is None:
            try:
                return await create_file(task, parent, name, mode), True
            except SyscallError as error:
                if error.errno == EEXIST and not flags & O_EXCL:
                    continue  # somebody else has just made it
                raise
        if flags & O_EXCL:
            raise SyscallError(EEXIST)
        if child.inode.attr.mode & S_IFMT != S_IFLNK:
            place = task.mounts.top(Path(parent.mount, child))
            _check_sticky(task, parent, place)
            return place, False
        if flags & O_NOFOLLOW or resolve_flags & RESOLVE_NO_SYMLINKS or parent.mount.flags & MS_NOSYMFOLLOW:
            raise SyscallError(ELOOP)
        if child.inode.is_magic_link:
            return await child.inode.follow(task), False
        text = await child.inode.readlink()
        start = task.fs.root if text[:1] == b"/" and not resolve_flags else parent
        parent, name, has_slash = await parent_from(task, start, text, resolve_flags)
    raise SyscallError(ELOOP)


def _may_create_unseen(task: "Task", parent: Path, name: bytes) -> bool:
    """Whether O_EXCL may be left to the file system. What is there is said before what is forbidden."""
    directory = parent.inode
    if not directory.creates_unseen() or parent.mount.is_readonly or name in parent.dentry.children:
        return False
    return may(task.credentials, directory.attr, MAY_WRITE | MAY_EXEC)


async def create_file(task: "Task", parent: Path, name: bytes, mode: int) -> Path:
    """A new regular file in ``parent``. Errors: EACCES, ENOENT (a removed folder), EROFS, what the file system says."""
    if parent.mount.is_readonly:
        raise SyscallError(EROFS)
    directory = parent.inode
    if parent.dentry.is_deleted:
        raise SyscallError(ENOENT)
    creds = task.credentials
    check_permission(creds, directory.attr, MAY_WRITE | MAY_EXEC)
    born = expect(directory.attr, creds, mode & 0o7777, task.fs.umask, S_IFREG)
    inode = await directory.create(name, S_IFREG | born.mode, creds.fsuid, born.gid)
    if born.access is not None:
        await born.endow(inode)
    dentry = task.kernel.mounts.cache.add(parent.dentry, name, inode)
    watch.created(directory, name, inode)
    return Path(parent.mount, dentry)


def _check_sticky(task: "Task", parent: Path, place: Path) -> None:
    """fs.protected_regular, fs.protected_fifos: O_CREAT does not open other people's files in /tmp (proc(5))."""
    if not task.kernel.mounts.protected_regular:
        return
    directory, attr = parent.inode.attr, place.inode.attr
    if (
        directory.mode & (S_ISVTX | 0o002) == (S_ISVTX | 0o002)
        and attr.mode & S_IFMT in (S_IFREG, S_IFIFO)
        and attr.uid not in (directory.uid, task.credentials.fsuid)
    ):
        raise SyscallError(EACCES)


async def _open_tmpfile(task: "Task", dirfd: int, path: bytes, flags: int, mode: int, resolve_flags: int) -> "FileDescription":
    place = await resolve(task, dirfd, path, follow=not flags & O_NOFOLLOW, want_directory=True, resolve_flags=resolve_flags)
    if place.mount.is_readonly:
        raise SyscallError(EROFS)
    directory = place.inode
    creds = task.credentials
    if not may(creds, directory.attr, MAY_WRITE | MAY_EXEC):
        raise SyscallError(EACCES)
    born = expect(directory.attr, creds, mode & 0o7777, task.fs.umask, S_IFREG)
    inode = await directory.tmpfile(S_IFREG | born.mode, creds.fsuid, born.gid)
    if born.access is not None:
        await born.endow(inode)
    inode.is_linkable = not flags & O_EXCL
    dentry = Dentry(b"#%d" % inode.attr.ino, place.dentry, inode)
    dentry.is_deleted = True
    file = await open_place(task, Path(place.mount, dentry), flags & ~(O_TMPFILE | O_EXCL | O_CREAT), is_created=True)
    file.flags |= O_TMPFILE
    file.is_created = False  # as Linux sees it (F_CREATED_QUERY)
    return file
