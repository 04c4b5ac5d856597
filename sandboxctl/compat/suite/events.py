"""System calls as strace(1) and as our own --strace print them, in one form that can be compared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CALL = re.compile(r"^(?:\[?(?:pid +)?(\d+)\]? +)?([a-z_0-9]+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?: ([A-Z][A-Z0-9]+))?")
_UNFINISHED = re.compile(r"^(?:\[?(?:pid +)?(\d+)\]? +)?([a-z_0-9]+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(?:\[?(?:pid +)?(\d+)\]? +)?<\.\.\. ([a-z_0-9]+) resumed>(.*)$")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WORD = re.compile(r"\b(?:[A-Z]{2,}[0-9]*_[A-Z0-9_]+)\b")
_NUMBER = re.compile(r"(?<=/)[0-9]+(?=/|$)")
#: calls whose first text is a path
_NO_PATH = frozenset(("write", "read", "pwrite64", "pread64", "sendto", "recvfrom", "sendmsg", "recvmsg", "writev", "readv"))


@dataclass(frozen=True, slots=True)
class Event:
    """One call: its name, what tells it from others of its name (a path, commands and flags), and its error ("" if none)."""

    call: str
    path: str
    words: str
    error: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What is compared: not addresses, numbers or contents."""
        return self.call, self.path, self.words


def events(lines: Iterator[str], folders: tuple[str, ...] = ()) -> Iterator[Event]:
    """The calls of a trace, in order of their ends; ``folders`` are written as "." so that other working folders compare."""
    begun: dict[tuple[str, str], str] = {}
    for raw in lines:
        line = raw.rstrip("\n")
        if found := _UNFINISHED.match(line):
            begun[found[1] or "", found[2]] = found[3]
            continue
        if found := _RESUMED.match(line):
            line = f"{found[1] or ''} {found[2]}({begun.pop((found[1] or '', found[2]), '')}{found[3]}".lstrip()
        if found := _CALL.match(line):
            yield _event(found[2], found[3], found[4], found[5] or "", folders)


def _event(call: str, arguments: str, result: str, error: str, folders: tuple[str, ...]) -> Event:
    path = ""
    if call not in _NO_PATH and (found := _TEXT.search(arguments)):
        path = found[1]
        for folder in folders:
            if path == folder or path.startswith(folder + "/"):
                path = "." + path[len(folder) :]
        if path.startswith(("/proc/", "/sys/")):
            path = _NUMBER.sub("N", path)
    words = " ".join(sorted(set(_WORD.findall(_TEXT.sub("", arguments)))))
    is_failed = result.startswith("-") and bool(error)
    shown = f"{call}({arguments[:200]}) = {result}{' ' + error if error else ''}"
    return Event(call, path, words, error if is_failed else "", shown)
