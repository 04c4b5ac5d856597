"""Names of flags and constants, found in ``syscalls.abi`` by their prefix; loaded on first use (tracing is off by default)."""

from functools import cache
from importlib import import_module
from types import ModuleType

_MODULES = (
    "fcntl",
    "mman",
    "signal",
    "poll",
    "epoll",
    "eventfd",
    "timerfd",
    "inotify",
    "socket",
    "time",
    "resource",
    "wait",
    "sched",
    "prctl",
    "ioctl",
    "mount",
    "stat",
    "futex",
    "random",
    "xattr",
    "pidfd",
    "seccomp",
)


@cache
def _modules() -> list[ModuleType]:
    return [import_module(f"syscalls.abi.{name}") for name in _MODULES]


@cache
def values(prefix: str) -> dict[str, int]:
    """All constants that begin with ``PREFIX_``."""
    start = prefix + "_"
    return {
        name: value
        for module in _modules()
        for name, value in vars(module).items()
        if name.startswith(start) and isinstance(value, int)
    }


@cache
def flag_bits(prefix: str) -> list[tuple[int, str]]:
    """(bits, name), the widest sets of bits first, so that O_SYNC is found before O_DSYNC."""
    found = {value: name for name, value in reversed(values(prefix).items()) if value > 0}
    return sorted(found.items(), key=lambda pair: (-pair[0].bit_count(), pair[0]))


def flags(prefix: str, number: int) -> str:
    """``O_RDWR|O_CLOEXEC``; unknown bits in hexadecimal."""
    names = []
    rest = number
    for bits, name in flag_bits(prefix):
        if rest & bits == bits:
            names.append((bits, name))
            rest &= ~bits
    words = [name for _, name in sorted(names)]
    if rest:
        words.append(hex(rest))
    return "|".join(words) or constant(prefix, 0, default="0")


def constant(prefix: str, number: int, *, default: str = "") -> str:
    """The name of one value, e.g. SEEK_SET."""
    for name, value in values(prefix).items():
        if value == number:
            return name
    return default or str(number)


def access(number: int) -> str:
    """The mode of access(2)."""
    words = [name for bit, name in ((4, "R_OK"), (2, "W_OK"), (1, "X_OK")) if number & bit]
    return "|".join(words) or "F_OK"
