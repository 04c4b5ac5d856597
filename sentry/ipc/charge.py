"""Memory that IPC objects cost, accounted with the sandbox's other bytes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits


class Charge:
    """``count`` bytes, given back when the holder is gone."""

    __slots__ = ("_count", "_limits")

    def __init__(self, limits: "SandboxLimits", count: int) -> None:
        """Errors: ENOMEM."""
        self._count = 0
        self._limits = limits
        limits.charge(count)
        self._count = count

    def __del__(self) -> None:
        self._limits.uncharge(self._count)
