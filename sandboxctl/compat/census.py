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

    def since(self, earlier: "Use") -> "Use":
        """What has been added."""
        errors = {errno: times - earlier.errors.get(errno, 0) for errno, times in self.errors.items()}
        added = {errno: times for errno, times in errors.items() if times}
        return Use(self.call, self.values, self.count - earlier.count, self.ns - earlier.ns, added)


@dataclass(frozen=True, slots=True)
class Census:
    """``uses``, and the files of /proc and /sys that were named, with process numbers as N (path: times)."""

    uses: tuple[Use, ...]
    files: Mapping[bytes, int]

    def __sub__(self, earlier: "Census") -> "Census":
        """What has been added since ``earlier``."""
        old = {(use.call, use.values): use for use in earlier.uses}
        nothing = Use("", (), 0, 0, {})
        uses = [use.since(old.get((use.call, use.values), nothing)) for use in self.uses]
        files = {path: count - earlier.files.get(path, 0) for path, count in self.files.items()}
        return Census(tuple(use for use in uses if use.count), {path: count for path, count in files.items() if count})

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Take the sentry's answer apart."""
        uses = tuple(
            Use(str(call), tuple(values), count, ns, {errno: times for errno, times in errors})
            for call, values, count, ns, errors in answer.get("uses", ())
        )
        return cls(uses, {bytes(path): count for path, count in answer.get("files", ())})
