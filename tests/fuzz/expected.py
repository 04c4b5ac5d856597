"""The one list of expected differences, ``expected.txt``: call, argument, natively, inside, reason. It may only shrink."""

from pathlib import Path

FILE = Path(__file__).with_name("expected.txt")
#: never raise it
ENTRIES_MAX = 90
Key = tuple[str, str, str, str]


def key(name: str, native: str, inside: str) -> Key:
    """What an entry is about; ``name`` is a case's: call(argument=value)."""
    call, _, rest = name.partition("(")
    return call, rest.partition("=")[0], _plain(native), _plain(inside)


def _plain(result: str) -> str:
    return "success" if result.lstrip("-").isdigit() or result == "ok" else result


def expected() -> dict[Key, str]:
    """Reasons by key."""
    found = {}
    for line in FILE.read_text().splitlines():
        if line and not line.startswith("#"):
            words = line.split(None, 4)
            found[words[0], words[1], words[2], words[3]] = words[4]
    return found
