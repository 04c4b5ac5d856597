"""The one-line files of a process: cgroup, audit numbers, wait channel, personality, uid maps (proc(5))."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc import host_thread
from sentry.fs.proc.pid.directory import PidFile
from syscalls.abi.errno import EACCES, EINVAL, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

_NO_ID: Final = b"4294967295"


def cgroup(viewer: "Task", target: "Target") -> bytes:
    """The root of the only (v2) hierarchy."""
    return b"0::/\n"


def loginuid(viewer: "Task", target: "Target") -> bytes:
    """No login session."""
    return _NO_ID


def sessionid(viewer: "Task", target: "Target") -> bytes:
    """No audit session."""
    return _NO_ID


def wchan(viewer: "Task", target: "Target") -> bytes:
    """Where it sleeps is the sentry's business."""
    return b"0"


def personality(viewer: "Task", target: "Target") -> bytes:
    """What personality(2) has set: the host keeps it."""
    return host_thread.read(target.task, "personality", as_thread=target.is_thread)


def stack(viewer: "Task", target: "Target") -> bytes:
    """The sentry's stacks are not shown; in a container Linux refuses as well. Errors: EACCES."""
    raise SyscallError(EACCES)


def timerslack(viewer: "Task", target: "Target") -> bytes:
    """The default."""
    return b"50000\n"


def children(viewer: "Task", target: "Target") -> bytes:
    """The children, all of them the leader's (Linux: by the thread that made them)."""
    if target.thread is not None and target.thread is not target.group.leader:
        return b""
    return b"".join(b"%d " % pid for pid in sorted(target.group.children))


def id_map(viewer: "Task", target: "Target") -> bytes:
    """All ids are mapped to themselves."""
    return b"%10d %10d %10d\n" % (0, 0, 4294967295)


def coredump_filter(viewer: "Task", target: "Target") -> bytes:
    """The default; no core file is ever written."""
    return b"00000033\n"


def no_module(viewer: "Task", target: "Target") -> bytes:
    """There is no security module. Errors: EINVAL."""
    raise SyscallError(EINVAL)


def refuse(viewer: "Task", target: "Target", data: bytes) -> None:
    """Set once and for all. Errors: EPERM."""
    raise SyscallError(EPERM)


def _refuse_module(viewer: "Task", target: "Target", data: bytes) -> None:
    raise SyscallError(EINVAL)


#: /proc/PID/attr
ATTR: Final = {
    name: PidFile(no_module, mode=0o444 if name == b"prev" else 0o666, command=None if name == b"prev" else _refuse_module)
    for name in (b"current", b"exec", b"fscreate", b"keycreate", b"prev", b"sockcreate")
}


def setgroups(viewer: "Task", target: "Target") -> bytes:
    """setgroups(2) is permitted."""
    return b"allow\n"
