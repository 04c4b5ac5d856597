"""``-v``, ``--mount``, ``--tmpfs`` and ``--overlay``, with docker's spelling."""

import os
import stat

from sandboxctl.config import Overlay, Tmpfs, Volume
from sandboxctl.errors import OptionError
from sandboxctl.options.quantity import octal, size, whole

_RESERVED = ("/", "/proc", "/sys", "/dev")
_TMPFS_FLAGS = {"rw", "exec", "suid", "dev", "ro", "noexec", "nosuid", "nodev", "relatime", "noatime", "strictatime"}


def destination(text: str, option: str) -> str:
    """Return a clean absolute guest path that may be mounted on. Raises OptionError."""
    if not text.startswith("/") or "\0" in text:
        raise OptionError(f"{option}: {text!r} is not an absolute path in the sandbox")
    if ".." in text.split("/"):
        raise OptionError(f"{option}: {text!r} must not contain '..'")
    clean = "/" + "/".join(part for part in text.split("/") if part not in {"", "."})
    if clean in _RESERVED or clean.startswith(("/proc/", "/sys/")):
        raise OptionError(f"{option}: {clean} belongs to the sandbox; choose another place")
    return clean


def source(text: str, option: str) -> str:
    """Return the absolute host path of an existing folder or regular file. Raises OptionError."""
    if not text or "\0" in text:
        raise OptionError(f"{option}: the host path is empty")
    path = os.path.abspath(os.path.expanduser(text))
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise OptionError(f"{option}: {path!r} on the host: {error.strerror}; create it or check the path") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise OptionError(f"{option}: {path!r} is neither a folder nor a regular file")
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise OptionError(f"{option}: {path!r} is not readable by you; change its permissions or choose another")
    return path


def volume(text: str) -> Volume:
    """Return the mount of ``SRC:DST[:ro|rw]``, where SRC without a slash names a volume. Raises OptionError."""
    parts = text.split(":")
    if len(parts) not in {2, 3} or not parts[0]:
        raise OptionError(f"-v: {text!r} is not SRC:DST or SRC:DST:ro")
    options = parts[2].split(",") if len(parts) == 3 else []
    unknown = [word for word in options if word not in {"ro", "rw", "z", "Z", "nocopy"}]
    if unknown or {"ro", "rw"} <= set(options):
        raise OptionError(f"-v: {text!r}: the options are ro or rw, and nocopy for a named volume")
    target = destination(parts[1], "-v")
    if "/" not in parts[0] and parts[0] not in {".", "..", "~"}:
        return Volume(named(parts[0], "-v"), target, "ro" in options, "nocopy" not in options)
    return Volume(source(parts[0], "-v"), target, "ro" in options)


def named(name: str, option: str) -> str:
    """The folder of a named volume, made if it is missing. Raises OptionError."""
    from sandboxctl.store.volumes import Volumes

    try:
        return Volumes().make(name)
    except OptionError as error:
        raise OptionError(f"{option}: {error}") from None


def mount(text: str) -> Volume | Tmpfs:
    """Return the mount of ``type=bind|volume|tmpfs,...``. Raises OptionError."""
    values: dict[str, str] = {}
    for item in text.split(","):
        key, _, value = item.partition("=")
        key = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}.get(key, key)
        if key in values:
            raise OptionError(f"--mount: {key} is given twice in {text!r}")
        values[key] = value
    kind = values.pop("type", "")
    target = destination(values.pop("target", ""), "--mount: target")
    read_only = values.pop("readonly", "false") in {"", "true", "1"}
    if kind == "bind":
        made: Volume | Tmpfs = Volume(source(values.pop("source", ""), "--mount: source"), target, read_only)
        values.pop("bind-propagation", None)
    elif kind == "volume":
        is_filled = values.pop("volume-nocopy", "false") not in {"", "true", "1"}
        made = Volume(named(values.pop("source", ""), "--mount: source"), target, read_only, is_filled)
    elif kind == "tmpfs":
        limit = size(values.pop("tmpfs-size"), "--mount: tmpfs-size") if "tmpfs-size" in values else None
        mode = octal(values.pop("tmpfs-mode", "1777"), "--mount: tmpfs-mode")
        made = Tmpfs(target, limit, mode, read_only=read_only)
    else:
        raise OptionError(f"--mount: type is {kind or 'missing'!r}; use type=bind, type=volume or type=tmpfs")
    if values:
        raise OptionError(f"--mount: {next(iter(values))!r} is not known for type={kind}")
    return made


def tmpfs(text: str) -> Tmpfs:
    """Return the mount of ``DST[:size=64m,mode=1777,ro,noexec,...]``. Raises OptionError."""
    path, _, options = text.partition(":")
    values: dict[str, str] = {}
    flags: set[str] = set()
    for item in filter(None, options.split(",")):
        key, equals, value = item.partition("=")
        if equals and key in {"size", "mode", "uid", "gid"}:
            values[key] = value
        elif not equals and key in _TMPFS_FLAGS:
            flags.add(key)
        else:
            raise OptionError(f"--tmpfs: {item!r} is not known; use size=, mode=, uid=, gid=, ro, noexec, nosuid or nodev")
    return Tmpfs(
        destination(path, "--tmpfs"),
        size(values["size"], "--tmpfs: size") if "size" in values else None,
        octal(values.get("mode", "1777"), "--tmpfs: mode"),
        whole(values.get("uid", "0"), "--tmpfs: uid"),
        whole(values.get("gid", "0"), "--tmpfs: gid"),
        read_only="ro" in flags,
        noexec="noexec" in flags,
        nosuid="suid" not in flags,
        nodev="dev" not in flags,
    )


def overlay(text: str) -> Overlay:
    """Return the overlay of ``memory|DIR[,size=N]``. Raises OptionError."""
    place, comma, rest = text.partition(",")
    limit = None
    if comma:
        key, _, value = rest.partition("=")
        if key != "size":
            raise OptionError(f"--overlay: {rest!r} is not known; use for example memory,size=512m")
        limit = size(value, "--overlay: size")
    if place == "memory":
        return Overlay(None, limit)
    folder = source(place, "--overlay")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise OptionError(f"--overlay: {folder!r} must be a folder that you may write to")
    if os.geteuid() == 0 and not _nobody_may_write(folder):
        raise OptionError(f"--overlay: as root its files are made as nobody: chown nobody {folder}, or chmod o+wx it")
    return Overlay(folder, limit)


def _nobody_may_write(folder: str) -> bool:
    found = os.stat(folder)
    return found.st_mode & 0o3 == 0o3 or (found.st_uid == 65534 and found.st_mode & 0o300 == 0o300)
