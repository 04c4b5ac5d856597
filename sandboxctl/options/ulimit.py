"""``--ulimit NAME=SOFT[:HARD]``."""

import resource
from collections.abc import Iterable

from sandboxctl.config import Rlimit
from sandboxctl.errors import OptionError

_NAMES = {
    "as": resource.RLIMIT_AS, "core": resource.RLIMIT_CORE, "cpu": resource.RLIMIT_CPU, "data": resource.RLIMIT_DATA,
    "fsize": resource.RLIMIT_FSIZE, "locks": 10, "memlock": resource.RLIMIT_MEMLOCK, "msgqueue": resource.RLIMIT_MSGQUEUE,
    "nice": resource.RLIMIT_NICE, "nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC, "rss": resource.RLIMIT_RSS,
    "rtprio": resource.RLIMIT_RTPRIO, "rttime": resource.RLIMIT_RTTIME, "sigpending": resource.RLIMIT_SIGPENDING,
    "stack": resource.RLIMIT_STACK,
}  # fmt: skip


#: host descriptors above the guest's own numbers (the exec stub's)
_RESERVED = 16


def ulimit(text: str) -> Rlimit:
    """Return the limit; a missing hard value equals the soft one, -1 is unlimited. Raises OptionError."""
    name, equals, values = text.partition("=")
    if name not in _NAMES:
        raise OptionError(f"--ulimit: {name!r} is not known; use one of {', '.join(_NAMES)}")
    soft_text, colon, hard_text = values.partition(":")
    soft = _value(soft_text, text)
    hard = _value(hard_text, text) if colon else soft
    if not equals or (hard != -1 and (soft == -1 or soft > hard)):
        raise OptionError(f"--ulimit: {text!r}: the soft limit must not exceed the hard one; use {name}=SOFT or {name}=SOFT:HARD")
    return Rlimit(_NAMES[name], soft, hard)


def descriptors_max(limits: Iterable[Rlimit]) -> int | None:
    """Return how many descriptors a sandbox must have room for, None if it says nothing of them.

    Raises OptionError beyond what the host grants us.
    """
    wanted = max((limit.hard for limit in limits if limit.resource == resource.RLIMIT_NOFILE), default=None)
    if wanted is None:
        return None
    granted = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _RESERVED
    if not 0 <= wanted <= granted:
        raise OptionError(f"--ulimit: nofile can be at most {granted} here; raise ours (ulimit -Hn) or ask for less")
    return wanted


def _value(text: str, whole: str) -> int:
    if text in {"-1", "unlimited"}:
        return -1
    if text.isdecimal() and text.isascii() and len(text) < 19:
        return int(text)
    raise OptionError(f"--ulimit: {whole!r} is not NAME=SOFT or NAME=SOFT:HARD with numbers")
