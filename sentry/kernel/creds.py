"""Credentials (credentials(7), capabilities(7)): immutable, shared, replaced as a whole."""

from dataclasses import dataclass

CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID = range(8)
CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_MKNOD = 21, 24, 27


@dataclass(frozen=True, slots=True)
class Credentials:
    """Ids and capability sets of a task; capability sets are bit masks."""

    uid: int
    euid: int
    suid: int
    fsuid: int
    gid: int
    egid: int
    sgid: int
    fsgid: int
    groups: tuple[int, ...] = ()
    permitted: int = 0
    effective: int = 0
    inheritable: int = 0
    bounding: int = 0
    ambient: int = 0
    securebits: int = 0
    no_new_privs: bool = False

    def has(self, capability: int) -> bool:
        """Whether ``capability`` (CAP_ number) is effective."""
        return bool(self.effective >> capability & 1)

    def in_group(self, gid: int) -> bool:
        """Whether ``gid`` is the file-system group or a supplementary one."""
        return gid == self.fsgid or gid in self.groups
