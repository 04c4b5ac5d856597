"""Folders of a stacked overlay: the layers' folders of one name, merged.

Linux: fs/overlayfs/namei.c, dir.c, readdir.c (behaviour learned from overlayfs.rst and by trying).
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sentry.fs.stacked import layer
from sentry.fs.stacked.layer import child_of, inode_at, is_directory, is_whiteout
from sentry.fs.stacked.node import Lower, StackedNode
from sentry.vfs.dentry import Dentry
from sentry.vfs.file import Entry
from syscalls.abi.errno import EEXIST, ENOENT, ENOTEMPTY, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFCHR, S_IFMT

if TYPE_CHECKING:
    from sentry.vfs.inode import Inode

_DT_CHR = 2


class StackedDirectory(StackedNode):
    """One folder. ``redirect`` is what its name was below, if it was renamed here."""

    __slots__ = ("redirect",)

    redirect: bytes

    async def lookup(self, name: bytes) -> "Inode | None":
        """The upper layer's name first; a whiteout or an opaque folder ends the search."""
        fs = self.fs
        upper = None
        redirect = b""
        if self.upper is not None:
            upper = await child_of(fs.cache, self.upper, name)
            if upper is not None:
                inode = inode_at(upper)
                if is_whiteout(inode):
                    return None
                if not is_directory(inode):
                    return await self._upper_node(upper, (), name)
                if await layer.mark(inode, fs.opaque) == b"y":
                    return await self._upper_node(upper, (), name)
                redirect = await self._redirect_of(inode)
        lowers = await self._lookup_below(name, redirect)
        if upper is not None:
            lowers = tuple(lower for lower in lowers if is_directory(inode_at(lower[1])))
        elif not lowers:
            return None
        node = await self._upper_node(upper, lowers, name) if upper is not None else fs.node(upper, lowers, self, name)
        if isinstance(node, StackedDirectory):
            node.redirect = redirect
        return node

    async def _upper_node(self, upper: Dentry, lowers: tuple[Lower, ...], name: bytes) -> StackedNode:
        """A copy goes by the number of what it was made from."""
        node = self.fs.node(upper, lowers, self, name)
        node.ino = await self.fs.origin_of(inode_at(upper)) or node.ino
        return node

    async def _redirect_of(self, inode: "Inode") -> bytes:
        text = await layer.mark(inode, self.fs.redirect_mark)
        if text and not self.fs.follows_redirects:
            raise SyscallError(EPERM)
        return text if text[:1] == b"/" or b"/" not in text else b""

    async def _lookup_below(self, name: bytes, redirect: bytes) -> tuple[Lower, ...]:
        """What the lower layers have under that name: one object, or the folders that lie on each other."""
        fs = self.fs
        found: list[Lower] = []
        stack = list(fs.lower_roots) if redirect[:1] == b"/" else list(self.lowers)
        names = [part for part in (redirect or name).split(b"/") if part]
        while stack:
            index, place = stack.pop(0)
            child = await self._descend(place, names)
            if child is None:
                continue
            inode = inode_at(child)
            if is_whiteout(inode):
                break
            if not is_directory(inode):
                if not found:
                    found.append((index, child))
                break
            found.append((index, child))
            if await layer.mark(inode, fs.opaque) == b"y":
                break
            further = await self._redirect_of(inode)
            if further:
                names = [part for part in further.split(b"/") if part] if further[:1] == b"/" else [*names[:-1], further]
                if further[:1] == b"/":
                    stack = [root for root in fs.lower_roots if root[0] > index]
        return tuple(found)

    async def _descend(self, place: Dentry, names: list[bytes]) -> Dentry | None:
        child: Dentry | None = place
        for name in names:
            if child is None or not is_directory(inode_at(child)):
                return None
            child = await child_of(self.fs.cache, child, name)
        return child

    async def has_below(self, name: bytes) -> bool:
        """Whether removing the upper layer's name would let another shine through."""
        if not self.lowers:
            return False
        return bool(await self._lookup_below(name, b""))

    async def read_children(self) -> list[Entry]:
        """The upper layer's entries, then those of below that nothing hides."""
        places = ([self.upper] if self.upper is not None else []) + [place for _, place in self.lowers]
        shown: dict[bytes, Entry] = {}
        hidden: set[bytes] = set()
        for place in places:
            for entry in await inode_at(place).read_children():
                name = entry.name
                if name in shown or name in hidden:
                    continue
                if entry.type == _DT_CHR and await self._is_whiteout_at(place, name):
                    hidden.add(name)
                else:
                    shown[name] = Entry(name, await self._number_of(place, entry), entry.type)
        return list(shown.values())

    async def _number_of(self, place: Dentry, entry: Entry) -> int:
        """What stat(2) says too."""
        if place is self.upper:
            child = await child_of(self.fs.cache, place, entry.name)
            if child is not None and (origin := await self.fs.origin_of(inode_at(child))):
                return origin
        return self.fs.shown_ino(inode_at(place).fs, entry.ino)

    async def _is_whiteout_at(self, place: Dentry, name: bytes) -> bool:
        child = await child_of(self.fs.cache, place, name)
        return child is None or is_whiteout(inode_at(child))

    async def check_empty(self) -> None:
        """Errors: ENOTEMPTY."""
        if await self.read_children():
            raise SyscallError(ENOTEMPTY)

    async def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> "Inode":
        """In the upper layer. Errors: EPERM for what would be a whiteout."""
        if mode & S_IFMT == S_IFCHR and not rdev:
            raise SyscallError(EPERM)
        return await self._make(name, lambda upper: upper.create(name, mode, uid, gid, rdev))

    async def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> "Inode":
        """In the upper layer; nothing of below shines through it."""
        node = await self._make(name, lambda upper: upper.mkdir(name, mode, uid, gid))
        if self.lowers:
            await node.real.setxattr(self.fs.opaque, b"y", 0)
        return node

    async def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> "Inode":
        """In the upper layer."""
        return await self._make(name, lambda upper: upper.symlink(name, target, uid, gid))

    async def link(self, name: bytes, inode: "Inode") -> None:
        """A further name for the copy in the upper layer."""
        assert isinstance(inode, StackedNode)
        await inode.copy_up()

        async def make(upper: "Inode") -> "Inode":
            await upper.link(name, inode.real)
            return inode.real

        await self._make(name, make)

    async def _make(self, name: bytes, make: "Callable[[Inode], Awaitable[Inode]]") -> StackedNode:
        """A new name in the upper layer, in place of a whiteout perhaps. Errors: EEXIST, ENOENT."""
        upper = await self._writable()
        old = await child_of(self.fs.cache, upper, name)
        if old is not None:
            if not is_whiteout(inode_at(old)):
                raise SyscallError(EEXIST)
            await layer.remove(self.fs.cache, old)
        made = await make(inode_at(upper))
        return self.fs.node(self.fs.cache.add(upper, name, made), (), self, name)

    async def _writable(self) -> Dentry:
        """This folder in the upper layer. Errors: EROFS, ENOENT if it is gone."""
        if self.attr.nlink == 0:
            raise SyscallError(ENOENT)
        await self.copy_up()
        assert self.upper is not None
        return self.upper

    async def unlink(self, name: bytes, inode: "Inode") -> None:
        """Remove the upper layer's name and hide what would shine through."""
        assert isinstance(inode, StackedNode)
        await self._hide(name)
        inode.is_gone = inode.upper is None

    async def rmdir(self, name: bytes, inode: "Inode") -> None:
        """Remove an empty folder: the whiteouts in it go first. Errors: ENOTEMPTY."""
        assert isinstance(inode, StackedDirectory)
        await inode.check_empty()
        if inode.upper is not None:
            await layer.empty(self.fs.cache, inode.upper)
        await self._hide(name)
        inode.is_gone = True

    async def _hide(self, name: bytes) -> None:
        is_below = await self.has_below(name)
        upper = await self._writable()
        own = await child_of(self.fs.cache, upper, name)
        if own is not None:
            await layer.remove(self.fs.cache, own)
        if is_below:
            await layer.whiteout(self.fs.cache, upper, name)

    async def rename(
        self, name: bytes, inode: "Inode", to: "Inode", to_name: bytes, replaced: "Inode | None", flags: int
    ) -> None:
        """Move within the overlay. Errors: EXDEV for a folder of below without redirect_dir=on, ENOTEMPTY."""
        from sentry.fs.stacked.rename import rename

        assert isinstance(to, StackedDirectory)
        await rename(self, name, inode, to, to_name, replaced, flags)

    async def tmpfile(self, mode: int, uid: int, gid: int) -> "Inode":
        """A file without a name, in the upper layer."""
        upper = await self._writable()
        made = await inode_at(upper).tmpfile(mode, uid, gid)
        place = Dentry(b"#%d" % made.attr.ino, upper, made)
        place.is_deleted = True
        return self.fs.node(place, (), self, place.name)
