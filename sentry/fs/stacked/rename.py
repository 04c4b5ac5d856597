"""rename(2) in a stacked overlay: the move happens in the upper layer, and what would shine through is hidden.

A folder of below is moved without its contents if redirect_dir=on: an attribute tells where they are (overlayfs.rst).
"""

from typing import TYPE_CHECKING

from sentry.fs.stacked import layer
from sentry.fs.stacked.directory import StackedDirectory
from sentry.fs.stacked.layer import child_of
from sentry.fs.stacked.node import StackedNode
from syscalls.abi.errno import EINVAL, ESTALE, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import RENAME_EXCHANGE, RENAME_WHITEOUT

if TYPE_CHECKING:
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.inode import Inode


async def rename(
    source: StackedDirectory,
    name: bytes,
    inode: "Inode",
    to: StackedDirectory,
    to_name: bytes,
    replaced: "Inode | None",
    flags: int,
) -> None:
    """As ``Inode.rename``."""
    assert isinstance(inode, StackedNode)
    assert replaced is None or isinstance(replaced, StackedNode)
    if flags & RENAME_WHITEOUT:
        raise SyscallError(EINVAL)
    _check_movable(inode)
    if flags & RENAME_EXCHANGE:
        assert replaced is not None
        _check_movable(replaced)
        await _exchange(source, name, inode, to, to_name, replaced)
        return
    if isinstance(replaced, StackedDirectory):
        await replaced.check_empty()
    is_below, is_below_target = await source.has_below(name), await to.has_below(to_name)
    await inode.copy_up()
    await source.copy_up()
    await to.copy_up()
    upper = to.upper
    assert upper is not None
    assert inode.upper is not None
    assert source.upper is not None
    cache = to.fs.cache
    if replaced is not None:
        if isinstance(replaced, StackedDirectory) and replaced.upper is not None:
            await layer.empty(cache, replaced.upper)
        replaced.is_gone = replaced.upper is None
    target = await child_of(cache, upper, to_name)
    if target is not None and (layer.is_directory(inode.real) or layer.is_directory(layer.inode_at(target))):
        await layer.remove(cache, target)
        target = None
    await _mark_moved(inode, source is to, is_below_target or bool(to.lowers))
    await layer.move(cache, await _own_place(source, name, inode), upper, to_name, target)
    if is_below:
        await layer.whiteout(cache, source.upper, name)
    _settle(inode, to, to_name)


async def _exchange(
    source: StackedDirectory, name: bytes, inode: StackedNode, to: StackedDirectory, to_name: bytes, other: StackedNode
) -> None:
    await inode.copy_up()
    await other.copy_up()
    await source.copy_up()
    await to.copy_up()
    assert source.upper is not None
    assert to.upper is not None
    await _mark_moved(inode, source is to, bool(to.lowers))
    await _mark_moved(other, source is to, bool(source.lowers))
    first, second = await _own_place(source, name, inode), await _own_place(to, to_name, other)
    await layer.inode_at(source.upper).rename(name, inode.real, layer.inode_at(to.upper), to_name, other.real, RENAME_EXCHANGE)
    to.fs.cache.exchange(first, second)
    inode.upper, other.upper = first, second
    _settle(inode, to, to_name)
    _settle(other, source, name)


async def _own_place(folder: StackedDirectory, name: bytes, inode: StackedNode) -> "Dentry":
    """The name in the upper layer that moves: a file with several names knows only one of them itself."""
    assert folder.upper is not None
    place = await child_of(folder.fs.cache, folder.upper, name)
    if place is None:  # somebody has changed the layer itself
        raise SyscallError(ESTALE)
    inode.upper = place
    return place


def _check_movable(inode: StackedNode) -> None:
    if isinstance(inode, StackedDirectory) and inode.lowers and not inode.fs.makes_redirects:
        raise SyscallError(EXDEV)


async def _mark_moved(inode: StackedNode, is_same_folder: bool, is_covering: bool) -> None:
    """Before a folder moves: say where its contents below are, or that none shine through at the new place."""
    if not isinstance(inode, StackedDirectory):
        return
    fs = inode.fs
    if not inode.lowers:
        if is_covering:
            await inode.real.setxattr(fs.opaque, b"y", 0)
        return
    if inode.redirect[:1] == b"/" or (is_same_folder and inode.redirect):
        return
    redirect = inode.name if is_same_folder else _path_below(inode)
    await inode.real.setxattr(fs.redirect_mark, redirect, 0)
    inode.redirect = redirect


def _path_below(inode: StackedDirectory) -> bytes:
    """The name from the lower layers' root, by former names where a folder above was moved too."""
    names: list[bytes] = []
    folder: StackedDirectory | None = inode
    while folder is not None and folder.parent is not None:
        name = folder.redirect or folder.name
        names.append(name.lstrip(b"/"))
        if name[:1] == b"/":
            break
        folder = folder.parent
    return b"/" + b"/".join(reversed(names))


def _settle(inode: StackedNode, folder: StackedDirectory, name: bytes) -> None:
    inode.parent, inode.name = folder, name
    inode.fs.note(inode)
