"""The host's clocks, which are the sandbox's clocks, and the processor time of its threads (clock_getcpuclockid(3))."""

import os
from time import clock_gettime_ns, monotonic_ns, time_ns

from sentry.host import procfs

__all__ = ["monotonic_ns", "process_cpu_ns", "processors", "thread_cpu_ns", "time_ns"]

_SCHED = 2
_NS_PER_TICK = 10_000_000


def process_cpu_ns(host_pid: int) -> int:
    """Processor time of a process; 0 once it is gone."""
    return _read(~host_pid << 3 | _SCHED)


def thread_cpu_ns(host_tid: int) -> int:
    """Processor time of one thread; 0 once it is gone. Linux keeps the clock of a thread to its own process."""
    words = (procfs.read_thread(host_tid, "schedstat") or b"").split()
    if words:
        return int(words[0])
    _, found, tail = (procfs.read_thread(host_tid, "stat") or b"").rpartition(b") ")
    fields = tail.split()
    return (int(fields[11]) + int(fields[12])) * _NS_PER_TICK if found else 0


def processors() -> int:
    """How many processors the sandbox may use at once."""
    return len(os.sched_getaffinity(0))


def _read(clockid: int) -> int:
    try:
        return clock_gettime_ns(clockid)
    except OSError:
        return 0
