"""/proc/PID/oom_score_adj, oom_adj, oom_score (proc_pid_oom_score_adj(5)).

The host's own killer is not told: it sees one sandbox.
"""

import re
from typing import TYPE_CHECKING, Final

from sentry.kernel.creds import CAP_SYS_RESOURCE
from syscalls.abi.errno import EACCES, EINVAL, ERANGE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

OOM_SCORE_MIN, OOM_SCORE_MAX = -1000, 1000
#: the ends of the old scale of oom_adj
OOM_DISABLE, OOM_ADJUST_MAX = -17, 15
INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1
#: what is left of a longer text is not read (Linux: fs/proc/base.c, PROC_NUMBUF)
_NUMBER_LENGTH: Final = 12
#: as kstrtoint() takes it with base 0
_NUMBER: Final = re.compile(rb"\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)\s*\0*\Z", re.ASCII)


def score(viewer: "Task", target: "Target") -> bytes:
    """What the killer would go by, without the memory that is used: 0 (never) to 1333."""
    adjustment = target.group.oom_score_adj
    return b"%d\n" % (0 if adjustment == OOM_SCORE_MIN else max(0, (OOM_SCORE_MAX + adjustment) * 2 // 3))


def read(viewer: "Task", target: "Target") -> bytes:
    """/proc/PID/oom_score_adj."""
    return b"%d\n" % target.group.oom_score_adj


def read_old(viewer: "Task", target: "Target") -> bytes:
    """/proc/PID/oom_adj: the same on the old scale."""
    value = target.group.oom_score_adj
    old = OOM_ADJUST_MAX if value == OOM_SCORE_MAX else int(value * -OOM_DISABLE / OOM_SCORE_MAX)
    return b"%d\n" % old


def write(viewer: "Task", target: "Target", data: bytes) -> None:
    """Set it; a privileged writer also sets how low others may go. Errors: EINVAL, EACCES below that without CAP_SYS_RESOURCE."""
    value = _number(data)
    if not OOM_SCORE_MIN <= value <= OOM_SCORE_MAX:
        raise SyscallError(EINVAL)
    group = target.group
    is_privileged = viewer.credentials.has(CAP_SYS_RESOURCE)
    if value < group.oom_score_adj_min and not is_privileged:
        raise SyscallError(EACCES)
    group.oom_score_adj = value
    if is_privileged:
        group.oom_score_adj_min = value


def write_old(viewer: "Task", target: "Target", data: bytes) -> None:
    """Set it on the old scale. Errors: EINVAL, EACCES lower than it is without CAP_SYS_RESOURCE."""
    old = _number(data)
    if not OOM_DISABLE <= old <= OOM_ADJUST_MAX:
        raise SyscallError(EINVAL)
    value = OOM_SCORE_MAX if old == OOM_ADJUST_MAX else int(old * OOM_SCORE_MAX / -OOM_DISABLE)
    if value < target.group.oom_score_adj and not viewer.credentials.has(CAP_SYS_RESOURCE):
        raise SyscallError(EACCES)
    target.group.oom_score_adj = value


def _number(data: bytes) -> int:
    """Errors: EINVAL, ERANGE."""
    found = _NUMBER.match(data[:_NUMBER_LENGTH])
    if found is None:
        raise SyscallError(EINVAL)
    sign, digits = found.groups()
    base = 16 if digits[:2].lower() == b"0x" else 8 if digits[:1] == b"0" else 10
    try:
        value = int(digits, base)
    except ValueError:
        raise SyscallError(EINVAL) from None
    value = -value if sign == b"-" else value
    if not INT_MIN <= value <= INT_MAX:
        raise SyscallError(ERANGE)
    return value
