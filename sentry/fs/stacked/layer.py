"""What a stacked overlay does to the folders below it: every step keeps their own dentries true, because they are seen by others.

Linux: Documentation/filesystems/overlayfs.rst. A whiteout is a character device 0:0; ``opaque`` and ``redirect`` are attributes
in the name space ``trusted.overlay.`` (``user.overlay.`` with the option userxattr).
"""

from typing import TYPE_CHECKING, Final

from syscalls.abi.errno import ENODATA, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFCHR, S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.vfs.dentry import Dentry, DentryCache
    from sentry.vfs.inode import Inode

_NESTING_MAX: Final = 64


def inode_at(dentry: "Dentry") -> "Inode":
    """The object of a name that exists."""
    inode = dentry.inode
    assert inode is not None
    return inode


def is_directory(inode: "Inode") -> bool:
    """Whether it is a folder."""
    return inode.attr.mode & S_IFMT == S_IFDIR


def is_whiteout(inode: "Inode") -> bool:
    """Whether it hides a name of the layers below."""
    return inode.attr.rdev == 0 and inode.attr.mode & S_IFMT == S_IFCHR


async def child_of(cache: "DentryCache", folder: "Dentry", name: bytes) -> "Dentry | None":
    """The name in one layer's folder, or None."""
    child = folder.children.get(name)
    if child is None:
        child = cache.add(folder, name, await inode_at(folder).lookup(name))
    return child if child.inode is not None else None


async def remove(cache: "DentryCache", child: "Dentry") -> None:
    """Remove a name, or an empty folder. Errors: ENOTEMPTY, what the layer's file system says."""
    folder, inode = inode_at(child.parent), inode_at(child)
    if is_directory(inode):
        await folder.rmdir(child.name, inode)
    else:
        await folder.unlink(child.name, inode)
    cache.remove(child)


async def move(cache: "DentryCache", child: "Dentry", to: "Dentry", name: bytes, replaced: "Dentry | None") -> None:
    """rename(2) within one layer; what is replaced goes."""
    folder, gone = inode_at(child.parent), replaced.inode if replaced is not None else None
    await folder.rename(child.name, inode_at(child), inode_at(to), name, gone, 0)
    cache.move(child, to, name)


async def whiteout(cache: "DentryCache", folder: "Dentry", name: bytes) -> None:
    """Hide ``name``, which is absent in this folder, from the layers below."""
    cache.add(folder, name, await inode_at(folder).create(name, S_IFCHR, 0, 0, 0))


async def empty(cache: "DentryCache", folder: "Dentry", depth: int = 0) -> None:
    """Remove all that is in a folder: whiteouts, or what an interrupted copy has left."""
    for entry in await inode_at(folder).read_children():
        child = await child_of(cache, folder, entry.name)
        if child is None:
            continue
        if is_directory(inode_at(child)) and depth < _NESTING_MAX:
            await empty(cache, child, depth + 1)
        await remove(cache, child)


async def mark(inode: "Inode", name: bytes) -> bytes:
    """An attribute of the overlay's own, or b"" where there is none."""
    try:
        return await inode.getxattr(name)
    except SyscallError as error:
        if error.errno not in (ENODATA, EOPNOTSUPP):
            raise
        return b""
