"""Limits of a whole sandbox; every one has a number."""

from dataclasses import dataclass

from syscalls.abi.errno import ENOMEM
from syscalls.abi.errors import SyscallError


@dataclass(slots=True)
class SandboxLimits:
    """Totals over all containers of a sandbox.

    ``descriptors_max`` is the largest RLIMIT_NOFILE. ``bytes_used`` counts tmpfs, overlay, pipe and socket bytes.
    """

    tasks_max: int = 4096
    files_max: int = 100_000
    memory_max: int | None = None
    cpu_quota_us: int | None = None  # in each tenth of a second, held by a control group
    bytes_max: int = 1 << 30
    inodes_max: int = 1_000_000
    descriptors_max: int = 1024
    pipe_size_max: int = 1 << 20
    bytes_used: int = 0
    #: the sentry's own descriptors that hold contents of guest files; more stay in its memory
    host_files_max: int = 2048
    host_files_used: int = 0

    def charge(self, count: int) -> None:
        """Account ``count`` bytes that the sentry keeps for the guest. Errors: ENOMEM (callers may turn it into ENOSPC)."""
        limit = self.bytes_max if self.memory_max is None else min(self.bytes_max, self.memory_max)
        if self.bytes_used + count > limit:
            raise SyscallError(ENOMEM)
        self.bytes_used += count

    def uncharge(self, count: int) -> None:
        """Give ``count`` bytes back."""
        self.bytes_used -= count
