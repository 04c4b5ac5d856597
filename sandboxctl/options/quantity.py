"""Numbers with units: sizes as docker writes them (``512m``), durations (``1m30s``), signal names, octal modes."""

import signal

from sandboxctl.errors import OptionError

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SIZE_MAX = 1 << 62


def size(text: str, option: str) -> int:
    """Return the bytes of ``512m``, ``1.5g``, ``64KiB``. Raises OptionError."""
    value = text.strip().lower().removesuffix("ib")
    if len(value) > 1 and value[-1] == "b" and value[-2] in "kmgt":
        value = value[:-1]
    digits = value.rstrip("bkmgt")
    unit = value[len(digits) :]
    try:
        number = _plain_number(digits)
        result = int(number * _UNITS[unit])
    except (ValueError, KeyError):
        raise OptionError(f"{option}: {text!r} is not a size; use a number with b, k, m or g, for example 512m") from None
    if not 0 <= result <= SIZE_MAX:
        raise OptionError(f"{option}: {text!r} is out of range")
    return result


def _plain_number(digits: str) -> float:
    if not digits or not set(digits) <= set("0123456789.") or not digits[0].isdigit():
        raise ValueError(digits)
    return float(digits) if "." in digits else int(digits)


def duration(text: str, option: str) -> float:
    """Return the seconds of ``30``, ``1.5s``, ``2m30s``, ``500ms``. Raises OptionError."""
    rest, total, error = text.strip(), 0.0, None
    if not rest:
        error = "empty"
    while rest and error is None:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(digits) :]
        unit = rest[: len(rest) - len(rest.lstrip("abcdefghijklmnopqrstuvwxyz"))]
        rest = rest[len(unit) :]
        try:
            total += _plain_number(digits) * _SECONDS[unit or "s"]
        except (ValueError, KeyError):
            error = text
    if error is not None or not 0 < total < 1e9:
        raise OptionError(f"{option}: {text!r} is not a duration; use seconds or for example 90s, 2m30s, 500ms")
    return total


def processors(text: str, option: str) -> float:
    """Return the number of ``1.5``: a hundredth of a processor at least. Raises OptionError."""
    try:
        number = _plain_number(text.strip())
    except ValueError:
        number = 0.0
    if not 0.01 <= number <= 8192:
        raise OptionError(f"{option}: {text!r} is not a number of processors; use for example 0.5 or 2")
    return float(number)


def whole(text: str, option: str, *, least: int = 0, most: int = (1 << 31) - 1) -> int:
    """Return a whole number in [least, most]. Raises OptionError."""
    if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise OptionError(f"{option}: {text!r} is not a whole number from {least} to {most}")


def octal(text: str, option: str) -> int:
    """Return a file mode such as 1777. Raises OptionError."""
    if text and set(text) <= set("01234567") and len(text) <= 5 and int(text, 8) <= 0o7777:
        return int(text, 8)
    raise OptionError(f"{option}: {text!r} is not an octal mode, for example 1777")


def signal_number(text: str, option: str) -> int:
    """Return the number of ``TERM``, ``SIGTERM`` or ``15``. Raises OptionError."""
    if text.isdecimal() and text.isascii() and 1 <= int(text[:9]) <= 64:
        return int(text)
    name = text.upper().removeprefix("SIG")
    for known in signal.Signals:
        if known.name == f"SIG{name}":
            return int(known)
    raise OptionError(f"{option}: {text!r} is not a signal; use a name such as SIGTERM or a number from 1 to 64")
