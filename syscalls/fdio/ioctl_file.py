"""ioctl(2): requests that the file system answers before the object is asked (Linux: fs/ioctl.c, do_vfs_ioctl()).

Contents are never shared between files, so a clone is refused as by a file system without reflinks, after Linux's checks.
"""

from collections.abc import Callable
from struct import Struct
from typing import Final

from sentry.fs.tmpfs.directory import Directory
from sentry.fs.tmpfs.regular import RegularFile
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from sentry.vfs.permission import check_owner
from syscalls.abi.capability import CAP_LINUX_IMMUTABLE, CAP_SYS_ADMIN, CAP_SYS_RAWIO
from syscalls.abi.errno import EBADF, EINVAL, EISDIR, ENOMEM, ENOTTY, EOPNOTSUPP, EPERM, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_APPEND
from syscalls.abi.ioctl import (
    FIBMAP,
    FICLONE,
    FICLONERANGE,
    FIDEDUPERANGE,
    FIFREEZE,
    FIGETBSZ,
    FIOQSIZE,
    FITHAW,
    FS_IOC_FIEMAP,
    FS_IOC_FSGETXATTR,
    FS_IOC_GETFLAGS,
    FS_IOC_SETFLAGS,
)
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

_FLAGS_FOR_ROOT: Final = 0x10 | 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL
#: struct file_clone_range: the source, where, how much, to where
_CLONE_RANGE: Final = Struct("<qQQQ")
#: struct file_dedupe_range: where, how much, how many targets, two words that must be 0
_DEDUPE: Final = Struct("<QQHHI")
_DEDUPE_TARGET_SIZE: Final = 32
_DEDUPE_MAX: Final = 4096
_FSXATTR_SIZE: Final = 28

Request = Callable[[Task, FileDescription, int], int]


def _size(task: Task, file: FileDescription, argp: int) -> int:
    if file.inode.attr.mode & S_IFMT not in (S_IFREG, S_IFDIR, S_IFLNK):
        raise SyscallError(ENOTTY)
    task.memory.write_u64(argp, file.inode.attr.size)
    return 0


def _block_size(task: Task, file: FileDescription, argp: int) -> int:
    task.memory.write_u32(argp, file.inode.attr.blksize)
    return 0


def _check_files(*files: FileDescription) -> None:
    """Errors: EISDIR, EINVAL one is no regular file."""
    kinds = [file.inode.attr.mode & S_IFMT for file in files]
    if S_IFDIR in kinds:
        raise SyscallError(EISDIR)
    if any(kind != S_IFREG for kind in kinds):
        raise SyscallError(EINVAL)


def _clone(task: Task, file: FileDescription, argp: int) -> int:
    fd = argp & 0xFFFFFFFF
    source = task.fds.get(fd - (fd >> 31 << 32))
    if source.inode.fs is not file.inode.fs:
        raise SyscallError(EXDEV)
    _check_files(source, file)
    if not source.is_readable or not file.is_writable or file.flags & O_APPEND:
        raise SyscallError(EBADF)
    raise SyscallError(EOPNOTSUPP)


def _clone_range(task: Task, file: FileDescription, argp: int) -> int:
    return _clone(task, file, task.memory.read_struct(_CLONE_RANGE, argp)[0])


def _dedupe(task: Task, file: FileDescription, argp: int) -> int:
    *_, count, reserved1, reserved2 = task.memory.read_struct(_DEDUPE, argp)
    if _DEDUPE.size + count * _DEDUPE_TARGET_SIZE > _DEDUPE_MAX:
        raise SyscallError(ENOMEM)
    if not file.is_readable or reserved1 or reserved2:
        raise SyscallError(EINVAL)
    _check_files(file)
    raise SyscallError(EOPNOTSUPP)


def _freeze(task: Task, file: FileDescription, argp: int) -> int:
    raise SyscallError(EOPNOTSUPP if task.credentials.has(CAP_SYS_ADMIN) else EPERM)


def _thaw(task: Task, file: FileDescription, argp: int) -> int:
    raise SyscallError(EINVAL if task.credentials.has(CAP_SYS_ADMIN) else EPERM)


def _block_of(task: Task, file: FileDescription, argp: int) -> int:
    if file.inode.attr.mode & S_IFMT != S_IFREG:
        return file.ioctl(task, FIBMAP, argp)
    raise SyscallError(EINVAL if task.credentials.has(CAP_SYS_RAWIO) else EPERM)


def _extents(task: Task, file: FileDescription, argp: int) -> int:
    raise SyscallError(EOPNOTSUPP)


def _has_flags(file: FileDescription) -> bool:
    return isinstance(file.inode, (RegularFile, Directory))


def _get_flags(task: Task, file: FileDescription, argp: int) -> int:
    """chattr(1)'s: no file has any."""
    if not _has_flags(file):
        return file.ioctl(task, FS_IOC_GETFLAGS, argp)
    task.memory.write_u32(argp, 0)
    return 0


def _set_flags(task: Task, file: FileDescription, argp: int) -> int:
    if not _has_flags(file):
        return file.ioctl(task, FS_IOC_SETFLAGS, argp)
    flags = task.memory.read_u32(argp)
    check_owner(task.credentials, file.inode.attr)
    if flags & _FLAGS_FOR_ROOT and not task.credentials.has(CAP_LINUX_IMMUTABLE):
        raise SyscallError(EPERM)
    if flags:
        raise SyscallError(EOPNOTSUPP)
    return 0


def _get_extended(task: Task, file: FileDescription, argp: int) -> int:
    """struct fsxattr: no flags, no extent sizes, no project."""
    if not _has_flags(file):
        return file.ioctl(task, FS_IOC_FSGETXATTR, argp)
    task.memory.write(argp, bytes(_FSXATTR_SIZE))
    return 0


#: each raises what Linux raises (EBADF, EXDEV, EISDIR, EINVAL, EPERM, EFAULT, ENOTTY); what is not offered is EOPNOTSUPP
REQUESTS: Final[dict[int, Request]] = {
    FIOQSIZE: _size,
    FIGETBSZ: _block_size,
    FIBMAP: _block_of,
    FICLONE: _clone,
    FICLONERANGE: _clone_range,
    FIDEDUPERANGE: _dedupe,
    FIFREEZE: _freeze,
    FITHAW: _thaw,
    FS_IOC_FIEMAP: _extents,
    FS_IOC_GETFLAGS: _get_flags,
    FS_IOC_SETFLAGS: _set_flags,
    FS_IOC_FSGETXATTR: _get_extended,
}
