"""What is in /sys: what glibc, node, Go, the JVM and Python look for."""

from typing import TYPE_CHECKING

from sentry.fs.proc.sys.fixed import refuse
from sentry.fs.synthetic.tree import File, Plan, Symlink
from sentry.fs.sys.cpu import cpu_plan, mask, ranges
from sentry.fs.sys.devices import class_links, number_links, virtual_devices
from sentry.fs.sys.net import NetClass, NetDevices
from sentry.host import procfs
from sentry.kernel.memory_usage import usage

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task


def plan(fs: "SyntheticFileSystem") -> Plan:
    """The whole tree."""
    return {
        b"block": {},
        b"bus": {},
        b"class": {
            **{name: {} for name in (b"block", b"hwmon", b"misc", b"power_supply", b"thermal")},
            **class_links(),
            b"net": NetClass(fs),
        },
        b"dev": {b"block": {}, b"char": number_links()},
        b"devices": {
            b"system": {b"cpu": cpu_plan(), b"node": node_plan()},
            b"virtual": {**virtual_devices(), b"net": NetDevices(fs)},
        },
        b"firmware": {},
        b"fs": {b"cgroup": {}},
        b"hypervisor": {},
        b"kernel": {
            b"mm": {
                b"hugepages": {},
                b"transparent_hugepage": {
                    b"defrag": File(b"always defer defer+madvise [madvise] never\n", refuse, 0o644),
                    b"enabled": File(b"always [madvise] never\n", refuse, 0o644),
                    b"hpage_pmd_size": File(b"2097152\n"),
                    b"shmem_enabled": File(b"always within_size advise [never] deny force\n", refuse, 0o644),
                },
            },
            b"notes": File(b""),
        },
        b"module": {},
        b"power": {},
    }


def node_plan() -> Plan:
    """One memory node with all processors."""
    numbers = procfs.processors()
    tree: dict[bytes, File | Plan] = {
        name: File(b"0\n") for name in (b"online", b"possible", b"has_cpu", b"has_memory", b"has_normal_memory")
    }
    tree[b"node0"] = {
        **{b"cpu%d" % number: Symlink(b"../../cpu/cpu%d" % number) for number in numbers},
        b"cpulist": File(ranges(numbers) + b"\n"),
        b"cpumap": File(mask(numbers) + b"\n"),
        b"distance": File(b"10\n"),
        b"hugepages": {},
        b"meminfo": File(_node_meminfo),
    }
    return tree


def _node_meminfo(viewer: "Task") -> bytes:
    memory = usage(viewer.kernel)
    total, free = memory.total >> 10, memory.free >> 10
    return b"".join(
        b"Node 0 %-15b %8d kB\n" % line for line in ((b"MemTotal:", total), (b"MemFree:", free), (b"MemUsed:", total - free))
    )
