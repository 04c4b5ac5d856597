"""uname(2) and the host name."""


class UtsNamespace:
    """What uname says. ``release`` is one that programs accept (≥ 6.1)."""

    __slots__ = ("domainname", "machine", "nodename", "release", "sysname", "version")

    def __init__(self, nodename: bytes) -> None:
        self.sysname = b"Linux"
        self.nodename = nodename
        self.release = b"6.12.0-sandboxctl"
        self.version = b"#1 SMP PREEMPT_DYNAMIC sandboxctl"
        self.machine = b"x86_64"
        self.domainname = b"(none)"
