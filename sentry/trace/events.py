"""``--trace-json``: what ``--strace`` prints, as one JSON object a line, for programs that read it.

    {"event": "call", "time": 1.25, "task": 2, "process": 2, "call": "openat", "arguments": {"dirfd": "AT_FDCWD", ...},
     "result": 3}                          "errno": "ENOENT" for an error; "host": true if the host answers; "unfinished": true
    {"event": "network", "verdict": "denied", "reason": "default", "protocol": "tcp", "address": "192.0.2.1", "port": 80}
    {"event": "exec", ...}, {"event": "signal", "signal": "SIGTERM", ...}, {"event": "exit", "status": 0} or {"signal": ...}

``time`` is in seconds since the sandbox began.
"""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sentry.trace.strace import READS, Entry, Strace, arguments_of
from syscalls.abi import errno as errnos
from syscalls.abi import signal as signals

if TYPE_CHECKING:
    from sentry.kernel.task import Task


class EventTrace(Strace):
    """Writes events. ``now`` gives the seconds since the sandbox began."""

    def __init__(self, write: Callable[[str], None], now: Callable[[], float]) -> None:
        super().__init__(write)
        self._now = now
        self._entered: dict[int, dict[str, Any]] = {}

    def on_enter(self, task: "Task", entry: Entry, registers: Sequence[int]) -> None:
        """See ``Strace``."""
        self._entered[task.tid] = {"call": entry.name, "arguments": _named(task, entry, registers, has_run=False)}

    def on_exit(self, task: "Task", entry: Entry, registers: Sequence[int], result: object) -> None:
        """See ``Strace``."""
        fields = self._entered.pop(task.tid, {"call": entry.name})
        if entry.name in READS and isinstance(result, int) and result >= 0:
            fields["arguments"] = _named(task, entry, registers, has_run=True, length=result)
        if type(result) is not int:
            fields["host" if not isinstance(result, int) else "restarted"] = True
        elif result < 0:
            fields["errno"] = errnos.name(-result)
        else:
            fields["result"] = result
        self._event(task, "call", fields)

    def on_exec(self, task: "Task", entry: Entry, registers: Sequence[int]) -> None:
        """See ``Strace``."""
        self._event(task, "exec", {"call": entry.name, "arguments": _named(task, entry, registers, has_run=False)})

    def on_signal(self, task: "Task", signal: int) -> None:
        """See ``Strace``."""
        self._event(task, "signal", {"signal": signals.name(signal)})

    def ended(self, task: "Task", wait_status: int) -> None:
        """See ``Strace``."""
        fields = self._entered.pop(task.tid, None)
        if fields is not None:
            self._event(task, "call", {**fields, "unfinished": True})
        signal = wait_status & 0x7F
        self._event(task, "exit", {"signal": signals.name(signal)} if signal else {"status": wait_status >> 8 & 0xFF})

    def on_network(self, decision: dict[str, Any]) -> None:
        """See ``Strace``."""
        self._write(json.dumps({"event": "network", "time": round(self._now(), 6), **decision}))

    def _event(self, task: "Task", event: str, fields: dict[str, Any]) -> None:
        head = {"event": event, "time": round(self._now(), 6), "task": task.tid, "process": task.group.tgid}
        self._write(json.dumps({**head, **fields}))


def _named(task: "Task", entry: Entry, registers: Sequence[int], *, has_run: bool, length: int = 0) -> dict[str, str]:
    words = arguments_of(task, entry, registers, has_run=has_run, length=length)
    return {argument.name: word for argument, word in zip(entry.arguments, words, strict=False)}
