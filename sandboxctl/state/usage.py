"""What a sandbox uses of the host, from the list of its processes (``sentry/boot/report.py``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Process = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu_ns`` is the processor time of the living processes; memory that they share counts once for each."""

    pids: int
    tasks: int
    cpu_ns: int
    memory: int
    memory_limit: int | None
    pids_limit: int | None


def usage_of(processes: Sequence[Process], config: Mapping[str, Any]) -> Usage:
    """``config`` is that of the record."""
    return Usage(
        pids=len(processes),
        tasks=sum(int(one["threads"]) for one in processes),
        cpu_ns=sum(int(one["cpu_ns"]) for one in processes),
        memory=sum(int(one["memory"]) for one in processes),
        memory_limit=config.get("memory"),
        pids_limit=config.get("pids_limit"),
    )
