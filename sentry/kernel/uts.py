"""uname(2) and the host name."""

FIRST_ID = 4026531838


class UtsNamespace:
    """What uname says. ``id`` is its inode number in nsfs. ``release`` is one that programs accept (≥ 6.1)."""

    __slots__ = ("domainname", "id", "machine", "nodename", "release", "sysname", "version")

    def __init__(self, nodename: bytes, number: int = FIRST_ID) -> None:
        self.id = number
        self.sysname = b"Linux"
        self.nodename = nodename
        self.release = b"6.12.0-sandboxctl"
        self.version = b"#1 SMP PREEMPT_DYNAMIC sandboxctl"
        self.machine = b"x86_64"
        self.domainname = b"(none)"

    def copy(self, number: int) -> "UtsNamespace":
        """unshare(CLONE_NEWUTS)."""
        twin = UtsNamespace(self.nodename, number)
        twin.domainname = self.domainname
        return twin
