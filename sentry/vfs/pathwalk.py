"""From a pathname to a place in the mount tree (path_resolution(7), openat2(2)).

``walk_cached`` is the whole of the semantics and a plain function: it goes as far as the dentry cache reaches. Where it must
ask a file system it returns a ``Miss``; ``walk`` awaits the answer, enters it in the cache and lets ``walk_cached`` go on from
there. So a walk that is cached costs no coroutine per component.
"""

from typing import TYPE_CHECKING, Final

from sentry.vfs.context import Path
from sentry.vfs.permission import MAY_EXEC, may
from syscalls.abi.errno import EACCES, EAGAIN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
)
from syscalls.abi.mount import MS_NOSYMFOLLOW
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_ISVTX

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.inode import Inode
    from sentry.vfs.mount import Mount

LINKS_MAX: Final = 40
NAME_MAX: Final = 255
# a directory that everybody may search: the usual case is one comparison
_SEARCH_MASK: Final = S_IFMT | 0o111
_SEARCHABLE: Final = S_IFDIR | 0o111
_SCOPED: Final = RESOLVE_BENEATH | RESOLVE_IN_ROOT


class Miss:
    """Where a cached walk stopped: ``name`` in ``directory`` is unknown, or the text of ``link`` is.

    ``parts``/``index`` are the components still to walk from there, ``links`` how many symbolic links were met.
    """

    __slots__ = ("directory", "index", "link", "links", "mount", "parts")

    def __init__(
        self,
        mount: "Mount",
        directory: "Dentry",
        parts: list[bytes],
        index: int,
        links: int,
        link: "Dentry | None" = None,
    ) -> None:
        self.mount = mount
        self.directory = directory
        self.parts = parts
        self.index = index
        self.links = links
        self.link = link


def try_walk_cached(task: "Task", start: Path, path: bytes, *, follow: bool = True) -> Path | None:
    """Return the place, or None if the cache does not reach. A negative entry is ENOENT. Precondition: ``path`` is not empty.

    Errors: ENOENT, ENOTDIR, EACCES, ELOOP.
    """
    root = task.fs.root
    found = walk_cached(task, start.mount, start.dentry, path.split(b"/"), 0, 0, follow=follow, root=root, resolve_flags=0)
    return None if type(found) is Miss else found  # type: ignore[return-value]


async def walk(task: "Task", start: Path, path: bytes, *, follow: bool = True, resolve_flags: int = 0) -> Path:
    """Return the place that ``path`` names from ``start`` (already the root for an absolute path).

    The final dentry is positive. Errors: ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EXDEV (RESOLVE_*), EAGAIN, EIO.
    """
    return (await walk_fresh(task, start, path, follow=follow, resolve_flags=resolve_flags))[0]


async def walk_fresh(task: "Task", start: Path, path: bytes, *, follow: bool = True, resolve_flags: int = 0) -> tuple[Path, bool]:
    """``walk``, and whether its last step has just been answered by a file system (so that attributes are fresh)."""
    root = start if resolve_flags & _SCOPED else task.fs.root
    mount, dentry, parts, index, links = start.mount, start.dentry, path.split(b"/"), 0, 0
    fresh: dict[int, Dentry] | None = None
    while True:
        found = walk_cached(
            task, mount, dentry, parts, index, links, follow=follow, root=root, resolve_flags=resolve_flags, fresh=fresh
        )
        if type(found) is not Miss:
            place: Path = found  # type: ignore[assignment]
            return place, fresh is not None and place.dentry in fresh.values()
        if resolve_flags & RESOLVE_CACHED:
            raise SyscallError(EAGAIN)
        fresh = None
        mount, dentry, parts, index, links = found.mount, found.directory, found.parts, found.index, found.links
        link = found.link
        if link is None:
            fresh = await _fill(task, dentry, parts, index)
        elif link.inode is not None and link.inode.is_magic_link:
            if resolve_flags & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS):
                raise SyscallError(ELOOP)
            if resolve_flags & (_SCOPED | RESOLVE_NO_XDEV):
                raise SyscallError(EXDEV)
            target = await link.inode.follow(task)
            mount, dentry = target.mount, target.dentry
            if index >= len(parts):
                return target, False
        else:
            text = await _link_text(link)
            if text[:1] == b"/":
                mount, dentry = _jump(mount, root, resolve_flags)
            parts, index = _splice(text, parts, index), 0


# One loop on the hottest path: a call per component would double its cost.
def walk_cached(  # noqa: C901, PLR0912, PLR0913, PLR0915
    task: "Task",
    mount: "Mount",
    dentry: "Dentry",
    parts: list[bytes],
    index: int,
    links: int,
    *,
    follow: bool,
    root: Path,
    resolve_flags: int,
    fresh: "dict[int, Dentry] | None" = None,
) -> "Path | Miss":
    """Walk ``parts[index:]`` from (``mount``, ``dentry``) as far as is known; see ``Miss``. ``fresh``: answers by index."""
    count = len(parts)
    inode = dentry.inode
    if inode is None:
        raise SyscallError(ENOENT)
    attr = inode.attr
    mode = attr.mode
    while index < count:
        name = parts[index]
        index += 1
        if not name:
            if index == count and index > 1 and mode & S_IFMT != S_IFDIR:
                raise SyscallError(ENOTDIR)  # trailing slash
            continue
        if mode & _SEARCH_MASK != _SEARCHABLE or attr.acl is not None:
            if mode & S_IFMT != S_IFDIR:
                raise SyscallError(ENOTDIR)
            if not may(task.credentials, attr, MAY_EXEC):
                raise SyscallError(EACCES)
        child = dentry.children.get(name)
        if child is None:
            if name == b".":
                continue
            if name == b"..":
                mount, dentry = _parent(task, mount, dentry, root, resolve_flags)
                inode = dentry.inode
                if inode is None:
                    raise SyscallError(ENOENT)
                attr = inode.attr
                mode = attr.mode
                continue
            child = fresh.get(index - 1) if fresh is not None else None
            if child is None:
                if len(name) > NAME_MAX:
                    raise SyscallError(ENAMETOOLONG)
                if dentry.is_deleted:
                    raise SyscallError(ENOENT)
                return Miss(mount, dentry, parts, index - 1, links)
        inode = child.inode
        if inode is None:
            raise SyscallError(ENOENT)
        child.is_recent = True
        attr = inode.attr
        mode = attr.mode
        if mode & S_IFMT == S_IFLNK:
            if index == count and not follow:
                return Path(mount, child)
            links += 1
            if links > LINKS_MAX or resolve_flags & RESOLVE_NO_SYMLINKS or mount.flags & MS_NOSYMFOLLOW:
                raise SyscallError(ELOOP)
            _check_protected_link(task, dentry, inode)
            text = inode.link_text
            if text is None or inode.is_magic_link:
                return Miss(mount, dentry, parts, index, links, child)
            if text[:1] == b"/":
                mount, dentry = _jump(mount, root, resolve_flags)
            parts, index, fresh = _splice(text, parts, index), 0, None
            count = len(parts)
            inode = dentry.inode
            if inode is None:
                raise SyscallError(ENOENT)
            attr = inode.attr
            mode = attr.mode
            continue
        dentry = child
        if child.mounts_here:
            top = task.mounts.top(Path(mount, child))
            if top.mount is not mount:
                if resolve_flags & RESOLVE_NO_XDEV:
                    raise SyscallError(EXDEV)
                mount, dentry = top
                fresh = None
                inode = dentry.inode
                if inode is None:
                    raise SyscallError(ENOENT)
                attr = inode.attr
                mode = attr.mode
    return Path(mount, dentry)


def _jump(mount: "Mount", root: Path, resolve_flags: int) -> Path:
    """An absolute link leads to the root. Errors: EXDEV where the walk must stay beneath or on its mount."""
    if resolve_flags & RESOLVE_BENEATH or (resolve_flags & RESOLVE_NO_XDEV and mount is not root.mount):
        raise SyscallError(EXDEV)
    return root


def _splice(text: bytes, parts: list[bytes], index: int) -> list[bytes]:
    """The components to walk after a link: its text, then what followed it."""
    if not text:
        raise SyscallError(ENOENT)
    return text.split(b"/") + parts[index:]


def _check_protected_link(task: "Task", directory: "Dentry", link: "Inode") -> None:
    """fs.protected_symlinks=1: in a sticky world-writable directory only the follower's and the directory owner's links work."""
    if directory.inode is None or not task.kernel.mounts.protected_symlinks:
        return
    attr = directory.inode.attr
    if attr.mode & (S_ISVTX | 0o002) == (S_ISVTX | 0o002) and link.attr.uid not in (task.credentials.fsuid, attr.uid):
        raise SyscallError(EACCES)


def _parent(task: "Task", mount: "Mount", dentry: "Dentry", root: Path, resolve_flags: int) -> "tuple[Mount, Dentry]":
    """`..`: stays at the (task's or scoped) root, climbs out of mounts."""
    while True:
        if dentry is root.dentry and mount is root.mount:
            if resolve_flags & RESOLVE_BENEATH:
                raise SyscallError(EXDEV)
            return mount, dentry
        if dentry is not mount.root:
            dentry = dentry.parent
            break
        if mount.parent is None or mount.mountpoint is None:
            return mount, dentry
        if resolve_flags & RESOLVE_NO_XDEV:
            raise SyscallError(EXDEV)
        dentry = mount.mountpoint
        mount = mount.parent
    if dentry.mounts_here:
        return task.mounts.top(Path(mount, dentry))
    return mount, dentry


async def _fill(task: "Task", directory: "Dentry", parts: list[bytes], index: int) -> "dict[int, Dentry]":
    """Ask the file system for the missing component, and for those behind it in the same request."""
    inode = directory.inode
    assert inode is not None
    cache = task.kernel.mounts.cache
    names = [parts[index]]
    for name in parts[index + 1 :]:
        if name in (b"", b".", b"..") or len(name) > NAME_MAX:
            break
        names.append(name)
    answers = [await inode.lookup(names[0])] if len(names) == 1 else await inode.lookup_many(names)
    if directory.is_deleted:
        raise SyscallError(ENOENT)
    parent = cache.add(directory, names[0], answers[0])
    found = {index: parent}
    for name, answer in zip(names[1:], answers[1:], strict=False):
        if parent.inode is None or parent.mounts_here:
            break
        index += 1
        parent = found[index] = cache.add(parent, name, answer)
    return found


async def _link_text(link: "Dentry") -> bytes:
    inode = link.inode
    assert inode is not None
    text = await inode.readlink()
    directory = link.parent.inode
    if directory is not None and directory.is_cacheable and inode.has_current_attr:
        inode.link_text = text
    return text
