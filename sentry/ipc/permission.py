"""Who may do what to a System V object (sysvipc(7)). Linux: ipc/util.c, ipcperms(), ipcctl_obtain_check()."""

from typing import TYPE_CHECKING, Final

from syscalls.abi.errno import EACCES, EINVAL, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials

CAP_IPC_LOCK, CAP_IPC_OWNER, CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 14, 15, 21, 24
MAY_READ: Final = 0o444
MAY_WRITE: Final = 0o222
_ID_UNSET: Final = 0xFFFFFFFF


class IpcPerm:
    """struct ipc_perm: ``id`` is what the guest uses, ``seq`` its upper part."""

    __slots__ = ("cgid", "cuid", "gid", "id", "is_removed", "key", "mode", "seq", "uid")

    def __init__(self, key: int, mode: int, creds: "Credentials") -> None:
        self.key = key
        self.uid = self.cuid = creds.euid
        self.gid = self.cgid = creds.egid
        self.mode = mode & 0o777
        self.seq = 0
        self.id = -1
        self.is_removed = False

    def fields(self) -> tuple[int, int, int, int, int, int, int]:
        """As ``IPC64_PERM`` packs them."""
        return self.key, self.uid, self.gid, self.cuid, self.cgid, self.mode, self.seq

    def check(self, creds: "Credentials", wanted: int) -> None:
        """``wanted``: MAY_READ, MAY_WRITE, or the mode bits that ...get(2) was given. Errors: EACCES."""
        requested = wanted >> 6 | wanted >> 3 | wanted
        granted = self.mode
        if creds.euid in (self.cuid, self.uid):
            granted >>= 6
        elif creds.in_group(self.cgid) or creds.in_group(self.gid):
            granted >>= 3
        if requested & ~granted & 0o7 and not creds.has(CAP_IPC_OWNER):
            raise SyscallError(EACCES)

    def check_owner(self, creds: "Credentials") -> None:
        """IPC_SET, IPC_RMID: owner, creator or CAP_SYS_ADMIN. Errors: EPERM."""
        if creds.euid not in (self.cuid, self.uid) and not creds.has(CAP_SYS_ADMIN):
            raise SyscallError(EPERM)

    def change(self, uid: int, gid: int, mode: int) -> None:
        """IPC_SET. Errors: EINVAL for -1."""
        if _ID_UNSET in (uid, gid):
            raise SyscallError(EINVAL)
        self.uid, self.gid = uid, gid
        self.mode = self.mode & ~0o777 | mode & 0o777
