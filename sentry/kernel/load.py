"""Load averages (proc_loadavg(5)) without a timer: the processor time since the last look is spread over the time since then.

Linux samples every five seconds how many tasks could run; an idle sandbox must cost nothing, so this counts how many did run.
"""

from math import exp
from typing import Final

_MINUTE_NS: Final = 60_000_000_000
_PERIODS: Final = (1, 5, 15)


class LoadAverages:
    """Averages over one, five and fifteen minutes of a container's life."""

    __slots__ = ("_averages", "_seen_ns", "_used_ns")

    def __init__(self) -> None:
        self._averages = [0.0, 0.0, 0.0]
        self._seen_ns = self._used_ns = 0

    def read(self, up_ns: int, used_ns: int) -> tuple[float, ...]:
        """The averages after ``up_ns``; ``used_ns`` is the processor time of all processes so far."""
        passed, used = up_ns - self._seen_ns, max(used_ns - self._used_ns, 0)
        if passed > 0:
            load = used / passed
            for index, minutes in enumerate(_PERIODS):
                kept = exp(-passed / (minutes * _MINUTE_NS))
                self._averages[index] = self._averages[index] * kept + load * (1 - kept)
            self._seen_ns, self._used_ns = up_ns, used_ns
        return tuple(self._averages)
