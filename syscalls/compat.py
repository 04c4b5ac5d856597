"""Writes the compatibility matrix: every system-call number with its level, its note and the tests that speak for it.

    python -m syscalls.compat [--check]

A claim needs evidence: a row that is declared full but named by no differential test under tests/syscalls is shown as partial.
``--check`` writes nothing and fails if the files in compat-matrix/ are not what the code says.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from syscalls.abi import errno as errnos
from syscalls.abi.nr_x86_64 import NAMES
from syscalls.registry import FAMILIES, Entry, Support, build_table

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / "compat-matrix"
TESTS = ROOT / "tests" / "syscalls"
LEVELS = ("full", "partial", "stub", "refused", "missing")
UNPROVEN = "declared full, no differential test names it yet"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
#: names that the C library gives to calls whose number has another name
_ALIASES = {
    "newfstatat": ("fstatat", "stat", "lstat"),
    "pread64": ("pread",),
    "pwrite64": ("pwrite",),
    "prlimit64": ("prlimit",),
    "exit_group": ("exit", "_exit"),
    "exit": ("_exit", "pthread_exit"),
    "rt_sigaction": ("sigaction", "signal"),
    "rt_sigprocmask": ("sigprocmask",),
    "rt_sigsuspend": ("sigsuspend",),
    "rt_sigpending": ("sigpending",),
    "rt_sigtimedwait": ("sigtimedwait", "sigwaitinfo", "sigwait"),
    "rt_sigqueueinfo": ("sigqueue",),
    "wait4": ("waitpid", "wait"),
    "getdents64": ("readdir",),
    "pselect6": ("pselect",),
    "eventfd2": ("eventfd",),
    "epoll_create1": ("epoll_create",),
    "signalfd4": ("signalfd",),
    "inotify_init1": ("inotify_init",),
    "rt_sigreturn": ("sigaction",),
    "clone": ("pthread_create",),
    "umount2": ("umount",),
}


def evidence(directory: Path = TESTS) -> dict[str, list[str]]:
    """Call name to the differential tests whose source names it."""
    found: dict[str, list[str]] = {}
    for source in sorted(directory.glob("*/*")):
        if source.suffix not in (".c", ".cc", ".py", ".sh", ".go"):
            continue
        for word in set(_WORD.findall(source.read_text(errors="replace"))):
            found.setdefault(word, []).append(source.relative_to(directory).as_posix())
    return found


def row(nr: int, entry: Entry | None, tests: dict[str, list[str]]) -> dict[str, Any]:
    """One line of the matrix."""
    name = NAMES[nr]
    if entry is None:
        return {"nr": nr, "name": name, "level": "missing", "note": "ENOSYS", "tests": []}
    named_by = sorted({test for word in (name, *_ALIASES.get(name, ())) for test in tests.get(word, ())})
    level, note = entry.support.value, entry.note
    if entry.support is Support.FULL and not named_by:
        level, note = Support.PARTIAL.value, UNPROVEN
    result: dict[str, Any] = {
        "nr": nr,
        "name": name,
        "family": entry.family,
        "man": entry.man,
        "level": level,
        "note": f"{errnos.name(entry.errno)}: {note}" if entry.errno else note,
        "arguments": [f"{argument.kind.name} {argument.name}" for argument in entry.arguments],
        "tests": named_by,
    }
    if entry.native:
        result["native"] = {"reason": entry.native, "condition": entry.condition or "always"}
    return result


def matrix() -> dict[str, Any]:
    """The whole matrix."""
    tests = evidence()
    table = build_table()
    rows = [row(nr, table[nr], tests) for nr in sorted(NAMES)]
    totals = Counter(line["level"] for line in rows)
    return {"arch": "x86_64", "totals": {level: totals[level] for level in LEVELS}, "calls": rows}


def as_json(data: dict[str, Any]) -> str:
    """One call a line, so that a change is one line of a diff."""
    lines = ",\n".join("    " + json.dumps(line) for line in data["calls"])
    head = f'{{\n  "arch": "{data["arch"]}",\n  "totals": {json.dumps(data["totals"])},\n  "calls": [\n'
    return f"{head}{lines}\n  ]\n}}\n"


def overview(data: dict[str, Any]) -> str:
    """README.md: totals by family."""
    lines = [
        "# Compatibility matrix",
        "",
        "Generated from the declarations beside the handlers by `python -m syscalls.compat`; do not edit.",
        "",
        "*full*: as Linux does, and a differential test says so. *partial*: with the limits of its note. *stub*: accepted",
        "without effect. *refused*: always the named error. *missing*: ENOSYS. Calls marked *native* run in the host kernel",
        "without a trap.",
        "",
        "| family | " + " | ".join(LEVELS[:4]) + " |",
        "| --- |" + " --- |" * 4,
    ]
    for family in FAMILIES:
        rows = [line for line in data["calls"] if line.get("family") == family]
        counts = Counter(line["level"] for line in rows)
        lines.append(f"| [{family}]({family}.md) | " + " | ".join(str(counts[level]) for level in LEVELS[:4]) + " |")
    totals = data["totals"]
    lines.append("| all | " + " | ".join(str(totals[level]) for level in LEVELS[:4]) + " |")
    missing = [line["name"] for line in data["calls"] if line["level"] == "missing"]
    lines += ["", f"Missing ({len(missing)}): {', '.join(missing)}.", ""]
    return "\n".join(lines)


def family_page(family: str, data: dict[str, Any]) -> str:
    """<family>.md."""
    lines = [f"# {family}", "", "| call | level | note | native | tests |", "| --- | --- | --- | --- | --- |"]
    for line in data["calls"]:
        if line.get("family") == family:
            native = line.get("native", {}).get("condition", "")
            tests = f"{len(line['tests'])}" if line["tests"] else ""
            lines.append(f"| {line['name']} | {line['level']} | {_cell(line['note'])} | {_cell(native)} | {tests} |")
    return "\n".join([*lines, ""])


def pages() -> dict[str, str]:
    """File name to text."""
    data = matrix()
    result = {"matrix.json": as_json(data), "README.md": overview(data)}
    result |= {f"{family}.md": family_page(family, data) for family in FAMILIES}
    return result


def main(arguments: list[str]) -> int:
    """Write or check; returns the exit status."""
    wanted = pages()
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m syscalls.compat [--check]\n")
        return 2
    stale = [name for name, text in wanted.items() if _read(MATRIX / name) != text]
    if arguments:
        for name in stale:
            sys.stderr.write(f"compat-matrix/{name} is not what the code says; run: python -m syscalls.compat\n")
        return 1 if stale else 0
    MATRIX.mkdir(exist_ok=True)
    for name in stale:
        (MATRIX / name).write_text(wanted[name])
    return 0


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
