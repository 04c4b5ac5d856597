"""Handles of name_to_handle_at(2): names of files that stay good over renames. Kept for the files that were asked for last.

A handle is an inode number and a number of ours, so that what is forgotten, or was made up, is stale instead of another file.
"""

from collections import OrderedDict
from struct import Struct
from typing import TYPE_CHECKING, Final

from syscalls.abi.errno import ESTALE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.inode import Inode

HANDLES_MAX: Final = 4096
HANDLE: Final = Struct("<QQ")
HANDLE_TYPE: Final = 0x81


class FileHandles:
    """By file system and handle, the least recently used forgotten first."""

    __slots__ = ("_known", "_numbers", "_serial")

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, bytes], Dentry] = OrderedDict()
        self._numbers: dict[Inode, bytes] = {}
        self._serial = 0

    def handle_of(self, dentry: "Dentry") -> bytes:
        """The handle of the file at ``dentry``: always the same while it is remembered."""
        inode = dentry.inode
        assert inode is not None
        handle = self._numbers.get(inode)
        if handle is None:
            self._serial += 1
            handle = self._numbers[inode] = HANDLE.pack(inode.attr.ino & (1 << 64) - 1, self._serial)
        key = (inode.fs.dev, handle)
        self._known[key] = dentry
        self._known.move_to_end(key)
        if len(self._known) > HANDLES_MAX:
            _, old = self._known.popitem(last=False)
            if old.inode is not None:
                self._numbers.pop(old.inode, None)
        return handle

    def find(self, dev: int, handle: bytes) -> "Dentry":
        """Errors: ESTALE unknown, or the file has no name any more."""
        dentry = self._known.get((dev, handle))
        if dentry is None or dentry.inode is None or dentry.is_deleted:
            raise SyscallError(ESTALE)
        return dentry
