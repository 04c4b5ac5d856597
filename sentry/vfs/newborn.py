"""What a new object gets from the folder that it is made in: group, mode, access control lists (inode(7), umask(2), acl(5))."""

from typing import TYPE_CHECKING, NamedTuple

from sentry.vfs.acl import ACCESS_NAME, DEFAULT_NAME
from sentry.vfs.permission import inherit
from syscalls.abi.stat import S_IFDIR

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.vfs.acl import Acl
    from sentry.vfs.inode import Inode
    from sentry.vfs.stat import Attr


class Newborn(NamedTuple):
    """Group, permission bits and lists of an object to be made."""

    gid: int
    mode: int
    access: "Acl | None" = None
    default: "Acl | None" = None

    async def endow(self, inode: "Inode") -> None:
        """Give the lists to ``inode``, which has just been made with this group and mode. Errors: EOPNOTSUPP, ENOSPC."""
        if self.access is not None:
            await inode.set_acl(ACCESS_NAME, self.access)
        if self.default is not None:
            await inode.set_acl(DEFAULT_NAME, self.default)


def expect(directory: "Attr", creds: "Credentials", mode: int, umask: int, kind: int) -> Newborn:
    """``mode`` is what the caller wishes. A default list of the folder replaces the umask."""
    gid, mode = inherit(directory, creds, mode, kind)
    lists = directory.default_acl
    if lists is None:
        return Newborn(gid, mode & ~umask)
    mode, access = lists.inherited(mode)
    return Newborn(gid, mode, access, lists if kind == S_IFDIR else None)
