"""The one-line files of a process: cgroup, oom scores, audit numbers, wait channel, uid maps (proc(5))."""

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from sentry.fs.proc.pid.directory import PidFile
from sentry.kernel.creds import CAP_SYS_RESOURCE
from syscalls.abi.errno import EACCES, EINVAL, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

_NO_ID: Final = b"4294967295"
OOM_SCORE_MIN, OOM_SCORE_MAX = -1000, 1000
#: the ends of the old scale of oom_adj
OOM_DISABLE, OOM_ADJUST_MAX = -17, 15


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
    """Plain Linux."""
    return b"00000000\n"


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


class OomScores:
    """oom_score_adj of each process. The host's own killer is not told: it sees one sandbox."""

    def __init__(self) -> None:
        self._adjustments: WeakKeyDictionary[ThreadGroup, int] = WeakKeyDictionary()

    def adjustment_of(self, group: "ThreadGroup") -> int:
        """The value set for the process, or for the nearest ancestor that has one (fork(2) inherits it)."""
        seen: ThreadGroup | None = group
        while seen is not None:
            value = self._adjustments.get(seen)
            if value is not None:
                return value
            seen = seen.parent
        return 0

    def score(self, viewer: "Task", target: "Target") -> bytes:
        """/proc/PID/oom_score."""
        return b"%d\n" % max(0, 666 + self.adjustment_of(target.group) * 2 // 3)

    def read(self, viewer: "Task", target: "Target") -> bytes:
        """/proc/PID/oom_score_adj."""
        return b"%d\n" % self.adjustment_of(target.group)

    def read_old(self, viewer: "Task", target: "Target") -> bytes:
        """/proc/PID/oom_adj: the same on the old scale."""
        value = self.adjustment_of(target.group)
        old = OOM_ADJUST_MAX if value == OOM_SCORE_MAX else int(value * -OOM_DISABLE / OOM_SCORE_MAX)
        return b"%d\n" % old

    def write_old(self, viewer: "Task", target: "Target", data: bytes) -> None:
        """Set it on the old scale. Errors: EINVAL, EACCES."""
        try:
            old = int(data.strip())
        except ValueError:
            raise SyscallError(EINVAL) from None
        if not OOM_DISABLE <= old <= OOM_ADJUST_MAX:
            raise SyscallError(EINVAL)
        value = OOM_SCORE_MAX if old == OOM_ADJUST_MAX else int(old * OOM_SCORE_MAX / -OOM_DISABLE)
        self.write(viewer, target, b"%d" % value)

    def write(self, viewer: "Task", target: "Target", data: bytes) -> None:
        """Set it. Errors: EINVAL, EACCES lower than it was without CAP_SYS_RESOURCE."""
        try:
            value = int(data.strip())
        except ValueError:
            raise SyscallError(EINVAL) from None
        if not OOM_SCORE_MIN <= value <= OOM_SCORE_MAX:
            raise SyscallError(EINVAL)
        if value < self.adjustment_of(target.group) and not viewer.credentials.has(CAP_SYS_RESOURCE):
            raise SyscallError(EACCES)
        self._adjustments[target.group] = value
