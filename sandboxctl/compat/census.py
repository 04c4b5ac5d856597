"""What the programs of a sandbox have asked for, as the sentry counted it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a call: ``values`` of the registers that select its command or flags, how often, its errors (errno: times),
    and nanoseconds in all, waiting included."""

    call: str
    values: tuple[int, ...]
    count: int
    ns: int
    errors: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Census:
    """``uses``, and the files of /proc and /sys that were named, with process numbers as N (path: times)."""

    uses: tuple[Use, ...]
    files: Mapping[bytes, int]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Take the sentry's answer apart."""
        uses = tuple(
            Use(str(call), tuple(values), count, ns, {errno: times for errno, times in errors})
            for call, values, count, ns, errors in answer.get("uses", ())
        )
        return cls(uses, {bytes(path): count for path, count in answer.get("files", ())})
