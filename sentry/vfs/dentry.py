"""Directory entries: names in a tree, cached, negative ones included (path_resolution(7)).

The cache is bounded: ``DentryCache`` evicts by second chance, which is near LRU and costs one store per hit. A dentry that
anything refers to (an open file, a working directory, a mount, a cached child) is never evicted, so there is always at most
one dentry for a name that is in use, and rename and unlink see it.
"""

from collections import OrderedDict
from sys import getrefcount
from typing import TYPE_CHECKING, Final

from syscalls.abi.stat import S_IFMT

if TYPE_CHECKING:
    from sentry.vfs.inode import Inode

DENTRIES_MAX: Final = 16_384
_EVICT_BATCH: Final = 64
_UNCACHED_MAX: Final = 256


class Dentry:
    """A name in a directory. ``inode`` None is a negative entry: the name is known to be absent.

    ``uncached`` holds the dentries below a directory that is not cacheable: they keep their identity but every walk asks again.
    """

    __slots__ = ("__weakref__", "children", "inode", "is_deleted", "is_recent", "mounts_here", "name", "parent", "uncached")

    def __init__(self, name: bytes, parent: "Dentry | None", inode: "Inode | None") -> None:
        self.name = name
        self.parent = parent if parent is not None else self
        self.inode = inode
        self.children: dict[bytes, Dentry] = {}
        self.uncached: dict[bytes, Dentry] | None = None
        self.mounts_here = 0  # how many mounts sit on this dentry, in any namespace
        self.is_deleted = False
        self.is_recent = True

    def __repr__(self) -> str:
        return f"<Dentry {self.name!r}{' negative' if self.inode is None else ''}{' deleted' if self.is_deleted else ''}>"

    def is_below(self, ancestor: "Dentry") -> bool:
        """Whether ``ancestor`` is this dentry or one of its parents."""
        dentry = self
        while dentry is not ancestor:
            if dentry.parent is dentry:
                return False
            dentry = dentry.parent
        return True


class DentryCache:
    """All cached dentries of a kernel, oldest first; at most ``limit``, more only while all are in use."""

    __slots__ = ("_entries", "_idle", "limit")

    def __init__(self, limit: int = DENTRIES_MAX) -> None:
        self.limit = limit
        self._entries: OrderedDict[Dentry, None] = OrderedDict()
        # How many references a cached dentry has that nobody uses: measured, because interpreters differ.
        self._idle = 0
        parent = Dentry(b"", None, None)
        self.add(parent, b"probe", None)
        self._idle = self._references_of_oldest()
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, parent: Dentry, name: bytes, inode: "Inode | None") -> Dentry:
        """Enter what a lookup of ``name`` in ``parent`` has found (None: absent) and return its dentry."""
        if parent.inode is not None and not parent.inode.is_cacheable:
            return self._add_uncached(parent, name, inode)
        dentry = parent.children.get(name)
        if dentry is None:
            dentry = Dentry(name, parent, inode)
            parent.children[name] = dentry
            self._entries[dentry] = None
            if len(self._entries) > self.limit:
                self._evict()
        elif dentry.inode is not inode and not _is_same(dentry.inode, inode):
            dentry = self._change(dentry, inode)
        return dentry

    def remove(self, dentry: Dentry, *, leave_negative: bool = True) -> None:
        """The name is gone from its directory; ``dentry`` lives on for those who hold it."""
        parent = dentry.parent
        dentry.is_deleted = True
        for child in dentry.children.values():
            self._entries.pop(child, None)
        dentry.children.clear()
        self._entries.pop(dentry, None)
        for table in (parent.children, parent.uncached):
            if table is not None and table.get(dentry.name) is dentry:
                del table[dentry.name]
                if leave_negative and table is parent.children:
                    self.add(parent, dentry.name, None)

    def move(self, dentry: Dentry, to: Dentry, name: bytes) -> None:
        """rename(2): ``dentry`` gets a new parent and name, replacing what was there; the old name is negative."""
        old_parent, old_name = dentry.parent, dentry.name
        replaced = to.children.get(name) or (to.uncached or {}).get(name)
        if replaced is not None and replaced is not dentry:
            self.remove(replaced, leave_negative=False)
        self._unhook(dentry)
        dentry.parent, dentry.name = to, name
        self._hook(dentry)
        if old_parent.inode is not None and old_parent.inode.is_cacheable and (old_parent is not to or old_name != name):
            self.add(old_parent, old_name, None)

    def exchange(self, first: Dentry, second: Dentry) -> None:
        """RENAME_EXCHANGE."""
        self._unhook(first)
        self._unhook(second)
        first.parent, second.parent = second.parent, first.parent
        first.name, second.name = second.name, first.name
        self._hook(first)
        self._hook(second)

    def _change(self, dentry: Dentry, inode: "Inode | None") -> Dentry:
        if dentry.inode is None:
            dentry.inode = inode
            return dentry
        parent, name = dentry.parent, dentry.name
        self.remove(dentry, leave_negative=False)
        return self.add(parent, name, inode)

    def _add_uncached(self, parent: Dentry, name: bytes, inode: "Inode | None") -> Dentry:
        table = parent.uncached
        if table is None:
            table = parent.uncached = {}
        dentry = table.get(name)
        if dentry is not None and (dentry.inode is inode or (dentry.mounts_here and inode is not None)):
            return dentry
        if dentry is not None:
            dentry.is_deleted = True
            table.pop(name)
        dentry = Dentry(name, parent, inode)
        if inode is not None:
            if len(table) >= _UNCACHED_MAX:
                oldest = next(iter(table))
                if table[oldest].mounts_here:
                    table[oldest] = table.pop(oldest)
                else:
                    del table[oldest]
            table[name] = dentry
        return dentry

    def _references_of_oldest(self) -> int:
        return getrefcount(next(iter(self._entries)))

    def _unhook(self, dentry: Dentry) -> None:
        parent = dentry.parent
        self._entries.pop(dentry, None)
        if parent.children.get(dentry.name) is dentry:
            del parent.children[dentry.name]
        if parent.uncached is not None and parent.uncached.get(dentry.name) is dentry:
            del parent.uncached[dentry.name]

    def _hook(self, dentry: Dentry) -> None:
        parent = dentry.parent
        if parent.inode is not None and not parent.inode.is_cacheable:
            if parent.uncached is None:
                parent.uncached = {}
            parent.uncached[dentry.name] = dentry
        else:
            parent.children[dentry.name] = dentry
            self._entries[dentry] = None

    def _evict(self) -> None:
        """Make room: idle dentries that no walk has met since the last round go first."""
        entries = self._entries
        done = 0
        for _ in range(4 * _EVICT_BATCH):
            references = self._references_of_oldest()
            dentry = next(iter(entries))
            if dentry.is_recent or dentry.children or dentry.mounts_here or references > self._idle:
                dentry.is_recent = False
                entries.move_to_end(dentry)
                continue
            del entries[dentry]
            del dentry.parent.children[dentry.name]
            done += 1
            if done == _EVICT_BATCH:
                return


def _is_same(known: "Inode | None", found: "Inode | None") -> bool:
    """Two objects for one file: two tasks looked it up at once, and the first answer is in use."""
    return (
        known is not None
        and found is not None
        and known.fs is found.fs
        and known.attr.ino == found.attr.ino
        and (known.attr.mode ^ found.attr.mode) & S_IFMT == 0
    )
