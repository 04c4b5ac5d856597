"""The options of an overlay (mount(8), overlayfs.rst) and the folders that they name."""

from typing import TYPE_CHECKING, Final

from sentry.fs.stacked.filesystem import StackedFileSystem
from sentry.vfs.lookup import resolve
from syscalls.abi.errno import EINVAL, ELOOP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.stat import S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path

LAYERS_MAX: Final = 500
_BOOLEAN: Final = (b"on", b"off")
#: which values each option has; the empty tuple: any text. What is not offered (index, metacopy, nfs_export) can only be off
VALUES: Final[dict[bytes, tuple[bytes, ...]]] = {
    b"lowerdir": (),
    b"lowerdir+": (),
    b"upperdir": (),
    b"workdir": (),
    b"redirect_dir": (b"on", b"off", b"follow", b"nofollow"),
    b"index": (b"off",),
    b"metacopy": (b"off",),
    b"nfs_export": (b"off",),
    b"xino": (b"on", b"off", b"auto"),
    b"uuid": (b"on", b"off", b"null", b"auto"),
    b"userxattr": (b"",),
    b"volatile": (b"",),
    b"default_permissions": (b"",),
}


class StackedOptions:
    """Checked options. Errors: EINVAL."""

    def __init__(self, words: dict[bytes, bytes]) -> None:
        for key, value in words.items():
            if VALUES[key] and value not in VALUES[key]:
                raise SyscallError(EINVAL)
        self._words = words
        self.upper, self.work = (_unescape(words.get(key, b"")) for key in (b"upperdir", b"workdir"))
        self.lowers = [_unescape(path) for path in _split(words.get(b"lowerdir", b""))] + [
            path for path in words.get(b"lowerdir+", b"").split(b"\0") if path
        ]
        self.userxattr = b"userxattr" in words
        redirect = words.get(b"redirect_dir", b"nofollow" if self.userxattr else b"follow")
        self.makes_redirects = redirect == b"on"
        self.follows_redirects = redirect in (b"on", b"follow", b"off")
        if self.userxattr and redirect not in (b"off", b"nofollow"):
            raise SyscallError(EINVAL)
        if not 0 < len(self.lowers) <= LAYERS_MAX or not all(self.lowers):
            raise SyscallError(EINVAL)
        if bool(self.upper) != bool(self.work) and self.upper:
            raise SyscallError(EINVAL)
        if not self.upper and len(self.lowers) < 2:
            raise SyscallError(EINVAL)

    def text(self) -> bytes:
        """The column of /proc/mounts."""
        shown = []
        for key, value in self._words.items():
            if key == b"lowerdir+":
                shown += [b"lowerdir+=" + path for path in value.split(b"\0") if path]
            elif (key not in (b"upperdir", b"workdir") or self.upper) and value not in (b"off", b"auto", b"null"):
                shown.append(key + b"=" + value if value else key)
        return b",".join(shown)


async def make_overlay(task: "Task", words: dict[bytes, bytes]) -> StackedFileSystem:
    """A new overlay of existing folders. Errors: ENOENT, EINVAL, ELOOP for folders that lie in each other."""
    options = StackedOptions(words)
    upper = work = None
    if options.upper:
        upper, work = await _folder(task, options.upper), await _folder(task, options.work)
        if upper.mount is not work.mount or upper.dentry.is_below(work.dentry) or work.dentry.is_below(upper.dentry):
            raise SyscallError(EINVAL)
        if upper.mount.is_readonly or not upper.inode.fs.has_whiteouts:
            raise SyscallError(EINVAL)
    lowers = [await _folder(task, path) for path in options.lowers]
    _check_apart(lowers, upper, work)
    fs = StackedFileSystem(task.kernel.mounts, lowers, upper, work, options)
    try:
        await fs.prepare()
    except SyscallError:
        fs.release()
        raise
    return fs


def _check_apart(lowers: "list[Path]", upper: "Path | None", work: "Path | None") -> None:
    """Linux: fs/overlayfs/super.c, ovl_check_overlapping_layers(). Errors: ELOOP."""
    writable = [path.dentry for path in (upper, work) if path is not None]
    layers = writable + [path.dentry for path in lowers]
    for index, first in enumerate(layers):
        for second in layers[index + 1 :]:
            if first.is_below(second) or second.is_below(first):
                raise SyscallError(ELOOP)


async def _folder(task: "Task", path: bytes) -> "Path":
    place = task.mounts.top(await resolve(task, AT_FDCWD, path))
    if place.inode.attr.mode & S_IFMT != S_IFDIR:
        raise SyscallError(EINVAL)
    return place


def _split(text: bytes) -> list[bytes]:
    """Layers are separated by colons; a backslash takes a character's meaning away."""
    parts, current, position = [], bytearray(), 0
    while position < len(text):
        character = text[position : position + 1]
        if character == b"\\":
            current += text[position : position + 2]
            position += 2
            continue
        if character == b":":
            parts.append(bytes(current))
            current.clear()
        else:
            current += character
        position += 1
    if text:
        parts.append(bytes(current))
    return parts


def _unescape(text: bytes) -> bytes:
    plain, position = bytearray(), 0
    while position < len(text):
        if text[position : position + 1] == b"\\" and position + 1 < len(text):
            position += 1
        plain += text[position : position + 1]
        position += 1
    return bytes(plain)
