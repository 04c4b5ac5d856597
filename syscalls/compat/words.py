"""The names of what a call is asked for: commands, options and flags, from the values of its selecting registers."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module

Words = Callable[[Sequence[int]], list[str]]

_IOCTL_MIN = 0x100  # below lie arguments of requests, not requests


#: names with a family's prefix that are arguments of its commands, not commands
_ARGUMENTS = (
    "F_SEAL_", "F_RDLCK", "F_WRLCK", "F_UNLCK", "F_EXLCK", "F_SHLCK", "F_OWNER_", "F_LOCK", "F_ULOCK", "F_TEST",
    "F_TLOCK", "F_OK", "FUTEX_BITSET_", "FUTEX_CMD_", "FUTEX_OWNER_", "FUTEX_TID_", "FUTEX_WAITERS", "FUTEX_PRIVATE",
    "FUTEX_CLOCK", "FUTEX_OP_", "SO_EE_", "IP_PMTUDISC_", "IPV6_PMTUDISC_", "TCP_ESTABLISHED", "TCP_SYN_", "TCP_FIN_",
    "TCP_TIME_", "TCP_CLOSE", "TCP_LAST_", "TCP_LISTEN", "PR_SET_MM_", "PR_CAP_AMBIENT_", "PR_SPEC_", "PR_FP_",
    "PR_TSC_", "PR_MCE_", "PR_UNALIGN_", "PR_ENDIAN_", "AF_FILE", "AF_LOCAL", "AF_ROUTE", "PR_TIMING_",
    "AF_MAX", "AF_UNSPEC", "SOCK_TXREHASH_", "SOCK_SNDBUF_", "SOCK_RCVBUF_", "SOCK_BUF_", "MS_ACTIVE", "MS_KERNMOUNT",
    "MS_NOUSER", "MS_BORN", "MS_SUBMOUNT", "MS_NOSEC", "MS_NOREMOTELOCK", "PR_SET_VMA_", "IPV6_ROUTER_ALERT_", "IPV6_RTHDR_",
    "SO_SECURITY_", "IP_DEFAULT_", "IP_MAX_", "MAP_HUGE_SHIFT", "FUTEX_32", "FUTEX_WAITV_MAX", "O_ACCMODE", "PR_SCHED_CORE_",
    "PR_TASK_PERF_", "PR_MTE_", "PR_PAC_A", "PR_SME_", "PR_SVE_", "PR_SYS_", "PR_THP_",
)  # fmt: skip


@cache
def names(module: str, *prefixes: str, least: int = 0) -> dict[int, str]:
    """Value to name of the constants of ``syscalls.abi.<module>`` that begin with one of ``prefixes``; the first name wins."""
    found: dict[int, str] = {}
    for name, value in vars(import_module(f"syscalls.abi.{module}")).items():
        if type(value) is int and name.startswith(prefixes) and value >= least and not name.startswith(_ARGUMENTS):
            found.setdefault(value, name)
    return found


def _one(position: int, module: str, *prefixes: str, least: int = 0) -> Words:
    def words(values: Sequence[int]) -> list[str]:
        name = names(module, *prefixes, least=least).get(values[position])
        return [name] if name is not None else []

    return words


def _flags(position: int, module: str, *prefixes: str) -> Words:
    def words(values: Sequence[int]) -> list[str]:
        rest, found = values[position], []
        for bits, name in sorted(names(module, *prefixes).items(), key=lambda pair: (-pair[0].bit_count(), pair[0])):
            if bits and rest & bits == bits:
                found.append(name)
                rest &= ~bits
        return sorted(found)

    return words


def _both(*parts: Words) -> Words:
    return lambda values: [word for part in parts for word in part(values)]


def _open_flags(values: Sequence[int]) -> list[str]:
    access = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")[values[0] & 3]
    return sorted([access, *_flags(0, "fcntl", "O_")([values[0] & ~3])])


def _socket_option(values: Sequence[int]) -> list[str]:
    prefixes = {0: ("IP_",), 1: ("SO_",), 6: ("TCP_",), 17: ("UDP_",), 41: ("IPV6_",), 270: ("NETLINK_",)}.get(values[0])
    found = names("socket", *prefixes).get(values[1]) if prefixes else None
    return [found] if found is not None else []


def _socket_kind(values: Sequence[int]) -> list[str]:
    family = names("socket", "AF_").get(values[0])
    kind = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 4: "SOCK_RDM", 5: "SOCK_SEQPACKET"}.get(values[1] & 0xF)
    extra = [name for bit, name in ((0o4000, "SOCK_NONBLOCK"), (0o2000000, "SOCK_CLOEXEC")) if values[1] & bit]
    return [word for word in (family, kind, *extra) if word]


#: by call; what it gets are the values that ``sentry.trace.census.SELECTORS`` names
WORDS: dict[str, Words] = {
    "arch_prctl": _one(0, "prctl", "ARCH_"),
    "clock_gettime": _one(0, "time", "CLOCK_"),
    "clone": _flags(0, "sched", "CLONE_"),
    "epoll_ctl": _one(0, "epoll", "EPOLL_CTL_"),
    "epoll_create1": _flags(0, "epoll", "EPOLL_CLOEXEC"),
    "eventfd2": _flags(0, "eventfd", "EFD_"),
    "fallocate": _flags(0, "fcntl", "FALLOC_FL_"),
    "fcntl": _one(0, "fcntl", "F_"),
    "futex": lambda values: _one(0, "futex", "FUTEX_")([values[0] & 0x7F]),
    "getrandom": _flags(0, "random", "GRND_"),
    "getsockopt": _socket_option,
    "inotify_init1": _flags(0, "inotify", "IN_CLOEXEC", "IN_NONBLOCK"),
    "ioctl": _one(0, "ioctl", "T", "F", "S", "B", "N", least=_IOCTL_MIN),
    "kcmp": _one(0, "kcmp", "KCMP_"),
    "lseek": _one(0, "fcntl", "SEEK_"),
    "madvise": _one(0, "mman", "MADV_"),
    "memfd_create": _flags(0, "mman", "MFD_"),
    "mmap": _flags(0, "mman", "MAP_"),
    "mount": _flags(0, "mount", "MS_"),
    "mprotect": _flags(0, "mman", "PROT_"),
    "mremap": _flags(0, "mman", "MREMAP_"),
    "newfstatat": _flags(0, "fcntl", "AT_SYMLINK", "AT_EMPTY", "AT_NO_"),
    "open": _open_flags,
    "openat": _open_flags,
    "prctl": _one(0, "prctl", "PR_"),
    "prlimit64": _one(0, "resource", "RLIMIT_"),
    "renameat2": _flags(0, "fcntl", "RENAME_"),
    "setsockopt": _socket_option,
    "socket": _socket_kind,
    "socketpair": _socket_kind,
    "statx": _flags(0, "fcntl", "AT_"),
    "unlinkat": _flags(0, "fcntl", "AT_REMOVEDIR"),
    "unshare": _flags(0, "sched", "CLONE_"),
    "wait4": _flags(0, "wait", "W", "__W"),
    "waitid": _both(_one(0, "wait", "P_"), _flags(1, "wait", "W", "__W")),
}


def words(call: str, values: Sequence[int]) -> list[str]:
    """The names that ``values`` stand for; unknown bits and numbers have none."""
    name = WORDS.get(call)
    return name(values) if name is not None and values else []
