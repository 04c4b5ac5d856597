"""cmdline, environ, auxv, comm: what a process was started with (proc_pid_cmdline(5), proc_pid_comm(5)).

The program's own memory is the source, as on Linux: a process that writes over its arguments changes its title.
"""

from struct import Struct
from typing import TYPE_CHECKING, Final

from sentry.fs.proc import host_thread
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

_PAIR: Final = Struct("<QQ")
NAME_MAX: Final = 15


def cmdline(viewer: "Task", target: "Target") -> bytes:
    """/proc/PID/cmdline; empty for a zombie."""
    return b"" if target.is_zombie else host_thread.read(target.task, "cmdline")


def environ(viewer: "Task", target: "Target") -> bytes:
    """/proc/PID/environ: the initial environment."""
    return b"" if target.is_zombie else host_thread.read(target.task, "environ")


def auxv(viewer: "Task", target: "Target") -> bytes:
    """/proc/PID/auxv: the host's vector with the values that the sentry gave instead."""
    if target.is_zombie:
        return b""
    raw = host_thread.read(target.task, "auxv")
    own = dict(_PAIR.iter_unpack(target.group.auxv))
    pairs = []
    for kind, value in _PAIR.iter_unpack(raw[: len(raw) // 16 * 16]):
        if kind == 0:
            break
        pairs.append((kind, own.pop(kind, value)))
    pairs += own.items()
    pairs.append((0, 0))
    return b"".join(_PAIR.pack(*pair) for pair in pairs)


def comm(viewer: "Task", target: "Target") -> bytes:
    """/proc/PID/comm."""
    return target.task.name + b"\n"


def set_comm(viewer: "Task", target: "Target", data: bytes) -> None:
    """Rename a thread of one's own process. Errors: EINVAL for anybody else's."""
    if viewer.group is not target.group:
        raise SyscallError(EINVAL)
    target.task.name = data[:NAME_MAX].rstrip(b"\n").split(b"\0", 1)[0]
