"""Who may do what to an inode (inode(7), path_resolution(7), capabilities(7))."""

from typing import TYPE_CHECKING, Final

from syscalls.abi.errno import EACCES, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.vfs.stat import Attr

MAY_EXEC: Final = 1
MAY_WRITE: Final = 2
MAY_READ: Final = 4

CAP_CHOWN: Final = 0
CAP_DAC_OVERRIDE: Final = 1
CAP_DAC_READ_SEARCH: Final = 2
CAP_FOWNER: Final = 3
CAP_FSETID: Final = 4
CAP_SYS_ADMIN: Final = 21
CAP_SYS_RESOURCE: Final = 24
CAP_MKNOD: Final = 27
CAP_SYS_CHROOT: Final = 18
_DAC_OVERRIDE_BIT: Final = 1 << CAP_DAC_OVERRIDE
_READ_SEARCH_BIT: Final = 1 << CAP_DAC_READ_SEARCH


def may(creds: "Credentials", attr: "Attr", mask: int) -> bool:
    """Whether ``creds`` (fsuid, fsgid, capabilities) grant every bit of ``mask`` on the inode."""
    mode = attr.mode
    if attr.uid == creds.fsuid:
        granted = mode >> 6
    elif attr.acl is not None and mode & 0o070:  # no bit of the mask: nobody that the list names has a right
        granted = 7 if attr.acl.grants(creds, attr.uid, attr.gid, mask & 7) else 0
    elif attr.gid == creds.fsgid or attr.gid in creds.groups:
        granted = mode >> 3
    else:
        granted = mode
    if not mask & ~granted & 7:
        return True
    effective = creds.effective
    if not effective:
        return False
    if effective & _DAC_OVERRIDE_BIT and (not mask & MAY_EXEC or mode & 0o111 or mode & S_IFMT == S_IFDIR):
        return True
    if effective & _READ_SEARCH_BIT:
        return mask == MAY_READ or (mode & S_IFMT == S_IFDIR and not mask & MAY_WRITE)
    return False


def check_permission(creds: "Credentials", attr: "Attr", mask: int) -> None:
    """Errors: EACCES."""
    if not may(creds, attr, mask):
        raise SyscallError(EACCES)


def is_owner_or_capable(creds: "Credentials", attr: "Attr") -> bool:
    """The owner, or CAP_FOWNER."""
    return attr.uid == creds.fsuid or creds.has(CAP_FOWNER)


def check_owner(creds: "Credentials", attr: "Attr") -> None:
    """chmod, utimensat with times, O_NOATIME. Errors: EPERM."""
    if not is_owner_or_capable(creds, attr):
        raise SyscallError(EPERM)


def check_delete(creds: "Credentials", directory: "Attr", victim: "Attr") -> None:
    """Removing or replacing a name: write and search on the directory, and the sticky bit. Errors: EACCES, EPERM."""
    check_permission(creds, directory, MAY_WRITE | MAY_EXEC)
    if directory.mode & S_ISVTX and creds.fsuid not in (victim.uid, directory.uid) and not creds.has(CAP_FOWNER):
        raise SyscallError(EPERM)


def check_chown(creds: "Credentials", attr: "Attr", uid: int | None, gid: int | None) -> None:
    """chown(2): CAP_CHOWN, or the owner giving the file to one of its own groups. Errors: EPERM."""
    if creds.has(CAP_CHOWN):
        return
    if uid is not None and (uid != attr.uid or creds.fsuid != attr.uid):
        raise SyscallError(EPERM)
    if gid is not None and (creds.fsuid != attr.uid or not (gid == attr.gid or creds.in_group(gid))):
        raise SyscallError(EPERM)


def chmod_mode(creds: "Credentials", attr: "Attr", mode: int) -> int:
    """The permission bits that chmod(2) really sets: S_ISGID is lost for a group the caller is not in."""
    if mode & S_ISGID and attr.mode & S_IFMT != S_IFDIR and not creds.in_group(attr.gid) and not creds.has(CAP_FSETID):
        mode &= ~S_ISGID
    return mode


def without_set_ids(mode: int) -> int:
    """What a write or chown leaves of ``mode``: no S_ISUID, and no S_ISGID where the group may execute."""
    mode &= ~S_ISUID
    if mode & S_ISGID and mode & 0o010:
        mode &= ~S_ISGID
    return mode


def inherit(directory: "Attr", creds: "Credentials", mode: int, kind: int) -> tuple[int, int]:
    """Group and mode of a new inode of type ``kind``: a set-group-id directory hands its group (and the bit) down."""
    if not directory.mode & S_ISGID:
        return creds.fsgid, mode
    if kind == S_IFDIR:
        mode |= S_ISGID
    elif mode & (S_ISGID | 0o010) == (S_ISGID | 0o010) and not creds.in_group(directory.gid) and not creds.has(CAP_FSETID):
        mode &= ~S_ISGID
    return directory.gid, mode
