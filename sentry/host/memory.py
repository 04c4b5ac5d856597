"""The host's memory, as much as sysinfo(2) and /proc/meminfo of a sandbox need."""

import os


def total_bytes() -> int:
    """All of it."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def free_bytes() -> int:
    """What is free now, caches not counted."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
