"""Sizes and times for people, as docker and podman write them."""

from datetime import UTC, datetime

from sandboxctl.options.quantity import duration

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: float) -> str:
    """Three digits and a decimal unit: ``4.12 MB``."""
    for unit in _SIZES:
        if count < 999.5 or unit == _SIZES[-1]:
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def parse_time(text: str) -> datetime | None:
    """RFC 3339 with any number of fraction digits; None for anything else."""
    head, dot, rest = text.partition(".")
    digits = rest.rstrip("Zz")
    zone = "+00:00" if text[-1:] in {"Z", "z"} else ""
    for sign in "+-":
        if sign in digits:
            digits, _, offset = digits.partition(sign)
            zone = sign + offset
    if not dot:
        head = text.rstrip("Zz") if zone else text
    try:
        found = datetime.fromisoformat(f"{head}{'.' + digits[:6].ljust(6, '0') if dot else ''}{zone}")
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def moment(text: str, option: str) -> float:
    """Seconds since the epoch of a time, such a number, or a duration before now. Raises OptionError."""
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    found = parse_time(text)
    return found.timestamp() if found is not None else datetime.now(UTC).timestamp() - duration(text, option)


def ago(text: str) -> str:
    """``3 weeks ago`` for a time in RFC 3339."""
    then = parse_time(text)
    if then is None:
        return "N/A"
    return ago_of(then.timestamp())


def ago_of(then: float) -> str:
    """The same for seconds since the epoch."""
    seconds = int(datetime.now(UTC).timestamp() - then)
    if seconds < 1:
        return "Less than a second ago"
    day = 86400
    for unit, name in ((365 * day, "years"), (30 * day, "months"), (7 * day, "weeks"), (day, "days")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name} ago"
    if seconds >= 2 * 3600:
        return f"{seconds // 3600} hours ago"
    if seconds >= 3600:
        return "About an hour ago"
    if seconds >= 120:
        return f"{seconds // 60} minutes ago"
    return "About a minute ago" if seconds >= 60 else f"{seconds} seconds ago"
