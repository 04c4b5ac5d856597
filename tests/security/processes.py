"""Finds the processes of a sandbox from outside and reads what the host says about each of their threads."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Thread:
    """One host thread: its process, its role and the fields of its status file."""

    pid: int
    tid: int
    status: dict[str, str]

    def capability_sets(self) -> dict[str, int]:
        """Return the five sets as bit masks."""
        return {name: int(self.status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}

    def ids(self, kind: str) -> set[int]:
        """Return all host ids of a kind (``Uid`` or ``Gid``): real, effective, saved, file system."""
        return {int(word) for word in self.status[kind].split()}

    def namespace(self, name: str) -> str:
        """Return the identity of a namespace (``mnt``, ``pid``, ...)."""
        return os.readlink(f"/proc/{self.pid}/task/{self.tid}/ns/{name}")


def _parents() -> dict[int, int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(text.rpartition(")")[2].split()[1])
    return parents


def descendants(root: int) -> list[int]:
    """Return every living process below ``root``, parents before their children (numbers start again at the largest)."""
    parents = _parents()
    found, generation = [], [root]
    while generation:
        generation = sorted(pid for pid, parent in parents.items() if parent in generation)
        found += generation
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True)
class Family:
    """The host processes of one sandbox, by role. The spawner, host pid 1 of the jail, is ours."""

    sentry: list[int]
    gofer: list[int]
    spawner: list[int]
    guest: list[int]

    @property
    def all(self) -> list[int]:
        """Every one of them."""
        return self.sentry + self.gofer + self.spawner + self.guest


def family(owner: int) -> Family:
    """Sort the descendants of ``owner`` (the process that made the sandbox) by role."""
    sentry, gofer, spawner = [], [], []
    below = descendants(owner)
    parents = _parents()
    for pid in below:
        command = _command(pid)
        if "gofer/__main__" in command or "gofer.__main__" in command or " gofer " in command:
            gofer.append(pid)
        elif "sentry.boot" in command:
            (spawner if parents.get(pid) in sentry else sentry).append(pid)
    guests = sorted({pid for each in spawner for pid in descendants(each)})
    return Family(sentry, gofer, spawner, guests)


def threads(pid: int) -> list[Thread]:
    """Return every thread of a process."""
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        lines = Path(f"/proc/{pid}/task/{tid}/status").read_text().splitlines()
        found.append(Thread(pid, int(tid), {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
