"""Hostile arguments for every call: one argument at a time is bad, the others are harmless."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from syscalls.registry import Support, build_table

#: these end, stop or wait for the process, change what the runner itself stands on, reach beyond it, or depend on the machine
LEFT_OUT = frozenset(
    """
    exit exit_group fork vfork clone clone3 pause rt_sigsuspend rt_sigtimedwait rt_sigreturn restart_syscall kill sync syncfs
    shmat shmdt unshare ptrace alarm setitimer prlimit64 personality shmget msgget semget io_setup
    clock_nanosleep
    """.split()  # noqa: SIM905
)
_POINTERS = ("0", "1", "0x7fffffffe000", "0x800000000000", "0xffff888000000000", "0xfffffffffffff000", "+1", "+7", "=0")
_SIZES = ("0", "0x7fffffff", "0x80000000", "0x7fffffffffffffff", "0xffffffffffffffff")
_WORDS = ("0xffffffff", "0x80000000", "0xdeadbeef00000000", "0xdeadbeef00000001")
_FDS = ("0xffffffff", "0x7fffffff", "99", "0xdeadbeef00000003", "0xffffffffffffff9c")
_BITS = tuple(str(1 << bit) for bit in range(32))
#: what their success prints differs by nature: numbers of processes, times, counts of the moment
_ANY_VALUE = frozenset(
    """
    getpid gettid getppid getpgrp getpgid getsid time times getcpu sysinfo getuid getgid geteuid getegid shmget semget
    msgget inotify_add_watch timer_create setsid getcwd brk mmap mremap set_tid_address getrandom personality
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Case:
    """``name`` says call, argument and value; ``text`` is the runner's line."""

    name: str
    text: str


def _harmless(kind: str, name: str, position: int) -> str:
    if kind == "ptr":
        return f"@{position * 0x1000:x}"
    if kind == "path":
        return "@f000"  # an empty text
    if kind == "fd":
        return "3"
    if kind in ("size", "ulong", "long") and name not in ("addr", "argp"):
        return "1"
    return "0"


def _bad(kind: str) -> tuple[str, ...]:
    if kind in ("ptr", "path"):
        return _POINTERS
    if kind == "fd":
        return _FDS
    if kind in ("size", "off", "long"):
        return _SIZES
    if kind == "ulong":
        return ()
    return _WORDS if kind in ("pid", "id", "mode", "signal") else (*_WORDS, *_BITS)


@cache
def cases() -> tuple[Case, ...]:
    """Every case, in a steady order."""
    return tuple(_all())


def _all() -> Iterator[Case]:
    for number, entry in enumerate(build_table()):
        if entry is None or entry.support is Support.REFUSED or entry.name in LEFT_OUT:
            continue
        arguments = entry.arguments
        plain = [_harmless(argument.kind.name, argument.name, place) for place, argument in enumerate(arguments)]
        mark = "*" if entry.name in _ANY_VALUE else "!"
        seen = set()
        for place, argument in enumerate(arguments):
            for value in (plain[place], *_bad(argument.kind.name)):
                words = [*plain[:place], value, *plain[place + 1 :]]
                if tuple(words) not in seen:
                    seen.add(tuple(words))
                    yield Case(f"{entry.name}({argument.name}={value})", f"{number} {entry.name}{mark} {' '.join(words)}")
