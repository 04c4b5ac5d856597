"""What goes on inside, for the caller: processes and their use of the host, and for debugging what each task waits for."""

from typing import TYPE_CHECKING, Any, Final

from sentry.fs.proc import host_thread
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentry.kernel.creds import Credentials
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from syscalls.registry import Entry

_PAGE: Final = 4096
_UTIME, _STIME, _NICE, _VSIZE, _RSS = 14, 15, 19, 23, 24
_ARGUMENTS_MAX: Final = 4096


def processes(kernels: "Sequence[Kernel]") -> "list[dict[str, Any]]":
    """The living processes of all containers (ps(1)): times in ns, sizes in bytes; ``started_ns`` is how long ago."""
    now = kernels[0].runner.monotonic_ns() if kernels else 0
    return [
        _process(group.leader, number, now)
        for number, kernel in enumerate(kernels)
        for group in list(kernel.tasks.groups.values())
        if group.is_alive
    ]


def _process(task: "Task", world: int, now: int) -> "dict[str, Any]":
    group = task.group
    host = host_thread.read_stat(task)
    fields = host.fields
    session = group.process_group.session
    terminal: Any = session.terminal
    return {
        "world": world,
        "pid": group.tgid,
        "ppid": group.parent.tgid if group.parent is not None else 0,
        "pgid": group.process_group.pgid,
        "sid": session.sid,
        "tty": terminal.number_encoded & 0xFF if terminal is not None else -1,
        "uid": task.credentials.euid,
        "gid": task.credentials.egid,
        "ruid": task.credentials.uid,
        "rgid": task.credentials.gid,
        "groups": list(task.credentials.groups),
        "caps": _capabilities(task.credentials),
        "threads": len(group.tasks),
        "state": "T" if group.is_stopped else "S" if task.fiber.is_parked else host.state.decode("ascii"),
        "nice": fields[_NICE],
        "cpu_ns": (fields[_UTIME] + fields[_STIME]) * host_thread.NS_PER_TICK,
        "memory": fields[_RSS] * _PAGE,
        "size": fields[_VSIZE],
        "elapsed_ns": now - group.start_time_ns,
        "name": task.name,
        "arguments": _arguments(task),
        "host_pid": group.host_pid,
    }


def _capabilities(creds: "Credentials") -> list[int]:
    """In the order of /proc/PID/status."""
    return [creds.inheritable, creds.permitted, creds.effective, creds.bounding, creds.ambient]


def _arguments(task: "Task") -> bytes:
    """The words, each with a NUL at its end; empty for a process that is ending."""
    try:
        return host_thread.read(task, "cmdline")[:_ARGUMENTS_MAX]
    except SyscallError:
        return b""


def tasks(kernels: "Sequence[Kernel]", table: "Sequence[Entry | None]") -> "list[dict[str, Any]]":
    """Every task with its last call, whether it is still being answered, and where the sentry's coroutine for it stands."""
    found = []
    for world, kernel in enumerate(kernels):
        for task in list(kernel.tasks.tasks.values()):
            number, *arguments = task.trap or (-1,)
            entry = table[number] if 0 <= number < len(table) else None
            found.append(
                {
                    "world": world,
                    "pid": task.group.tgid,
                    "tid": task.tid,
                    "host_tid": task.context.host_tid,
                    "name": task.name,
                    "call": entry.name if entry is not None else str(number) if number >= 0 else "",
                    "arguments": [f"{value:#x}" for value in arguments],
                    "is_waiting": task.fiber.is_busy,
                    "platform": repr(task.context),
                    "stack": task.fiber.stack(),
                }
            )
    return found
