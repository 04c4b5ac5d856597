"""Settings of /proc/sys that are the same in every sandbox (Linux: Documentation/admin-guide/sysctl).

Programs see the modes of Linux; a value that the sandbox does not let anybody change answers a write with EPERM.
"""

from typing import TYPE_CHECKING, Final

from sentry.fs.synthetic.tree import File, Plan
from syscalls.abi.errno import EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def refuse(task: "Task", data: bytes) -> None:
    """Nobody changes this. Errors: EPERM."""
    raise SyscallError(EPERM)


def number(value: int, *, mode: int = 0o644) -> File:
    """One number and a newline."""
    return File(b"%d\n" % value, refuse, mode)


def _numbers(**values: int) -> Plan:
    return {name.replace("__", "-").encode(): number(value) for name, value in values.items()}


#: what the sandbox has no more than one answer to: nothing panics, nothing is traced, there is one processor class
KERNEL: Final[Plan] = {
    **_numbers(
        acpi_video_flags=0, auto_msgmni=0, core_pipe_limit=0, ctrl__alt__del=0, hung_task_check_count=0, hung_task_panic=0,
        hung_task_timeout_secs=0, hung_task_warnings=0, io_uring_group=-1, max_lock_depth=1024, numa_balancing=0,
        oops_limit=10000, panic_on_oops=0, panic_on_warn=0, panic_print=0, perf_cpu_time_max_percent=0,
        perf_event_max_contexts_per_stack=8, perf_event_max_sample_rate=1, perf_event_max_stack=127, perf_event_mlock_kb=0,
        printk_delay=0, printk_ratelimit=5, printk_ratelimit_burst=10, sched_autogroup_enabled=0,
        sched_cfs_bandwidth_slice_us=5000, sched_deadline_period_max_us=4194304, sched_deadline_period_min_us=100,
        sched_rr_timeslice_ms=100, sched_rt_period_us=1000000, sched_rt_runtime_us=950000, softlockup_panic=0,
        sysctl_writes_strict=1, task_delayacct=0, timer_migration=1, traceoff_on_warning=0, tracepoint_printk=0,
        unknown_nmi_panic=0, warn_limit=0, watchdog=0, watchdog_thresh=10,
    ),
    b"arch": File(b"x86_64\n"),
    b"keys": _numbers(gc_delay=300, maxbytes=0, maxkeys=0, persistent_keyring_expiry=259200, root_maxbytes=0, root_maxkeys=0),
    b"print-fatal-signals": number(0),
    b"real-root-dev": number(0),
}  # fmt: skip

FS: Final[Plan] = {
    b"binfmt_misc": {},
    b"dir-notify-enable": number(1),
    b"dentry-negative": number(0),
}

VM: Final[Plan] = {
    **_numbers(
        admin_reserve_kbytes=8192, compact_unevictable_allowed=1, compaction_proactiveness=20, dirty_background_bytes=0,
        dirty_background_ratio=10, dirty_bytes=0, dirty_expire_centisecs=3000, dirty_ratio=20, dirty_writeback_centisecs=500,
        dirtytime_expire_seconds=43200, extfrag_threshold=500, hugetlb_shm_group=0, laptop_mode=0, legacy_va_layout=0,
        max_map_count=65530, memfd_noexec=0, min_free_kbytes=67584, min_slab_ratio=5, min_unmapped_ratio=1,
        mmap_min_addr=65536, nr_hugepages=0, nr_hugepages_mempolicy=0, nr_overcommit_hugepages=0, numa_stat=1,
        oom_dump_tasks=0, oom_kill_allocating_task=0, overcommit_kbytes=0, overcommit_memory=0, overcommit_ratio=50,
        page__cluster=3, page_lock_unfairness=5, panic_on_oom=0, percpu_pagelist_high_fraction=0, stat_interval=1,
        swappiness=60, unprivileged_userfaultfd=0, user_reserve_kbytes=131072, vfs_cache_pressure=100,
        watermark_boost_factor=15000, watermark_scale_factor=10, zone_reclaim_mode=0,
    ),
    b"compact_memory": File(None, refuse, 0o200),
    b"drop_caches": File(None, refuse, 0o200),
    b"lowmem_reserve_ratio": File(b"256\t256\t32\t0\t0\n", refuse, 0o644),
    b"mmap_rnd_bits": number(28, mode=0o600),
    b"mmap_rnd_compat_bits": number(8, mode=0o600),
    b"numa_zonelist_order": File(b"Node\n", refuse, 0o644),
    b"stat_refresh": File(None, refuse, 0o600),
}  # fmt: skip
