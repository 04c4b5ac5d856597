"""When a sandbox whose program has ended is started again: docker's restart policies."""

from sandboxctl.errors import OptionError

DELAY_FIRST, DELAY_MAX, LONG_ENOUGH = 0.1, 60.0, 10.0
_PLAIN = ("no", "always", "unless-stopped", "on-failure")


def check(text: str) -> str:
    """The policy as it is kept. Raises OptionError."""
    name, colon, count = text.partition(":")
    if text in _PLAIN or (name == "on-failure" and colon and count.isdecimal()):
        return "" if text == "no" else text
    raise OptionError(f"--restart: {text!r} is not known; use no, on-failure[:N], always or unless-stopped")


def applies(policy: str, code: int, restarts: int) -> bool:
    """Whether a program that ended with ``code``, not by hand, is started again after ``restarts`` restarts."""
    name, _, count = policy.partition(":")
    if name == "on-failure":
        return code != 0 and (not count or restarts < int(count))
    return name in {"always", "unless-stopped"}


def delay(before: float, ran: float) -> float:
    """Seconds to wait: twice as long each time, from the beginning again after a run of ten seconds (docker's rule)."""
    return DELAY_FIRST if ran >= LONG_ENOUGH or not before else min(before * 2, DELAY_MAX)
