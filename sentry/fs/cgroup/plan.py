"""/sys/fs/cgroup: the root of a version 2 hierarchy with the sandbox's limits (cgroups(7))."""

from typing import TYPE_CHECKING

from sentry.fs.synthetic.tree import File, Plan
from sentry.kernel.memory_usage import usage

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def _memory_max(viewer: "Task") -> bytes:
    limit = viewer.kernel.limits.memory_max
    return b"max\n" if limit is None else b"%d\n" % limit


def _memory_current(viewer: "Task") -> bytes:
    memory = usage(viewer.kernel)
    return b"%d\n" % (memory.total - memory.free)


def _cpu_max(viewer: "Task") -> bytes:
    quota = viewer.kernel.limits.cpu_quota_us
    return b"max 100000\n" if quota is None else b"%d 100000\n" % quota


def _pids_max(viewer: "Task") -> bytes:
    return b"%d\n" % viewer.kernel.limits.tasks_max


def _pids_current(viewer: "Task") -> bytes:
    return b"%d\n" % len(viewer.kernel.tasks)


def _processes(viewer: "Task") -> bytes:
    return b"".join(b"%d\n" % pid for pid in sorted(group.tgid for group in viewer.kernel.tasks.processes()))


def _threads(viewer: "Task") -> bytes:
    return b"".join(b"%d\n" % tid for tid in sorted(viewer.kernel.tasks.tasks))


def cgroup_plan() -> Plan:
    """Limits and what is used of them."""
    return {
        b"cgroup.controllers": File(b"cpu memory pids\n"),
        b"cgroup.events": File(b"populated 1\nfrozen 0\n"),
        b"cgroup.max.depth": File(b"0\n"),
        b"cgroup.max.descendants": File(b"0\n"),
        b"cgroup.procs": File(_processes),
        b"cgroup.subtree_control": File(b"\n"),
        b"cgroup.threads": File(_threads),
        b"cgroup.type": File(b"domain\n"),
        b"cpu.max": File(_cpu_max),
        b"cpu.weight": File(b"100\n"),
        b"memory.current": File(_memory_current),
        b"memory.events": File(b"low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n"),
        b"memory.high": File(b"max\n"),
        b"memory.low": File(b"0\n"),
        b"memory.max": File(_memory_max),
        b"memory.min": File(b"0\n"),
        b"memory.swap.current": File(b"0\n"),
        b"memory.swap.max": File(b"0\n"),
        b"pids.current": File(_pids_current),
        b"pids.max": File(_pids_max),
    }
