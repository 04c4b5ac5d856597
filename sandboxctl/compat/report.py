"""What a traced run needed of the kernel, against the matrix."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sandboxctl.compat.census import Census
from syscalls.abi import errno as errnos
from syscalls.compat.levels import LEVELS
from syscalls.compat.words import words

_NS_PER_US = 1000


@dataclass(slots=True)
class Need:
    """One call that the program made: its level in the matrix, how often, its errors, and the commands and flags that were used
    (with those that no test has used in ``untried``). ``mean_us`` includes waiting; 0 where the host served the call alone."""

    call: str
    level: str
    note: str
    count: int = 0
    mean_us: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """All calls, those furthest from full first; the files of /proc and /sys; the command's own exit status."""

    needs: Sequence[Need]
    files: Mapping[str, int]
    exit_status: int

    def hits(self, levels: Iterable[str]) -> list[Need]:
        """The calls whose level is one of ``levels``."""
        wanted = frozenset(levels)
        return [need for need in self.needs if need.level in wanted]

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"exit_status": self.exit_status, "calls": [asdict(need) for need in self.needs], "files": dict(self.files)}


def report(census: Census, rows: Iterable[Mapping[str, Any]], exit_status: int) -> Report:
    """Join what was counted with the matrix."""
    matrix = {row["name"]: row for row in rows}
    needs: dict[str, Need] = {}
    for use in census.uses:
        row = matrix[use.call]
        need = needs.setdefault(use.call, Need(use.call, row["level"], row["note"]))
        need.mean_us = (need.mean_us * need.count + use.ns / _NS_PER_US) / (need.count + use.count)
        need.count += use.count
        for errno, times in use.errors.items():
            name = errnos.name(errno)
            need.errors[name] = need.errors.get(name, 0) + times
        for word in words(use.call, use.values):
            if word not in need.words:
                need.words.append(word)
                if row["tests"] and word not in row.get("words", {}):
                    need.untried.append(word)
    worst_first = sorted(needs.values(), key=lambda need: (-LEVELS.index(need.level), need.call))
    files = {path.decode("utf-8", "backslashreplace"): count for path, count in census.files.items()}
    return Report(worst_first, files, exit_status)
