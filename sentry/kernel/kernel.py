"""The kernel record: the subsystems of one sandbox, with no behaviour of its own."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentry.kernel.load import LoadAverages
from sentry.kernel.net_namespace import NetNamespace
from sentry.kernel.pseudo_fs import PseudoFileSystems

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry.kernel.limits import SandboxLimits
    from sentry.kernel.namespaces import Namespaces
    from sentry.kernel.signals import Signals
    from sentry.kernel.task_table import TaskTable
    from sentry.platform.interface import Platform
    from sentry.sched.runner import Runner
    from sentry.vfs.mount import MountTable


@dataclass(frozen=True, slots=True)
class Kernel:
    """Handed to every task; handlers reach subsystems through ``task.kernel``.

    ``realtime_ns`` is the wall clock, ``runner.monotonic_ns`` the monotonic one, ``start_ns`` its value at boot. ``random``
    returns n random bytes. ``namespaces`` are those of a first task.
    """

    platform: "Platform"
    runner: "Runner"
    tasks: "TaskTable"
    signals: "Signals"
    mounts: "MountTable"
    limits: "SandboxLimits"
    namespaces: "Namespaces"
    realtime_ns: "Callable[[], int]"
    random: "Callable[[int], bytes]"
    start_ns: int
    net: NetNamespace = field(default_factory=NetNamespace)
    load: LoadAverages = field(default_factory=LoadAverages)
    pseudo: PseudoFileSystems = field(default_factory=PseudoFileSystems)
