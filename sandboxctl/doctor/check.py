"""The result of one look at the host."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """``WEAKER``: the sandbox works with one protection or speed-up less. ``BROKEN``: it cannot work."""

    OK = "ok"
    WEAKER = "weaker"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what to change if that is worth it."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""
