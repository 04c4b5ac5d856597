"""The file systems that a privileged guest can mount (mount(2), fsopen(2)), and their options."""

from typing import TYPE_CHECKING, Final

from sentry.fs.cgroup.filesystem import CgroupFileSystem
from sentry.fs.devpts.filesystem import TERMINALS_MAX, DevPtsFileSystem, PtsOptions
from sentry.fs.mqueue.filesystem import mqueue_fs
from sentry.fs.proc.filesystem import ProcFileSystem
from sentry.fs.sys.filesystem import SysFileSystem
from sentry.fs.tmpfs.filesystem import INODES_MAX, TmpFileSystem
from sentry.fs.tmpfs.storage import StoragePool
from syscalls.abi.errno import EINVAL, ENODEV
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits
    from sentry.kernel.task import Task
    from sentry.vfs.inode import FileSystem

PAGE: Final = 4096
_SUFFIXES: Final = {b"k": 10, b"m": 20, b"g": 30, b"t": 40}
_NUMBER_DIGITS_MAX: Final = 18
_TMPFS_OPTIONS: Final = frozenset((b"size", b"nr_blocks", b"nr_inodes", b"mode", b"uid", b"gid", b"huge"))
#: type to the options that it knows
TYPES: Final[dict[bytes, frozenset[bytes]]] = {
    b"tmpfs": _TMPFS_OPTIONS,
    b"ramfs": frozenset((b"mode",)),
    b"proc": frozenset((b"hidepid", b"gid", b"subset")),
    b"sysfs": frozenset(),
    b"cgroup2": frozenset((b"nsdelegate", b"memory_recursiveprot")),
    b"mqueue": frozenset(),
    b"devpts": frozenset((b"uid", b"gid", b"mode", b"ptmxmode", b"max", b"newinstance")),
    b"overlay": frozenset(
        (
            b"lowerdir", b"lowerdir+", b"upperdir", b"workdir", b"redirect_dir", b"index", b"metacopy", b"nfs_export", b"xino",
            b"uuid", b"userxattr", b"volatile", b"default_permissions",
        )
    ),
}  # fmt: skip


def check_type(kind: bytes) -> None:
    """Errors: ENODEV."""
    if kind not in TYPES:
        raise SyscallError(ENODEV)


def parse_options(kind: bytes, text: bytes) -> dict[bytes, bytes]:
    """``size=1m,mode=755``. Errors: ENODEV, EINVAL an option that the type does not know."""
    check_type(kind)
    options = {}
    for word in _words(text):
        key, _, value = word.partition(b"=")
        if key:
            check_option(kind, key)
            options[key] = value
    return options


def _words(text: bytes) -> list[bytes]:
    """Separated by commas; one after a backslash belongs to the word, whoever reads that (overlay) drops the backslash."""
    words = text.split(b",")
    for index in range(len(words) - 1, 0, -1):
        if words[index - 1].endswith(b"\\"):
            words[index - 1 : index + 1] = [words[index - 1] + b"," + words[index]]
    return words


def check_option(kind: bytes, key: bytes) -> None:
    """Errors: EINVAL."""
    if key not in TYPES[kind]:
        raise SyscallError(EINVAL)


async def make_file_system(task: "Task", kind: bytes, options: dict[bytes, bytes]) -> "FileSystem":
    """A new instance, or what there is only one of. Errors: ENODEV, EINVAL."""
    check_type(kind)
    kernel = task.kernel
    if kind in (b"tmpfs", b"ramfs"):
        return _tmpfs(task, kind, options)
    if kind == b"proc":
        return ProcFileSystem(kernel)
    if kind == b"sysfs":
        return SysFileSystem(kernel)
    if kind == b"devpts":
        return DevPtsFileSystem(kernel, _pts_options(options))
    if kind == b"overlay":
        from sentry.fs.stacked.options import make_overlay

        return await make_overlay(task, options)
    if kind == b"cgroup2":
        return CgroupFileSystem(kernel)
    return mqueue_fs(task)


def _tmpfs(task: "Task", kind: bytes, options: dict[bytes, bytes]) -> TmpFileSystem:
    kernel, creds = task.kernel, task.credentials
    size = _size(options[b"size"], kernel.limits) if b"size" in options else None
    if b"nr_blocks" in options:
        size = _count(options[b"nr_blocks"]) * PAGE
    pool = StoragePool(limits=kernel.limits, bytes_max=size or None)
    inodes = _count(options[b"nr_inodes"]) if b"nr_inodes" in options else 0
    fs = TmpFileSystem(
        kernel.mounts.allocate_dev(),
        kernel.realtime_ns,
        pool,
        mode=_number(options.get(b"mode", b"1777" if kind == b"tmpfs" else b"755"), 8) & 0o7777,
        uid=_number(options[b"uid"], 10) if b"uid" in options else creds.fsuid,
        gid=_number(options[b"gid"], 10) if b"gid" in options else creds.fsgid,
        inodes_max=min(inodes or INODES_MAX, INODES_MAX),
    )
    if kind == b"ramfs":
        fs.name = b"ramfs"
    return fs


def _pts_options(options: dict[bytes, bytes]) -> PtsOptions:
    return PtsOptions(
        mode=_number(options.get(b"mode", b"600"), 8) & 0o777,
        ptmxmode=_number(options.get(b"ptmxmode", b"0"), 8) & 0o777,
        uid=_number(options[b"uid"], 10) if b"uid" in options else None,
        gid=_number(options[b"gid"], 10) if b"gid" in options else None,
        max=min(_number(options.get(b"max", b"%d" % TERMINALS_MAX), 10), TERMINALS_MAX),
    )


def _number(text: bytes, base: int) -> int:
    digits = b"01234567" if base == 8 else b"0123456789"
    if not text or len(text) > _NUMBER_DIGITS_MAX or text.strip(digits):
        raise SyscallError(EINVAL)
    return int(text, base)


def _count(text: bytes) -> int:
    """A number with k, m, g or t. Errors: EINVAL."""
    shift = _SUFFIXES.get(text[-1:].lower(), 0)
    return _number(text[:-1] if shift else text, 10) << shift


def _size(text: bytes, limits: "SandboxLimits") -> int:
    """Bytes, with k, m, g or t, or a share of the memory there is, in whole pages. Errors: EINVAL."""
    if text.endswith(b"%"):
        count = min(limits.memory_max or limits.bytes_max, limits.bytes_max) * _number(text[:-1], 10) // 100
    else:
        count = _count(text)
    return -(-count // PAGE) * PAGE
