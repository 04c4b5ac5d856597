"""/proc/meminfo and /proc/vmstat: the memory of the sandbox, by the same count as sysinfo(2) (proc_meminfo(5))."""

from typing import TYPE_CHECKING, Final

from sentry.kernel.memory_usage import usage

if TYPE_CHECKING:
    from sentry.kernel.task import Task

#: lines in Linux's order; what is not in the table below is 0
_LINES: Final = (
    b"MemTotal", b"MemFree", b"MemAvailable", b"Buffers", b"Cached", b"SwapCached", b"Active", b"Inactive", b"Active(anon)",
    b"Inactive(anon)", b"Active(file)", b"Inactive(file)", b"Unevictable", b"Mlocked", b"SwapTotal", b"SwapFree", b"Zswap",
    b"Zswapped", b"Dirty", b"Writeback", b"AnonPages", b"Mapped", b"Shmem", b"KReclaimable", b"Slab", b"SReclaimable",
    b"SUnreclaim", b"KernelStack", b"PageTables", b"SecPageTables", b"NFS_Unstable", b"Bounce", b"WritebackTmp", b"CommitLimit",
    b"Committed_AS", b"VmallocTotal", b"VmallocUsed", b"VmallocChunk", b"Percpu", b"AnonHugePages", b"ShmemHugePages",
    b"ShmemPmdMapped", b"FileHugePages", b"FilePmdMapped", b"HugePages_Total", b"HugePages_Free", b"HugePages_Rsvd",
    b"HugePages_Surp", b"Hugepagesize", b"Hugetlb",
)  # fmt: skip
_VMALLOC_TOTAL_KB: Final = 34359738367
_HUGE_PAGE_KB: Final = 2048
_PAGE: Final = 4096


def meminfo(viewer: "Task") -> bytes:
    """One line for each number; kilobytes, huge pages apart."""
    kernel = viewer.kernel
    memory = usage(kernel)
    total, free = memory.total >> 10, memory.free >> 10
    shared = min(kernel.limits.bytes_used >> 10, total)
    anonymous = max(total - free - shared, 0)
    known = {
        b"MemTotal": total,
        b"MemFree": free,
        b"MemAvailable": free,
        b"Cached": shared,
        b"Active": anonymous,
        b"Inactive": shared,
        b"Active(anon)": anonymous,
        b"Inactive(anon)": shared,
        b"AnonPages": anonymous,
        b"Shmem": shared,
        b"CommitLimit": total,
        b"Committed_AS": anonymous + shared,
        b"VmallocTotal": _VMALLOC_TOTAL_KB,
        b"Hugepagesize": _HUGE_PAGE_KB,
    }
    lines = []
    for name in _LINES:
        unit = b"" if name.startswith(b"HugePages_") else b" kB"
        lines.append(b"%-16b%8d%b\n" % (name + b":", known.get(name, 0), unit))
    return b"".join(lines)


def vmstat(viewer: "Task") -> bytes:
    """The few counters that programs look for."""
    free = usage(viewer.kernel).free // _PAGE
    return b"nr_free_pages %d\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\noom_kill 0\n" % free
