"""Extended attributes (xattr(7)) and, under two of their names, access control lists (acl(5))."""

from typing import TYPE_CHECKING, Final

from sentry.vfs import watch
from sentry.vfs.acl import ACCESS_NAME, ACL_NAMES, DEFAULT_NAME, Acl
from sentry.vfs.attributes import check_writable_mount
from sentry.vfs.context import Path
from sentry.vfs.permission import (
    CAP_FSETID,
    CAP_SYS_ADMIN,
    MAY_READ,
    MAY_WRITE,
    check_owner,
    check_permission,
    is_owner_or_capable,
)
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import EACCES, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.abi.inotify import IN_ATTRIB
from syscalls.abi.stat import S_IFDIR, S_IFMT, S_IFREG, S_ISGID, S_ISVTX

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.kernel.task import Task
    from sentry.vfs.inode import Inode

XATTR_NAME_MAX: Final = 255


async def getxattr(task: "Task", place: Path, name: bytes) -> bytes:
    """getxattr(2). Errors: ENODATA, EOPNOTSUPP, EACCES, ERANGE (name)."""
    inode = place.inode
    if name in ACL_NAMES:
        return await _get_acl(inode, name)
    _check_xattr(task.credentials, inode, name, is_write=False)
    return await inode.getxattr(name)


async def setxattr(task: "Task", place: Path, name: bytes, value: bytes, flags: int) -> None:
    """setxattr(2). For a list the flags mean nothing."""
    check_writable_mount(place)
    inode = place.inode
    if name in ACL_NAMES:
        await _set_acl(task.credentials, inode, name, Acl.parse(value))
    else:
        _check_xattr(task.credentials, inode, name, is_write=True)
        await inode.setxattr(name, value, flags)
    watch.happened(place.dentry, IN_ATTRIB)


async def removexattr(task: "Task", place: Path, name: bytes) -> None:
    """removexattr(2)."""
    check_writable_mount(place)
    inode = place.inode
    if name in ACL_NAMES:
        await _set_acl(task.credentials, inode, name, None)
    else:
        _check_xattr(task.credentials, inode, name, is_write=True)
        await inode.removexattr(name)
    watch.happened(place.dentry, IN_ATTRIB)


async def listxattr(task: "Task", place: Path) -> list[bytes]:
    """listxattr(2): trusted names only for the privileged."""
    inode = place.inode
    names = [name for name in await inode.listxattr() if name not in ACL_NAMES]
    if inode.supports_acls():
        attr = await inode.getattr()
        kept = ((ACCESS_NAME, attr.acl), (DEFAULT_NAME, attr.default_acl))
        names = [name for name, acl in kept if acl is not None] + names
    if not task.credentials.has(CAP_SYS_ADMIN):
        names = [name for name in names if not name.startswith(b"trusted.")]
    return names


async def _get_acl(inode: "Inode", name: bytes) -> bytes:
    """Anybody may read a list. Errors: EOPNOTSUPP, ENODATA."""
    if not inode.supports_acls():
        raise SyscallError(EOPNOTSUPP)
    attr = await inode.getattr()
    acl: Acl | None = attr.acl if name == ACCESS_NAME else attr.default_acl
    if acl is None:
        raise SyscallError(ENODATA)
    return acl.encode()


async def _set_acl(creds: "Credentials", inode: "Inode", name: bytes, acl: Acl | None) -> None:
    """Linux: fs/posix_acl.c, set_posix_acl(). Errors: EOPNOTSUPP, EACCES (a default list of no folder), EPERM, EINVAL, ENOSPC."""
    if not inode.supports_acls():
        raise SyscallError(EOPNOTSUPP)
    attr = await inode.getattr()
    if name == DEFAULT_NAME and attr.mode & S_IFMT != S_IFDIR:
        if acl is not None:
            raise SyscallError(EACCES)
        return
    check_owner(creds, attr)
    if acl is not None:
        acl.check()
        if name == ACCESS_NAME:
            mode = attr.mode & 0o7000 | acl.mode()
            if not creds.in_group(attr.gid) and not creds.has(CAP_FSETID):
                mode &= ~S_ISGID
            await inode.setattr(SetAttr(mode=mode))
            acl = acl.extended()
    await inode.set_acl(name, acl)


def _check_xattr(creds: "Credentials", inode: "Inode", name: bytes, *, is_write: bool) -> None:
    """Who may touch which name space (xattr(7); Linux: fs/xattr.c, xattr_permission())."""
    if not 0 < len(name) <= XATTR_NAME_MAX:
        raise SyscallError(ERANGE)
    attr = inode.attr
    space, dot, rest = name.partition(b".")
    if not dot or space not in (b"user", b"trusted", b"security", b"system"):
        raise SyscallError(EOPNOTSUPP)
    if not rest:
        raise SyscallError(EINVAL)
    if space == b"trusted":
        if not creds.has(CAP_SYS_ADMIN):
            raise SyscallError(EPERM if is_write else ENODATA)
        return
    if space == b"security":
        if is_write and not creds.has(CAP_SYS_ADMIN):
            raise SyscallError(EPERM)
        return
    if space == b"system":
        raise SyscallError(EOPNOTSUPP)
    kind = attr.mode & S_IFMT
    if kind not in (S_IFREG, S_IFDIR):
        raise SyscallError(EPERM if is_write else ENODATA)
    if is_write and kind == S_IFDIR and attr.mode & S_ISVTX and not is_owner_or_capable(creds, attr):
        raise SyscallError(EPERM)
    check_permission(creds, attr, MAY_WRITE if is_write else MAY_READ)
