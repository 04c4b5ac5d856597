"""statx(2): extended attributes of a file."""

from typing import Annotated, Final

from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.lookup import place_of
from sentry.vfs.mount import split_dev, unique_id
from sentry.vfs.namespace import resolve
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_STATX_DONT_SYNC,
    AT_STATX_FORCE_SYNC,
    AT_SYMLINK_NOFOLLOW,
)
from syscalls.abi.stat import STATX, STATX_ATTR_MOUNT_ROOT, STATX_BASIC_STATS, STATX_BTIME, STATX_MNT_ID, STATX_MNT_ID_UNIQUE
from syscalls.args import Fd, Flags, PathPtr, UInt, UserPtr
from syscalls.registry import syscall

_NS: Final = 1_000_000_000
_SYNC: Final = AT_STATX_DONT_SYNC | AT_STATX_FORCE_SYNC
_FLAGS: Final = Flags("AT", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | _SYNC, ignored=AT_NO_AUTOMOUNT)
_RESERVED: Final = 0x80000000
_ATTRIBUTES_KNOWN: Final = STATX_ATTR_MOUNT_ROOT


@syscall(man="statx(2)")
async def sys_statx(
    task: Task, dirfd: Fd, pathname: PathPtr, flags: Annotated[int, _FLAGS], mask: UInt, statxbuf: UserPtr
) -> int:
    """Write the attributes that ``mask`` asks for, and those that cost nothing. Errors: EINVAL, as stat(2)."""
    if flags & _SYNC == _SYNC or mask & _RESERVED:
        raise SyscallError(EINVAL)
    path = task.memory.read_path(pathname) if pathname or not flags & AT_EMPTY_PATH else b""
    if not path and flags & AT_EMPTY_PATH and dirfd != AT_FDCWD:
        place = place_of(task, task.fds.get_any(dirfd))
    else:
        place = await resolve(task, dirfd, path, follow=not flags & AT_SYMLINK_NOFOLLOW, empty_ok=bool(flags & AT_EMPTY_PATH))
    task.memory.write(statxbuf, pack_statx(place, await place.inode.getattr(), mask))
    return 0


def _mount_id(place: Path, filled: int) -> int:
    if filled & STATX_MNT_ID_UNIQUE:
        return unique_id(place.mount)
    return place.mount.id if filled & STATX_MNT_ID else 0


def pack_statx(place: Path, attr: Attr, mask: int) -> bytes:
    """The struct statx."""
    has_btime = attr.btime_ns != 0
    filled = STATX_BASIC_STATS | (STATX_BTIME if has_btime else 0) | (mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE))
    if filled & STATX_MNT_ID_UNIQUE:
        filled &= ~STATX_MNT_ID
    attributes = STATX_ATTR_MOUNT_ROOT if place.dentry is place.mount.root else 0
    return STATX.pack(
        filled,
        attr.blksize,
        attributes,
        attr.nlink,
        attr.uid,
        attr.gid,
        attr.mode,
        attr.ino,
        attr.size,
        attr.blocks,
        _ATTRIBUTES_KNOWN,
        *divmod(attr.atime_ns, _NS),
        *divmod(attr.btime_ns, _NS),
        *divmod(attr.ctime_ns, _NS),
        *divmod(attr.mtime_ns, _NS),
        *split_dev(attr.rdev),
        *split_dev(place.inode.fs.dev),
        _mount_id(place, filled),
        0,
        0,
    )
