"""Inode attributes as statx(2) knows them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.vfs.acl import Acl


@dataclass(slots=True)
class Attr:
    """Attributes of one inode. Times in nanoseconds since the epoch, sizes in bytes, ``blocks`` of 512 bytes.

    ``mode`` holds the file type and the permission bits; ``rdev`` is Linux's encoded device number.
    """

    ino: int
    mode: int
    nlink: int = 1
    uid: int = 0
    gid: int = 0
    size: int = 0
    blocks: int = 0
    blksize: int = 4096
    rdev: int = 0
    atime_ns: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    btime_ns: int = 0
    #: what the mode cannot say (acl(5)), and what new objects in a folder get
    acl: "Acl | None" = None
    default_acl: "Acl | None" = None


@dataclass(frozen=True, slots=True)
class SetAttr:
    """What chmod, chown, truncate and utimensat want to change; None leaves a field alone."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class StatFs:
    """statfs(2)."""

    type: int
    bsize: int = 4096
    blocks: int = 0
    bfree: int = 0
    bavail: int = 0
    files: int = 0
    ffree: int = 0
    namelen: int = 255
    flags: int = 0
    fsid: int = 0
