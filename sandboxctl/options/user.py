"""``-u USER[:GROUP]`` and ``--group-add``: names are looked up in the image's own /etc/passwd and /etc/group."""

import os
import stat
from collections.abc import Callable, Iterable

from sandboxctl.config import Identity
from sandboxctl.errors import OptionError
from sandboxctl.images.image import Image

ID_MAX = (1 << 32) - 2
_FILE_MAX = 4 << 20


def account_files(image: Image) -> "AccountFiles":
    """The account files of an image, wherever it is."""
    if image.layers is None:
        return AccountFiles(image.root)
    from sandboxctl.images.content import ImageContent

    return AccountFiles(image.root, ImageContent(image).read_small)


class AccountFiles:
    """The account files below ``root``, read at first use; a symbolic link among them is not followed.

    ``reader`` (path, limit) reads a file of an image of the store instead, b"" if it is not there.
    """

    def __init__(self, root: str, reader: "Callable[[str, int], bytes] | None" = None) -> None:
        self._root = root
        self._reader = reader
        self._cache: dict[str, list[list[str]]] = {}

    def rows(self, name: str) -> list[list[str]]:
        """Return the fields of every line of ``/etc/<name>``; nothing if it cannot be read."""
        if name not in self._cache:
            self._cache[name] = [line.split(":") for line in self._read(name).splitlines() if line and not line.startswith("#")]
        return self._cache[name]

    def _read(self, name: str) -> str:
        if self._reader is not None:
            return self._reader(f"etc/{name}", _FILE_MAX).decode("utf-8", "surrogateescape")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            folder = os.open(os.path.join(self._root, "etc"), flags | os.O_DIRECTORY)
        except OSError:
            return ""
        try:
            fd = os.open(name, flags, dir_fd=folder)
        except OSError:
            return ""
        finally:
            os.close(folder)
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return ""
            return file.read(_FILE_MAX).decode("utf-8", "surrogateescape")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 11 and int(text) <= ID_MAX else None


def _field(row: list[str], index: int) -> int | None:
    return _number(row[index]) if len(row) > index else None


def group_id(text: str, accounts: AccountFiles, option: str) -> int:
    """Return the number of a group name or number. Raises OptionError."""
    number = _number(text)
    if number is not None:
        return number
    for row in accounts.rows("group"):
        if row[0] == text and (found := _field(row, 2)) is not None:
            return found
    raise OptionError(f"{option}: no group {text!r} in the image's /etc/group; use a number")


def identity(text: str | None, extra: Iterable[str], accounts: AccountFiles, caller: Identity) -> Identity:
    """Return who the command runs as: the caller, or ``USER[:GROUP]``, plus ``extra`` groups. Raises OptionError."""
    added = tuple(group_id(name, accounts, "--group-add") for name in extra)
    if text is None:
        return Identity(caller.uid, caller.gid, tuple(dict.fromkeys(caller.groups + added)), caller.home)
    user, colon, group = text.partition(":")
    uid, gid, home, name = _number(user), 0, "/", ""
    for row in accounts.rows("passwd"):
        if row[0] == user or (uid is not None and _field(row, 2) == uid):
            uid, gid, name = _field(row, 2), _field(row, 3) or 0, row[0]
            home = row[5] if len(row) > 5 and row[5].startswith("/") else "/"
            break
    if uid is None or (colon and not group):
        raise OptionError(f"-u: no user {user!r} in the image's /etc/passwd; use UID or UID:GID in numbers")
    groups: tuple[int, ...] = ()
    if group:
        gid = group_id(group, accounts, "-u")
    elif name:
        groups = tuple(
            found
            for row in accounts.rows("group")
            if len(row) > 3 and name in row[3].split(",") and (found := _field(row, 2)) is not None
        )
    return Identity(uid, gid, tuple(dict.fromkeys(groups + added)), home)


def caller_identity() -> Identity:
    """Return the ids of the process that calls us."""
    return Identity(os.geteuid(), os.getegid(), tuple(sorted(set(os.getgroups()) - {os.getegid()})))
