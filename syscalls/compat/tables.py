"""Commands, options, flags and files: which of them differential tests have used, and how that ended.

*works*: used with success by a test that passes natively and on every platform. *error*: such a test saw the same error in both.
*refused*: every object in a sandbox answers it with an error (``make evidence`` asks them); a real kernel may take it.
*untried*: no test uses it; nothing is claimed.
"""

from typing import Any

from syscalls.compat.evidence import Evidence
from syscalls.compat.words import names

STATES = ("works", "error", "refused", "untried")
#: title, the calls that take the words, and all words that there are (module and prefixes of ``syscalls.abi``)
_TABLES: tuple[tuple[str, tuple[str, ...], str, tuple[str, ...]], ...] = (
    ("ioctl requests", ("ioctl",), "ioctl", ("T", "F", "S", "N")),
    ("fcntl commands", ("fcntl",), "fcntl", ("F_",)),
    ("prctl options", ("prctl",), "prctl", ("PR_",)),
    ("socket options", ("setsockopt", "getsockopt"), "socket", ("SO_",)),
    ("socket options of IPv4", ("setsockopt", "getsockopt"), "socket", ("IP_",)),
    ("socket options of IPv6", ("setsockopt", "getsockopt"), "socket", ("IPV6_",)),
    ("socket options of TCP", ("setsockopt", "getsockopt"), "socket", ("TCP_",)),
    ("socket options of UDP", ("setsockopt", "getsockopt"), "socket", ("UDP_",)),
    ("socket families", ("socket", "socketpair"), "socket", ("AF_",)),
    ("socket types", ("socket", "socketpair"), "socket", ("SOCK_",)),
    ("open flags", ("open", "openat"), "fcntl", ("O_",)),
    ("clone flags", ("clone", "clone3", "unshare"), "sched", ("CLONE_",)),
    ("mmap flags", ("mmap",), "mman", ("MAP_",)),
    ("madvise advice", ("madvise",), "mman", ("MADV_",)),
    ("futex operations", ("futex",), "futex", ("FUTEX_",)),
    ("fallocate modes", ("fallocate",), "fcntl", ("FALLOC_FL_",)),
    ("memfd flags", ("memfd_create",), "mman", ("MFD_",)),
    ("resource limits", ("prlimit64",), "resource", ("RLIMIT_",)),
    ("mount flags", ("mount",), "mount", ("MS_",)),
)
_IOCTL_MIN = 0x100


def words_of(call: str, evidence: Evidence) -> dict[str, str]:
    """The words that tests have used with a call, and their states."""
    found: dict[str, bool] = {}
    for _, used in evidence.of(call):
        for word, succeeded in used.words.items():
            found[word] = found.get(word, False) or succeeded
    return {word: "works" if succeeded else "error" for word, succeeded in sorted(found.items())}


def all_tables(evidence: Evidence) -> list[dict[str, Any]]:
    """Every table with its rows, words that somebody has tried first."""
    tables = [_table(title, calls, module, prefixes, evidence) for title, calls, module, prefixes in _TABLES]
    return [*tables, _files(evidence)]


def _table(title: str, calls: tuple[str, ...], module: str, prefixes: tuple[str, ...], evidence: Evidence) -> dict[str, Any]:
    known = names(module, *prefixes, least=_least(module))
    states: dict[str, str] = {}
    tests: dict[str, set[str]] = {}
    listed = frozenset(known.values())
    for call in calls:
        for proof, used in evidence.of(call):
            for word, succeeded in used.words.items():
                if word not in listed:
                    continue
                states[word] = "works" if succeeded or states.get(word) == "works" else "error"
                tests.setdefault(word, set()).add(proof.name)
    words = [*sorted(states), *(name for _, name in sorted(known.items()) if name not in states)]
    refused = evidence.refused.get(title, {})
    rows: list[dict[str, Any]] = []
    for word in words:
        state = states.get(word, "refused" if word in refused else "untried")
        rows.append({"name": word, "state": state, "tests": sorted(tests.get(word, ()))})
        if state == "refused":
            rows[-1]["errors"] = refused[word]
    return {"title": title, "calls": list(calls), "rows": rows}


def untried(evidence: Evidence) -> dict[str, dict[str, int]]:
    """By table, the words and values that no test uses with success or the native error."""
    tables = {title: names(module, *prefixes, least=_least(module)) for title, _, module, prefixes in _TABLES}
    rows = {table["title"]: table["rows"] for table in all_tables(evidence)}
    found = {}
    for title, known in tables.items():
        values = {name: value for value, name in known.items()}
        wanted = (row["name"] for row in rows[title] if row["state"] in STATES[2:])
        found[title] = {name: values[name] for name in wanted}
    return found


def _least(module: str) -> int:
    return _IOCTL_MIN if module == "ioctl" else 0


def _files(evidence: Evidence) -> dict[str, Any]:
    tests: dict[str, set[str]] = {}
    for proof in evidence.proofs:
        if proof.holds:
            for path in proof.files:
                tests.setdefault(path, set()).add(proof.name)
    rows = [{"name": path, "state": "works", "tests": sorted(names)} for path, names in sorted(tests.items())]
    return {"title": "files of /proc and /sys that tests name", "calls": [], "rows": rows}
