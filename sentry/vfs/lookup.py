"""Where a path of a system call starts and where it ends: descriptors, working directory, empty paths, parents."""

from typing import TYPE_CHECKING, Final

from sentry.vfs.context import Path
from sentry.vfs.dentry import Dentry
from sentry.vfs.pathwalk import NAME_MAX, try_walk_cached, walk
from sentry.vfs.permission import MAY_EXEC, may
from syscalls.abi.errno import EACCES, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, RESOLVE_BENEATH, RESOLVE_IN_ROOT
from syscalls.abi.stat import S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.file import FileDescription

PATH_MAX: Final = 4096


def start_of(task: "Task", dirfd: int, path: bytes, resolve_flags: int = 0) -> Path:
    """Where ``path`` starts. Errors: EBADF, ENOTDIR (a descriptor without a place), EXDEV (absolute beneath)."""
    if path[:1] == b"/":
        if resolve_flags & RESOLVE_BENEATH:
            raise SyscallError(EXDEV)
        if not resolve_flags & RESOLVE_IN_ROOT:
            return task.fs.root
    if dirfd == AT_FDCWD:
        return task.fs.cwd
    place = task.fds.get_any(dirfd).path
    if place is None:
        raise SyscallError(ENOTDIR)
    return place


def place_of(task: "Task", file: "FileDescription") -> Path:
    """Where an open file is; anonymous objects get a place of their own outside every tree."""
    if file.path is not None:
        return file.path
    return Path(task.kernel.mounts.anonymous(file.inode.fs), Dentry(file.describe(), None, file.inode))


def resolve_empty(task: "Task", dirfd: int) -> Path:
    """AT_EMPTY_PATH: the descriptor itself, or the working directory. Errors: EBADF."""
    return task.fs.cwd if dirfd == AT_FDCWD else place_of(task, task.fds.get_any(dirfd))


def try_resolve(task: "Task", dirfd: int, path: bytes, *, follow: bool = True) -> Path | None:
    """``resolve`` as far as the dentry cache knows: None means that a file system must be asked. Errors: as ``resolve``."""
    if not path:
        raise SyscallError(ENOENT)
    if path[0] == 47:
        start = task.fs.root
    elif dirfd == AT_FDCWD:
        start = task.fs.cwd
    else:
        start = start_of(task, dirfd, path)
    return try_walk_cached(task, start, path, follow=follow)


async def resolve(
    task: "Task",
    dirfd: int,
    path: bytes,
    *,
    follow: bool = True,
    empty_ok: bool = False,
    want_directory: bool = False,
    resolve_flags: int = 0,
) -> Path:
    """Return the existing place that ``path`` names. Errors: as path_resolution(7)."""
    if not path:
        if not empty_ok:
            raise SyscallError(ENOENT)
        place = resolve_empty(task, dirfd)
    else:
        place = await walk(task, start_of(task, dirfd, path, resolve_flags), path, follow=follow, resolve_flags=resolve_flags)
    if want_directory and place.inode.attr.mode & S_IFMT != S_IFDIR:
        raise SyscallError(ENOTDIR)
    return place


async def resolve_parent(task: "Task", dirfd: int, path: bytes, resolve_flags: int = 0) -> tuple[Path, bytes, bool]:
    """Return the directory of the last component, that name (b"" for the root, maybe `.` or `..`) and whether slashes follow it.

    The directory may be searched. Errors: as ``resolve``, ENAMETOOLONG.
    """
    if not path:
        raise SyscallError(ENOENT)
    return await parent_from(task, start_of(task, dirfd, path, resolve_flags), path, resolve_flags)


async def parent_from(task: "Task", start: Path, path: bytes, resolve_flags: int = 0) -> tuple[Path, bytes, bool]:
    """``resolve_parent`` from a known start (already the root for an absolute path)."""
    stripped = path.rstrip(b"/")
    if not stripped:
        return start, b"", True
    head, slash, name = stripped.rpartition(b"/")
    parent = await walk(task, start, head + b"/", resolve_flags=resolve_flags) if slash else start
    attr = parent.inode.attr
    if attr.mode & S_IFMT != S_IFDIR:
        raise SyscallError(ENOTDIR)
    if not may(task.credentials, attr, MAY_EXEC):
        raise SyscallError(EACCES)
    if len(name) > NAME_MAX:
        raise SyscallError(ENAMETOOLONG)
    return parent, name, len(stripped) != len(path)


async def lookup_child(task: "Task", parent: Path, name: bytes) -> Dentry:
    """Return the dentry of ``name``, negative if absent. Errors: ENOENT (a deleted directory), EIO."""
    dentry = parent.dentry
    child = dentry.children.get(name)
    if child is None:
        if dentry.is_deleted:
            raise SyscallError(ENOENT)
        child = task.kernel.mounts.cache.add(dentry, name, await parent.inode.lookup(name))
    return child


def pathname_of(path: Path, root: Path) -> bytes:
    """The absolute name of a place as seen from ``root`` (/proc/PID/fd, maps); ` (deleted)` when the name is gone."""
    return reachable_name(path, root)[0]


def reachable_name(path: Path, root: Path) -> tuple[bytes, bool]:
    """``pathname_of`` and whether ``root`` was met on the way up (getcwd(2) tells)."""
    place: Path | None = path
    names: list[bytes] = []
    while place is not None and not (place.dentry is root.dentry and place.mount is root.mount):
        mount, dentry = place
        if dentry is mount.root:
            place = None if mount.parent is None or mount.mountpoint is None else Path(mount.parent, mount.mountpoint)
        elif dentry.parent is dentry:
            if not names:  # pipe:[7] and its like stand in no directory
                return dentry.name, False
            place = None
        else:
            names.append(dentry.name)
            place = Path(mount, dentry.parent)
    suffix = b" (deleted)" if path.dentry.is_deleted else b""
    return b"/" + b"/".join(reversed(names)) + suffix, place is not None
