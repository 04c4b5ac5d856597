"""What is in /sys: what glibc, node, Go, the JVM and Python look for."""

from sentry.fs.synthetic.tree import File, Plan
from sentry.fs.sys.cpu import cpu_plan


def plan() -> Plan:
    """The whole tree."""
    return {
        b"block": {},
        b"bus": {},
        b"class": {name: {} for name in (b"block", b"hwmon", b"mem", b"misc", b"net", b"power_supply", b"thermal", b"tty")},
        b"dev": {b"block": {}, b"char": {}},
        b"devices": {b"system": {b"cpu": cpu_plan(), b"node": node_plan()}, b"virtual": {}},
        b"firmware": {},
        b"fs": {b"cgroup": {}},
        b"hypervisor": {},
        b"kernel": {
            b"mm": {
                b"hugepages": {},
                b"transparent_hugepage": {
                    b"defrag": File(b"always defer defer+madvise [madvise] never\n"),
                    b"enabled": File(b"always [madvise] never\n"),
                    b"hpage_pmd_size": File(b"2097152\n"),
                    b"shmem_enabled": File(b"always within_size advise [never] deny force\n"),
                },
            },
            b"notes": File(b""),
        },
        b"module": {},
        b"power": {},
    }


def node_plan() -> Plan:
    """One memory node."""
    return {name: File(b"0\n") for name in (b"online", b"possible", b"has_cpu", b"has_memory", b"has_normal_memory")}
