"""How much memory a sandbox has: its limit, or the host's memory where there is none."""

from typing import TYPE_CHECKING, NamedTuple

from sentry.host.memory import free_bytes, total_bytes

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel


class MemoryUsage(NamedTuple):
    """Bytes."""

    total: int
    free: int


def admits(kernel: "Kernel", wanted: int) -> bool:
    """Whether the sandbox's limit leaves ``wanted`` bytes, where the sentry has to keep it itself."""
    limit = kernel.limits.memory_max
    if limit is None or "memory" in kernel.platform.layers:
        return True
    room = limit - kernel.limits.bytes_used - wanted
    return kernel.platform.resident_bytes(room) <= room


def usage(kernel: "Kernel") -> MemoryUsage:
    """What sysinfo(2) and /proc/meminfo tell a guest."""
    total, free = total_bytes(), free_bytes()
    limit = kernel.limits.memory_max
    if limit is not None and limit < total:
        total, free = limit, min(free, max(limit - kernel.limits.bytes_used, 0))
    return MemoryUsage(total, free)
