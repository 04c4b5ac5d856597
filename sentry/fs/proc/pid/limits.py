"""/proc/PID/limits (proc_pid_limits(5))."""

from typing import TYPE_CHECKING, Final

from sentry.kernel.rlimits import get_limit
from syscalls.abi.resource import (
    RLIM_INFINITY,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_LOCKS,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_RTPRIO,
    RLIMIT_RTTIME,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

_ROWS: Final = (
    (RLIMIT_CPU, b"Max cpu time", b"seconds"),
    (RLIMIT_FSIZE, b"Max file size", b"bytes"),
    (RLIMIT_DATA, b"Max data size", b"bytes"),
    (RLIMIT_STACK, b"Max stack size", b"bytes"),
    (RLIMIT_CORE, b"Max core file size", b"bytes"),
    (RLIMIT_RSS, b"Max resident set", b"bytes"),
    (RLIMIT_NPROC, b"Max processes", b"processes"),
    (RLIMIT_NOFILE, b"Max open files", b"files"),
    (RLIMIT_MEMLOCK, b"Max locked memory", b"bytes"),
    (RLIMIT_AS, b"Max address space", b"bytes"),
    (RLIMIT_LOCKS, b"Max file locks", b"locks"),
    (RLIMIT_SIGPENDING, b"Max pending signals", b"signals"),
    (RLIMIT_MSGQUEUE, b"Max msgqueue size", b"bytes"),
    (RLIMIT_NICE, b"Max nice priority", b""),
    (RLIMIT_RTPRIO, b"Max realtime priority", b""),
    (RLIMIT_RTTIME, b"Max realtime timeout", b"us"),
)


def limits(viewer: "Task", target: "Target") -> bytes:
    """One line for each resource."""
    lines = [b"%-25b %-20b %-20b %-10b\n" % (b"Limit", b"Soft Limit", b"Hard Limit", b"Units")]
    for resource, name, unit in _ROWS:
        soft, hard = get_limit(target.group, resource)
        tail = b"%-10b" % unit if unit else b""
        lines.append(b"%-25b %-20b %-20b %b\n" % (name, _number(soft), _number(hard), tail))
    return b"".join(lines)


def _number(value: int) -> bytes:
    return b"unlimited" if value == RLIM_INFINITY else b"%d" % value
