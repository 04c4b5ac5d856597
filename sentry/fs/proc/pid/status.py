"""/proc/PID/status: the readable summary (proc_pid_status(5))."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc import host_thread
from sentry.fs.proc.pid.state import WORDS, state_of
from sentry.kernel.rlimits import get_limit
from syscalls.abi.resource import RLIMIT_SIGPENDING

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.creds import Credentials
    from sentry.kernel.task import Task

#: memory lines, as the host counts them for this process; a zombie has none
_MEMORY: Final = (
    b"VmPeak", b"VmSize", b"VmLck", b"VmPin", b"VmHWM", b"VmRSS", b"RssAnon", b"RssFile", b"RssShmem", b"VmData", b"VmStk",
    b"VmExe", b"VmLib", b"VmPTE", b"VmSwap", b"HugetlbPages", b"CoreDumping", b"THP_enabled", b"untag_mask",
)  # fmt: skip
_SIGNALS: Final = (b"SigPnd", b"ShdPnd", b"SigBlk", b"SigIgn", b"SigCgt")
_SCHEDULING: Final = (
    b"Cpus_allowed", b"Cpus_allowed_list", b"Mems_allowed", b"Mems_allowed_list", b"voluntary_ctxt_switches",
    b"nonvoluntary_ctxt_switches",
)  # fmt: skip
_NO_SIGNALS: Final = b"0" * 16


def status(viewer: "Task", target: "Target") -> bytes:
    """All lines in Linux's order."""
    task, group = target.task, target.group
    host = host_thread.read_status(task, as_thread=target.is_thread)
    host_state = host.get(b"State", b"Z")[:1]
    lines: list[tuple[bytes, bytes]] = [(b"Name", _escape(task.name))]
    if not target.is_zombie:
        lines.append((b"Umask", b"%04o" % task.fs.umask))
    lines.append((b"State", WORDS[state_of(viewer, target, host_state)]))
    lines += _numbers(target)
    lines += _ids(task.credentials)
    lines.append((b"FDSize", b"%d" % _fd_size(task)))
    lines.append((b"Groups", b" ".join(b"%d" % gid for gid in task.credentials.groups) + b" "))
    lines += _namespace_numbers(target)
    lines.append((b"Kthread", b"0"))
    if not target.is_zombie:
        lines += [(name, host[name]) for name in _MEMORY if name in host]
    lines.append((b"Threads", b"%d" % max(len(group.tasks), 1)))
    pending = host.get(b"SigQ", b"0/0").partition(b"/")[0]
    limit = get_limit(group, RLIMIT_SIGPENDING)[0]
    lines.append((b"SigQ", b"%b/%d" % (pending, limit)))
    lines += [(name, host.get(name, _NO_SIGNALS)) for name in _SIGNALS]
    lines += _capabilities(task)
    lines += [(name, host[name]) for name in _SCHEDULING if name in host]
    return b"".join(b"%b:\t%b\n" % line for line in lines)


def _numbers(target: "Target") -> list[tuple[bytes, bytes]]:
    parent = target.group.parent
    return [
        (b"Tgid", b"%d" % target.group.tgid),
        (b"Ngid", b"0"),
        (b"Pid", b"%d" % target.number),
        (b"PPid", b"%d" % (parent.tgid if parent is not None else 0)),
        (b"TracerPid", b"0"),
    ]


def _namespace_numbers(target: "Target") -> list[tuple[bytes, bytes]]:
    process_group = target.group.process_group
    return [
        (b"NStgid", b"%d" % target.group.tgid),
        (b"NSpid", b"%d" % target.number),
        (b"NSpgid", b"%d" % process_group.pgid),
        (b"NSsid", b"%d" % process_group.session.sid),
    ]


def _ids(creds: "Credentials") -> list[tuple[bytes, bytes]]:
    return [
        (b"Uid", b"%d\t%d\t%d\t%d" % (creds.uid, creds.euid, creds.suid, creds.fsuid)),
        (b"Gid", b"%d\t%d\t%d\t%d" % (creds.gid, creds.egid, creds.sgid, creds.fsgid)),
    ]


def _capabilities(task: "Task") -> list[tuple[bytes, bytes]]:
    creds = task.credentials
    return [
        (b"CapInh", b"%016x" % creds.inheritable),
        (b"CapPrm", b"%016x" % creds.permitted),
        (b"CapEff", b"%016x" % creds.effective),
        (b"CapBnd", b"%016x" % creds.bounding),
        (b"CapAmb", b"%016x" % creds.ambient),
        (b"NoNewPrivs", b"%d" % creds.no_new_privs),
        (b"Seccomp", b"%d" % task.seccomp_mode),
        (b"Seccomp_filters", b"%d" % task.seccomp_filters),
        (b"Speculation_Store_Bypass", b"unknown"),
        (b"SpeculationIndirectBranch", b"unknown"),
    ]


def _fd_size(task: "Task") -> int:
    """Slots of the descriptor table: Linux grows it by powers of two from 64."""
    numbers = task.fds.numbers()
    size = 64
    while numbers and size <= numbers[-1]:
        size *= 2
    return size


def _escape(name: bytes) -> bytes:
    """Linux: fs/proc/array.c, proc_task_name()."""
    return name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
