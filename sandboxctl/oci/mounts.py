"""``mounts`` of config.json (config.md, "Mounts"): each option is honoured, noted as ignored, or refused."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sandboxctl.config import Tmpfs, Volume
from sandboxctl.errors import SandboxError
from sandboxctl.options.mount import destination as clean
from sandboxctl.options.quantity import octal, size, whole

Object = Mapping[str, Any]
N = TypeVar("N", int, None)
_OWN = ("/proc", "/sys", "/dev")
_OWN_TYPES = {"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"}
_SHM_DEFAULT = 64 << 20
#: options that are honoured, and for ``features``
HONOURED = (
    "bind", "rbind", "ro", "rw", "rro", "rrw", "exec", "noexec", "rnoexec", "nosuid", "rnosuid", "nodev", "rnodev",
    "private", "rprivate", "unbindable", "runbindable", "defaults", "suid", "dev", "size", "mode", "uid", "gid", "nr_inodes",
    "tmpcopyup",
)  # fmt: skip
#: what changes nothing that a guest could rely on: its clock of accesses is relatime's, labels are the host's, and the tree of a
#: volume is that of the host's folder as its gofer finds it
IGNORED = (
    "relatime", "norelatime", "atime", "noatime", "strictatime", "nostrictatime", "diratime", "nodiratime", "lazytime",
    "nolazytime", "ratime", "rnoatime", "rrelatime", "rstrictatime", "rdiratime", "rnodiratime", "async", "iversion",
    "noiversion", "loud", "silent", "mand", "nomand", "acl", "noacl", "slave", "rslave", "symfollow", "rsymfollow",
    "rexec", "rsuid", "rdev", "z", "Z", "huge", "mpol", "context", "inode64", "inode32",
)  # fmt: skip
_REASONS = {
    "shared": "what is mounted inside never reaches the host; use rslave or rprivate",
    "rshared": "what is mounted inside never reaches the host; use rslave or rprivate",
    "idmap": "ids of a volume cannot be mapped; leave it out",
    "ridmap": "ids of a volume cannot be mapped; leave it out",
}


def mounts_of(found: Iterable[Object], bundle: str, ignored: list[str]) -> tuple[Volume | Tmpfs, ...]:
    """What is mounted beside what every sandbox has; what is passed over is added to ``ignored``. Raises SandboxError."""
    made: dict[str, Volume | Tmpfs] = {}
    for one in found:
        place = os.path.normpath(f"/{one.get('destination', '')}").replace("//", "/")
        options = [str(text) for text in one.get("options") or ()]
        if one.get("type") in _OWN_TYPES or _is_own(one, place):
            ignored.append(f"mount at {place}: the sandbox has its own")
            continue
        _check(one, place, options, ignored)
        if one.get("type") == "bind" or {"bind", "rbind"} & set(options):
            made[place] = _volume(one, place, options, bundle)
        elif one.get("type") == "tmpfs":
            made[place] = _tmpfs(place, options)
        else:
            raise SandboxError(f"mount at {place}: type {one.get('type')!r} is not supported")
    return tuple(sorted(made.values(), key=lambda item: item.destination.count("/")))


def shm_size(found: Iterable[Object]) -> int:
    """Of /dev/shm, in bytes. Raises SandboxError."""
    for one in found:
        if one.get("destination") == "/dev/shm":
            for text in one.get("options") or ():
                name, _, value = str(text).partition("=")
                if name == "size":
                    return size(value, "mount at /dev/shm: size")
    return _SHM_DEFAULT


def _check(one: Object, place: str, options: Sequence[str], ignored: list[str]) -> None:
    for key in ("uidMappings", "gidMappings"):
        if one.get(key):
            raise SandboxError(f"mount at {place}: {key}: ids of a volume cannot be mapped; leave it out")
    for text in options:
        name = text.partition("=")[0]
        if name in IGNORED:
            ignored.append(f"mount at {place}: option {text}")
        elif name not in HONOURED:
            raise SandboxError(f"mount at {place}: option {text!r}: {_REASONS.get(name, 'it is not known')}")


def _volume(one: Object, place: str, options: Sequence[str], bundle: str) -> Volume:
    source = os.path.realpath(os.path.join(bundle, one.get("source", "")))
    if not os.path.isdir(source) and not os.path.isfile(source):
        why = "is neither a folder nor a regular file" if os.path.exists(source) else "no such file or directory"
        raise SandboxError(f"mount at {place}: {source}: {why}")
    return Volume(source, place, _is_on("ro", "rw", options), noexec=_is_on("noexec", "exec", options))


def _tmpfs(place: str, options: Sequence[str]) -> Tmpfs:
    values = dict(text.partition("=")[::2] for text in options if "=" in text)
    what = f"mount at {place}"
    is_filled = "tmpcopyup" in options
    return Tmpfs(
        clean(place, what),
        _or(values, "size", size, None, what),
        _or(values, "mode", octal, -1 if is_filled else 0o1777, what),
        _or(values, "uid", whole, -1 if is_filled else 0, what),
        _or(values, "gid", whole, -1 if is_filled else 0, what),
        read_only=_is_on("ro", "rw", options),
        noexec=_is_on("noexec", "exec", options),
        nosuid=_is_on("nosuid", "suid", options),
        nodev=_is_on("nodev", "dev", options),
        inodes=_or(values, "nr_inodes", size, None, what) or None,
        is_filled=is_filled,
    )


def _or(values: Mapping[str, str], name: str, read: Callable[[str, str], int], otherwise: N, what: str) -> int | N:
    return read(values[name], f"{what}: {name}") if name in values else otherwise


def _is_on(word: str, opposite: str, options: Sequence[str]) -> bool:
    """The last of the two counts; ``rro`` and its like are for mounts below too, which a volume has none of."""
    found = False
    for text in options:
        if text in {word, f"r{word}"}:
            found = True
        elif text in {opposite, f"r{opposite}"}:
            found = False
    return found


def _is_own(one: Object, place: str) -> bool:
    """Whether a mount is of what every sandbox has; files of the engine in /dev (an init, a log for last words) are not."""
    if place in _OWN or place in {"/dev/shm", "/dev/mqueue", "/dev/pts", "/dev/console"}:
        return True
    if not place.startswith(tuple(f"{own}/" for own in _OWN)):
        return False
    return not (place.startswith("/dev/") and os.path.isfile(str(one.get("source", ""))))
