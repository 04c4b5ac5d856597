"""The committed evidence: which differential programs passed where, and what they used (``compat-matrix/evidence/*.json``)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TARGETS = ("native", "notify", "ptrace")
PASS = "pass"  # noqa: S105 - a result, no password
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
#: names that the C library gives to calls whose number has another name
ALIASES = {
    "newfstatat": ("fstatat", "stat", "lstat"),
    "pread64": ("pread",),
    "pwrite64": ("pwrite",),
    "prlimit64": ("prlimit", "getrlimit", "setrlimit"),
    "exit_group": ("exit", "_exit"),
    "exit": ("_exit", "pthread_exit"),
    "rt_sigaction": ("sigaction", "signal"),
    "rt_sigprocmask": ("sigprocmask",),
    "rt_sigsuspend": ("sigsuspend",),
    "rt_sigpending": ("sigpending",),
    "rt_sigtimedwait": ("sigtimedwait", "sigwaitinfo", "sigwait"),
    "rt_sigqueueinfo": ("sigqueue",),
    "wait4": ("waitpid", "wait"),
    "getdents64": ("readdir",),
    "pselect6": ("pselect",),
    "eventfd2": ("eventfd",),
    "epoll_create1": ("epoll_create",),
    "signalfd4": ("signalfd",),
    "inotify_init1": ("inotify_init",),
    "rt_sigreturn": ("sigaction",),
    "clone": ("pthread_create", "fork"),
    "umount2": ("umount",),
    "openat": ("open",),
    "set_tid_address": ("fork",),
}


@dataclass(frozen=True)
class Used:
    """How a program used one call: whether it succeeded at least once, its errors, and the commands and flags that it named
    (word: whether such a use succeeded)."""

    succeeded: bool
    errors: tuple[str, ...] = ()
    words: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """One differential program: its result on each target, and what it used besides what every program does."""

    name: str
    results: dict[str, str]
    uses: dict[str, Used]
    files: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it passed natively and on every platform that could be tried, at least one of them."""
        tried = [result for target, result in self.results.items() if target != "native" and not result.startswith("unavailable")]
        return self.results.get("native") == PASS and bool(tried) and all(result == PASS for result in tried)


@dataclass(frozen=True)
class Evidence:
    """All proofs, when they were made and on which kernel; ``refused`` has, by table, the words that no object in a sandbox takes
    and the errors that it answers."""

    date: str = ""
    kernel: str = ""
    proofs: tuple[Proof, ...] = ()
    refused: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, call: str) -> Iterator[tuple[Proof, Used]]:
        """The proofs that hold and use ``call``."""
        for proof in self.proofs:
            if proof.holds and call in proof.uses:
                yield proof, proof.uses[call]


def load(path: Path) -> Evidence:
    """Read one file; without it there is no evidence at all."""
    if not path.exists():
        return Evidence()
    data = json.loads(path.read_text())
    proofs = tuple(_proof(name, record) for name, record in data["programs"].items())
    return Evidence(data["date"], data["kernel"], proofs, data.get("refused", {}))


def _proof(name: str, record: dict[str, Any]) -> Proof:
    uses = {
        call: Used(use["succeeded"], tuple(use.get("errors", ())), dict(use.get("words", {})))
        for call, use in record["uses"].items()
    }
    return Proof(name, record["results"], uses, tuple(record.get("files", ())))


def named_in(source: str) -> frozenset[str]:
    """The calls that a program's text names, by their own or their library name."""
    words = set(_WORD.findall(source.replace("SYS_", " ").replace("__NR_", " ")))
    aliased = {call for call, others in ALIASES.items() if words & set(others)}
    return frozenset(words | aliased)
