"""The guest's environment: defaults, ``--env-file``, ``-e``, in that order; the last one wins."""

import os
from collections.abc import Iterable, Mapping

from sandboxctl.errors import OptionError

PATH_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FILE_SIZE_MAX = 1 << 20


def defaults(home: str, caller: Mapping[str, str]) -> dict[str, str]:
    """Return what every command gets; nothing else of the caller's environment goes in by itself."""
    return {"PATH": PATH_DEFAULT, "HOME": home, "TERM": caller.get("TERM") or "xterm", "LANG": "C.UTF-8"}


def assignment(text: str, caller: Mapping[str, str], option: str) -> tuple[str, str] | None:
    """Return (name, value) of ``NAME=VALUE``; of ``NAME`` alone the caller's value, None if it has none. Raises OptionError."""
    name, equals, value = text.partition("=")
    if not name or "\0" in text or any(c.isspace() for c in name):
        raise OptionError(f"{option}: {text!r} is not NAME=VALUE or NAME")
    if equals:
        return name, value
    return (name, caller[name]) if name in caller else None


def read_file(path: str, caller: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an env file as docker reads it: NAME=VALUE or NAME a line, # comments. Raises OptionError."""
    try:
        with open(path, "rb") as file:
            raw = file.read(FILE_SIZE_MAX + 1)
    except OSError as error:
        raise OptionError(f"--env-file: cannot read {path!r}: {error.strerror}") from None
    if len(raw) > FILE_SIZE_MAX:
        raise OptionError(f"--env-file: {path!r} is larger than {FILE_SIZE_MAX >> 20} MiB")
    return parse_file(raw, path, caller)


def parse_file(raw: bytes, path: str, caller: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an env file's content. Raises OptionError that names the line."""
    variables: dict[str, str] = {}
    for number, line in enumerate(os.fsdecode(raw.removeprefix(b"\xef\xbb\xbf")).split("\n"), 1):
        text = line.removesuffix("\r").lstrip()
        if not text or text.startswith("#"):
            continue
        pair = assignment(text, caller, f"--env-file {path} line {number}")
        if pair is not None:
            variables[pair[0]] = pair[1]
    return variables


def build(
    home: str, files: Iterable[str], assignments: Iterable[str], caller: Mapping[str, str], image: Iterable[str] | None = None
) -> dict[str, str]:
    """Return the whole environment; ``image``: what the image's configuration sets, None for a folder. Raises OptionError."""
    variables = defaults(home, caller)
    if image is not None:
        del variables["LANG"]
        variables |= {name: value for name, equals, value in (text.partition("=") for text in image) if name and equals}
    for path in files:
        variables |= read_file(path, caller)
    for text in assignments:
        pair = assignment(text, caller, "-e")
        if pair is not None:
            variables[pair[0]] = pair[1]
    return variables
