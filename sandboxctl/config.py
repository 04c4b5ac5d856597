"""The validated wishes of a caller: what the sandbox is (``SandboxConfig``) and what runs in it (``CommandConfig``).

Made by ``sandboxctl.options``, from the command line and from the Python API alike; immutable from then on.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxctl.bubble.tree import Plan

MIB = 1 << 20
#: descriptors of a guest process; more cost every fork (kernel-facts.md 10)
#: docker's default set (capabilities(7) numbers 0 1 3 4 5 6 7 8 10 13 18 27 29 31)
CAPABILITIES_DEFAULT = 0xA80425FB
PLATFORMS = ("notify", "ptrace")
PROFILES = ("default", "strict")
#: Names for ``--require``: each is a protection or guarantee that a host may be unable to give.
LAYERS = (
    "userns", "mountns", "pidns", "netns", "ipcns", "utsns", "cgroupns", "timens",
    "emptyroot", "landlock", "seccomp", "no_new_privs", "rlimits", "memory", "pids",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Volume:
    """A host folder or file that the guest sees at ``destination``."""

    source: str
    destination: str
    read_only: bool = False
    #: as long as it is empty it gets what the image has at ``destination``
    is_filled: bool = False
    noexec: bool = False


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """An empty file system in memory; ``size`` in bytes, None for half of what the sandbox may use."""

    destination: str
    size: int | None = None
    mode: int = 0o1777
    uid: int = 0
    gid: int = 0
    read_only: bool = False
    noexec: bool = False
    nosuid: bool = True
    nodev: bool = True
    #: how many files it may hold; None for what every file system may
    inodes: int | None = None
    #: it begins with what the image has at ``destination``; mode, uid or gid -1: its, too
    is_filled: bool = False


@dataclass(frozen=True, slots=True)
class Overlay:
    """Where changes to the image are kept while the sandbox runs: memory (``folder`` None), or unnamed files in a host folder.

    ``size`` bounds them, in bytes. Nothing of them stays behind.
    """

    folder: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A way to the outside: passt, or the network namespace at the path ``namespace``.

    ``published``: ``IP/HOST:GUEST/PROTOCOL``; ``denied``: networks that are never reached.

    ``allowed``: (network or name, port or 0), and then nothing else is; ``reserved``: denied unless allowed by address.
    ``log`` and ``pcap`` are paths of files that are written.
    ``way``: passt, netgofer, or empty for the better one that works here.
    """

    published: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    allowed: tuple[tuple[str, int], ...] = ()
    reserved: tuple[str, ...] = ()
    log: str | None = None
    pcap: str | None = None
    namespace: str = ""
    way: str = ""

    def policy_message(self) -> dict[str, object]:
        """What the sentry's configuration says of where packets may go, and what is written about them."""
        return {
            "denied": list(self.denied),
            "allowed": [list(one) for one in self.allowed],
            "reserved": list(self.reserved),
            "log": self.log is not None,
            "pcap": self.pcap is not None,
        }


@dataclass(frozen=True, slots=True)
class Rlimit:
    """A resource limit as setrlimit(2) counts it; -1 is unlimited."""

    resource: int
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Numeric ids of the first process inside."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """One sandbox. Field names are those of the command line's options."""

    image: str = "host"
    platform: str | None = None
    profile: str = "default"
    rw: bool = False
    read_only: bool = False
    overlay: Overlay = field(default_factory=Overlay)
    mounts: tuple[Volume | Tmpfs, ...] = ()
    hostname: str = "sandbox"
    domainname: str = ""
    #: further lines of /etc/hosts (name, address), and what /etc/resolv.conf says
    hosts: tuple[tuple[str, str], ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    #: None: the loopback device only
    network: Network | None = None
    name: str | None = None
    memory: int | None = None
    pids_limit: int | None = None
    #: processors' worth of time, such as 1.5; needs a control group
    cpus: float | None = None
    shm_size: int = 64 * MIB
    #: the largest descriptor number that guests may ask for; None: what the sentry thinks right for this host
    nofile_max: int | None = None
    stop_signal: int = 15
    init: bool = False
    host_as_root: bool = False
    capabilities: int = CAPABILITIES_DEFAULT
    require: tuple[str, ...] = ()
    #: "strace" for lines, "json" for events, else nothing
    trace: str = ""
    census: bool = False
    log_file: str | None = None
    #: paths that look empty, and paths that cannot be changed, where the image has them
    masked_paths: tuple[str, ...] = ()
    read_only_paths: tuple[str, ...] = ()
    #: names of sysctl(8) with their values, written before the first program starts
    sysctls: dict[str, str] = field(default_factory=dict)
    #: a tree made step by step, instead of an image (``sandboxctl do``)
    assembly: "Plan | None" = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The sets that a program begins with, as bit masks (capabilities(7))."""

    bounding: int = CAPABILITIES_DEFAULT
    inheritable: int = 0
    ambient: int = 0


@dataclass(frozen=True, slots=True)
class CommandConfig:
    """One command in a sandbox. ``env`` is complete: nothing is added to it."""

    argv: tuple[str, ...]
    env: dict[str, str]
    identity: Identity
    cwd: str = "/tmp"
    rlimits: tuple[Rlimit, ...] = ()
    tty: bool = False
    interactive: bool = False
    timeout: float | None = None
    umask: int = 0o022
    #: exec gives no rights that the program has not got already (PR_SET_NO_NEW_PRIVS)
    no_new_privileges: bool = False
    #: None: the sandbox's own as the bounding set, nothing else
    capabilities: Capabilities | None = None
    #: /proc/PID/oom_score_adj, -1000 to 1000; None: not set
    oom_score_adj: int | None = None
    #: struct sock_filter[] in hexadecimal digits, which the program and its children live under; empty for none
    seccomp: str = ""
    #: instead of ``cwd``: the first of these that is there, and PWD says which
    places: tuple[str, ...] = ()
    #: a small init, which the guest does not see, is pid 1
    is_reaped: bool = False
