"""Turns the steps of ``sandboxctl do`` into gofers and what the sentry has to do (``sentry/boot/assembly.py``).

One gofer serves all that is bound read-only, another one what may be written, so that neither has more rights than it needs.
The host's /proc, /sys and /dev never enter: where a bound folder holds them, and where they are bound themselves, the
sandbox's own stand.
"""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gofer.protocol.config import Tree
from sandboxctl.bubble.wishes import BubbleError, Step
from sandboxctl.errors import OptionError
from sandboxctl.init import guest as guest_init

FILE_MAX = 4 << 20
FILES_MAX = 12 << 20
_OWN = ("/proc", "/sys", "/dev")
READING, WRITING = 0, 1
Message = dict[str, object]


@dataclass(slots=True)
class Plan:
    """``trees`` of the gofer that reads and of the one that writes; ``root`` and ``steps`` for the sentry.

    ``uid`` and ``gid`` own what the steps make.
    """

    trees: tuple[list[Tree], list[Tree]] = field(default_factory=lambda: ([], []))
    root: Message = field(default_factory=lambda: _tmpfs(Step("tmpfs", "/", mode=0o755)))
    steps: list[Message] = field(default_factory=list)
    uid: int = 0
    gid: int = 0


def plan(steps: Sequence[Step]) -> Plan:
    """What the steps come to. Raises BubbleError for a source that is not there, OptionError for one that we never show."""
    made = Plan()
    size = 0
    for step in steps:
        found = [_bind(step, made)] if step.kind == "bind" else [_other(step)]
        if step.kind == "bind":
            found += _own_below(step)
        size += sum(len(data) for one in found if one is not None and isinstance(data := one.get("data"), bytes))
        if size > FILES_MAX:
            raise OptionError(f"--file: all files together are more than {FILES_MAX >> 20} MiB; bind a folder instead")
        kept = [one for one in found if one is not None]
        if step.destination == "/" and kept and kept[0]["kind"] in {"bind", "tmpfs"} and not kept[0].get("is_file"):
            made.root, made.steps = kept[0], kept[1:]  # what was there before is covered
        else:
            made.steps += kept
    return made


def lay_out(made: Plan, add: "Callable[..., int]") -> Message:
    """Give the trees to gofers (``Layout.add``); returns what the start message says of them. Raises SandboxError."""
    init = guest_init.volume()
    folder, name = os.path.split(init.source)
    reading = [*made.trees[READING], Tree(os.fsencode(folder), only=os.fsencode(name))]
    for trees in (reading, made.trees[WRITING]):
        if trees:
            add(*trees, unprivileged=False)
    return {
        "assembly": {"root": made.root, "steps": made.steps, "uid": made.uid, "gid": made.gid},
        "reaper": {"gofer": READING, "tree": len(reading) - 1},
    }


def _bind(step: Step, made: Plan) -> Message | None:
    path = os.path.realpath(step.source)
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if step.may_be_missing:
            return None
        raise BubbleError(f"Can't find source path {step.source}: {error.strerror}") from None
    own = next((folder for folder in _OWN if path == folder or path.startswith(f"{folder}/")), None)
    if own is not None:
        return _own(step, own, path[len(own) :], step.destination, is_folder=stat.S_ISDIR(mode))
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise OptionError(f"{step.source} is neither a folder nor a file: sockets, pipes and devices of the host never enter")
    folder, name = (path, "") if stat.S_ISDIR(mode) else os.path.split(path)
    way = READING if step.read_only else WRITING
    trees = made.trees[way]
    trees.append(Tree(os.fsencode(folder), is_writable=not step.read_only, only=os.fsencode(name)))
    return {
        "kind": "bind",
        "gofer": way,
        "tree": len(trees) - 1,
        "destination": os.fsencode(step.destination),
        "read_only": step.read_only,
        "is_file": bool(name),
        "name": os.fsencode(name),
    }


def _own_below(step: Step) -> list[Message | None]:
    """The sandbox's own /proc, /sys and /dev where a bound folder has the host's."""
    path = os.path.realpath(step.source)
    below = path.rstrip("/") + "/"
    return [
        _own(step, folder, "", os.path.normpath(f"{step.destination}/{folder.removeprefix(below)}"), is_folder=True)
        for folder in _OWN
        if folder.startswith(below) and os.path.isdir(folder)
    ]


def _own(step: Step, folder: str, below: str, destination: str, *, is_folder: bool) -> Message:
    return {
        "kind": "own",
        "what": folder[1:].encode(),
        "below": os.fsencode(below),
        "source": os.fsencode(step.source),
        "destination": os.fsencode(destination),
        "read_only": step.read_only,
        "nodev": not step.allows_devices,
        "is_file": not is_folder,
        "may_be_missing": step.may_be_missing,
    }


def _other(step: Step) -> Message:
    if step.kind == "tmpfs":
        return _tmpfs(step)
    message: Message = {"kind": step.kind, "destination": os.fsencode(step.destination), "mode": step.mode}
    if step.kind in {"file", "bind-data"}:
        message |= {"data": _data(step), "read_only": step.read_only}
    elif step.kind == "symlink":
        message["target"] = os.fsencode(step.source)
    return message


def _tmpfs(step: Step) -> Message:
    return {"kind": "tmpfs", "destination": os.fsencode(step.destination), "mode": step.mode, "size": step.size or -1}


def _data(step: Step) -> bytes:
    try:
        with open(step.number, "rb") as file:
            data = file.read(FILE_MAX + 1)
    except OSError as error:
        raise BubbleError(f"Can't write data to file {step.destination}: {error.strerror}") from None
    if len(data) > FILE_MAX:
        raise OptionError(f"--file: {step.destination} would have more than {FILE_MAX >> 20} MiB; bind the file instead")
    return data
