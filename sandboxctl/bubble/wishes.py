"""What a command line of ``sandboxctl do`` asks for: the steps that make its tree, in order, and the rest."""

import os
from dataclasses import dataclass, field

from sandboxctl.errors import SandboxError

#: bubblewrap's own exit status for all that it cannot do
EXIT_BUBBLE = 1


class BubbleError(SandboxError):
    """What bubblewrap would refuse or fail at, too."""

    def __init__(self, message: str) -> None:
        super().__init__(message, EXIT_BUBBLE)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the tree. ``kind`` is the option's name without dashes, ``-try`` and ``ro-``.

    ``mode`` is that of what is made (permission bits); ``is_made_open``: parents that are missing are made as open as that.
    ``source``: a path of the host, the target of a link; ``number``: a descriptor of ours; ``size`` in bytes, 0 for no limit.
    """

    kind: str
    destination: str
    source: str = ""
    mode: int = 0
    read_only: bool = False
    may_be_missing: bool = False
    allows_devices: bool = False
    number: int = -1
    size: int = 0


@dataclass(slots=True)
class Wishes:
    """All of a command line. ``shared`` are the namespaces of the host that it does not leave."""

    steps: list[Step] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    unshared: set[str] = field(default_factory=set)
    keeps_net: bool = False
    chdir: str | None = None
    hostname: str | None = None
    uid: int | None = None
    gid: int | None = None
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    #: in order: (whether it is added, mask)
    capabilities: list[tuple[bool, int]] = field(default_factory=list)
    dies_with_parent: bool = False
    is_new_session: bool = False
    is_first: bool = False
    seccomp_fd: int = -1
    block_fd: int = -1
    info_fd: int = -1
    status_fd: int = -1
    kept_fds: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def has_own_net(self) -> bool:
        """``--unshare-net``, or ``--unshare-all`` without ``--share-net``."""
        return "net" in self.unshared and not self.keeps_net
