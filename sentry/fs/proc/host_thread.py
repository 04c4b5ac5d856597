"""What the host knows about a guest's thread and the sentry does not: times, sizes, faults, signal sets (proc_pid_stat(5))."""

from typing import TYPE_CHECKING, Final, NamedTuple

from sentry.host import procfs

if TYPE_CHECKING:
    from sentry.kernel.task import Task

STAT_FIELDS: Final = 52
#: clock ticks per second in /proc (sysconf(_SC_CLK_TCK))
TICKS: Final = 100
NS_PER_TICK: Final = 1_000_000_000 // TICKS


class HostStat(NamedTuple):
    """/proc/PID/stat: the state letter and all fields by their number in proc_pid_stat(5) (index 0 is unused)."""

    state: bytes
    fields: list[int]


_GONE: Final = HostStat(b"Z", [0] * (STAT_FIELDS + 1))


def read(task: "Task", name: str, *, as_thread: bool = False) -> bytes:
    """A file of the host's /proc/PID, or of its task/TID; empty when the thread is gone. Errors: EACCES, EIO."""
    tid = task.context.host_tid
    place = f"task/{tid}/{name}" if as_thread else name
    return procfs.read_thread(task.group.host_pid if as_thread else tid, place) or b""


def read_stat(task: "Task", *, as_thread: bool = False) -> HostStat:
    """The parsed stat line; all zeros when the thread is gone."""
    line = read(task, "stat", as_thread=as_thread)
    _, found, tail = line.rpartition(b") ")
    if not found:
        return _GONE
    words = tail.split()
    fields = [0, 0, 0, 0, *map(int, words[1:])]
    fields += [0] * (STAT_FIELDS + 1 - len(fields))
    return HostStat(words[0], fields)


def read_status(task: "Task", *, as_thread: bool = False) -> dict[bytes, bytes]:
    """The lines of status by their name, without the tab."""
    lines = {}
    for line in read(task, "status", as_thread=as_thread).splitlines():
        name, _, value = line.partition(b":\t")
        lines[name] = value
    return lines
