"""/proc/PID/stat, statm, schedstat (proc_pid_stat(5), proc_pid_statm(5))."""

from typing import TYPE_CHECKING, Any, Final

from sentry.fs.proc import host_thread
from sentry.fs.proc.pid.state import state_of
from sentry.kernel.ptrace_access import may_inspect
from sentry.kernel.rlimits import get_limit
from syscalls.abi.resource import RLIMIT_RSS

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

#: fields that tell where things are in memory: zero for those who may not inspect the process
_ADDRESSES: Final = (26, 27, 28, 29, 30, 45, 46, 47, 48, 49, 50, 51)
_WCHAN, _RSSLIM, _STARTTIME, _THREADS = 35, 25, 22, 20


def stat(viewer: "Task", target: "Target") -> bytes:
    """The line of 52 fields; numbers of the host are replaced by the sandbox's."""
    task, group = target.task, target.group
    host = host_thread.read_stat(task, as_thread=target.is_thread)
    fields = list(host.fields)
    process_group = group.process_group
    session = process_group.session
    terminal: Any = session.terminal
    tty_nr = terminal.number_encoded if terminal is not None else 0
    foreground = terminal.foreground if terminal is not None else None
    head = [
        group.parent.tgid if group.parent is not None else 0,
        process_group.pgid,
        session.sid,
        tty_nr,
        foreground.pgid if foreground is not None else -1,
    ]
    fields[4:9] = head
    fields[_THREADS] = max(len(group.tasks), 1)
    fields[_STARTTIME] = max(0, group.start_time_ns - task.kernel.start_ns) // host_thread.NS_PER_TICK
    fields[_RSSLIM] = get_limit(group, RLIMIT_RSS)[0]
    fields[_WCHAN] = 0
    if not may_inspect(viewer, task):
        for index in _ADDRESSES:
            fields[index] = 0
    state = state_of(viewer, target, host.state)
    rest = b" ".join(b"%d" % value for value in fields[4:])
    return b"%d (%b) %b %b\n" % (target.number, task.name, state, rest)


def statm(viewer: "Task", target: "Target") -> bytes:
    """Sizes in pages."""
    return host_thread.read(target.task, "statm") or b"0 0 0 0 0 0 0\n"


def schedstat(viewer: "Task", target: "Target") -> bytes:
    """Time on a processor, time waiting for one (ns), timeslices."""
    return host_thread.read(target.task, "schedstat", as_thread=target.is_thread) or b"0 0 0\n"


def io(viewer: "Task", target: "Target") -> bytes:
    """I/O totals. The sentry does the I/O; what it does not count is 0."""
    names = (b"rchar", b"wchar", b"syscr", b"syscw", b"read_bytes", b"write_bytes", b"cancelled_write_bytes")
    return b"".join(b"%b: 0\n" % name for name in names)
