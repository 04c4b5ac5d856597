"""A control group for the guests, where the sentry was started by somebody who may make one (root, or a delegated tree).

It gives the true memory limit, processor time and a second guard on the number of tasks (cgroups(7), version 1 and 2). It is made
before the sentry drops its privileges; what stays is a descriptor of the member list, and a small process that removes the group
once the sentry is gone, however it ends.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from sentry.platform.interface import JailConfig

log = logging.getLogger(__name__)

_MOUNT = Path("/sys/fs/cgroup")
_REMOVE_TRIES = 100


@dataclass(frozen=True)
class _Controller:
    """Where a controller's tree is and which file takes the limit."""

    name: str
    file_v1: str
    file_v2: str


_MEMORY = _Controller("memory", "memory.limit_in_bytes", "memory.max")
_PIDS = _Controller("pids", "pids.max", "pids.max")
_CPU = _Controller("cpu", "cpu.cfs_quota_us", "cpu.max")
#: microseconds; ``JailConfig.cpu_quota_us`` is meant for each of them
CPU_PERIOD_US = 100_000


def _own_groups() -> dict[str, Path]:
    """The sentry's own group for each controller, and under "" that of version 2."""
    groups = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = Path(path)
    return groups


class GuestGroup:
    """The groups of one sandbox; ``layers`` names the limits that hold ("memory", "pids")."""

    def __init__(self) -> None:
        self.layers: frozenset[str] = frozenset()
        self._member_fds: list[int] = []
        self._directories: list[Path] = []
        self._alive = -1
        self._limit_fds: dict[str, list[int]] = {}

    def prepare(self, config: JailConfig) -> None:
        """Make the groups that the host permits; a limit that cannot be had is missing in ``layers``."""
        limits: list[tuple[_Controller, int | str]] = []
        if config.memory_max is not None:
            limits += [(_MEMORY, config.memory_max), (_PIDS, config.tasks_max)]
        if config.cpu_quota_us is not None:
            limits.append((_CPU, config.cpu_quota_us))
        if not limits:
            return
        try:
            groups = _own_groups()
        except OSError:
            return
        made = set()
        for controller, value in limits:
            try:
                self._make(controller, value, groups)
                made.add(controller.name)
            except OSError as error:
                log.debug("no control group for %s: %s", controller.name, error)
        self.layers = frozenset(made)
        if self._directories:
            self._leave_remover()

    def _make(self, controller: _Controller, value: int | str, groups: dict[str, Path]) -> None:
        name = f"sandboxctl-{os.getpid()}"
        if controller.name in groups:
            directory = _MOUNT / controller.name / groups[controller.name].relative_to("/") / name
            limit = controller.file_v1
        else:
            directory = _MOUNT / groups[""].relative_to("/") / name
            limit = controller.file_v2
        if directory not in self._directories:
            directory.mkdir()
            self._directories.append(directory)
            self._member_fds.append(os.open(directory / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        (directory / limit).write_text(f"{value} {CPU_PERIOD_US}" if limit == _CPU.file_v2 else str(value))
        kept = [directory / limit]
        for swap in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
            if controller is _MEMORY and (directory / swap).exists():
                (directory / swap).write_text("0" if swap.endswith("max") else str(value))
                kept += [] if swap.endswith("max") else [directory / swap]
        self._limit_fds[controller.name] = [os.open(file, os.O_WRONLY | os.O_CLOEXEC) for file in kept]

    def limit(self, controller: str, value: int) -> bool:
        """Set a limit anew; False if the host refuses (less memory than is in use). With swap, version 1 wants both in order."""
        fds = self._limit_fds.get(controller, [])
        for order in (fds, fds[::-1]):
            try:
                for fd in order:
                    os.pwrite(fd, b"%d" % value, 0)
            except OSError:
                continue
            return bool(fds)
        return False

    def _leave_remover(self) -> None:
        reader, self._alive = os.pipe()
        if os.fork():
            os.close(reader)
            os.wait()
            return
        if os.fork():
            os._exit(0)
        try:
            os.closerange(0, reader)
            os.closerange(reader + 1, 4096)
            os.setsid()
            os.read(reader, 1)
            self._remove()
        finally:
            os._exit(0)

    def _remove(self) -> None:
        import select

        for directory in self._directories:
            for _ in range(_REMOVE_TRIES):
                try:
                    directory.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    select.select([], [], [], 0.05)  # its last members are dying

    def add(self, pid: int) -> None:
        """Put a container's first process, and so all that it makes, into the groups. Raises OSError."""
        for fd in self._member_fds:
            os.pwrite(fd, b"%d" % pid, 0)

    def close(self) -> None:
        """Let the remover do its work. Idempotent."""
        for fd in (*self._member_fds, *(fd for fds in self._limit_fds.values() for fd in fds), self._alive):
            if fd >= 0:
                os.close(fd)
        self._member_fds.clear()
        self._limit_fds.clear()
        self._alive = -1
