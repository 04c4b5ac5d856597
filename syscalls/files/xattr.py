"""xattr(7): getxattr(2), setxattr(2), listxattr(2), removexattr(2) and their l and f forms."""

from typing import Final

from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.namespace import getxattr, listxattr, place_of, removexattr, resolve, setxattr
from syscalls.abi.errno import E2BIG, EINVAL, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.xattr import XATTR_CREATE, XATTR_NAME_MAX, XATTR_REPLACE, XATTR_SIZE_MAX
from syscalls.args import Fd, Int, PathPtr, Size, UserPtr
from syscalls.registry import syscall

_FLAGS: Final = XATTR_CREATE | XATTR_REPLACE


@syscall(man="getxattr(2)")
async def sys_getxattr(task: Task, path: PathPtr, name: UserPtr, value: UserPtr, size: Size) -> int:
    """Store a value and return its length; size 0 only asks for it. Errors: ENODATA, EOPNOTSUPP, ERANGE."""
    return await _get(task, await _at(task, path, follow=True), name, value, size)


@syscall(man="getxattr(2)")
async def sys_lgetxattr(task: Task, path: PathPtr, name: UserPtr, value: UserPtr, size: Size) -> int:
    """Of a symbolic link itself."""
    return await _get(task, await _at(task, path, follow=False), name, value, size)


@syscall(man="getxattr(2)")
async def sys_fgetxattr(task: Task, fd: Fd, name: UserPtr, value: UserPtr, size: Size) -> int:
    """Of an open file."""
    return await _get(task, place_of(task, task.fds.get(fd)), name, value, size)


@syscall(man="setxattr(2)")
async def sys_setxattr(task: Task, path: PathPtr, name: UserPtr, value: UserPtr, size: Size, flags: Int) -> int:
    """Set a value. Errors: EEXIST, ENODATA, EOPNOTSUPP, EPERM, E2BIG, ERANGE, ENOSPC, EINVAL."""
    return await _set(task, await _at(task, path, follow=True), name, value, size, flags)


@syscall(man="setxattr(2)")
async def sys_lsetxattr(task: Task, path: PathPtr, name: UserPtr, value: UserPtr, size: Size, flags: Int) -> int:
    """Of a symbolic link itself."""
    return await _set(task, await _at(task, path, follow=False), name, value, size, flags)


@syscall(man="setxattr(2)")
async def sys_fsetxattr(task: Task, fd: Fd, name: UserPtr, value: UserPtr, size: Size, flags: Int) -> int:
    """Of an open file."""
    return await _set(task, place_of(task, task.fds.get(fd)), name, value, size, flags)


@syscall(man="listxattr(2)")
async def sys_listxattr(task: Task, path: PathPtr, list: UserPtr, size: Size) -> int:
    """Store all names, each with its NUL, and return their length. Errors: ERANGE."""
    return await _list(task, await _at(task, path, follow=True), list, size)


@syscall(man="listxattr(2)")
async def sys_llistxattr(task: Task, path: PathPtr, list: UserPtr, size: Size) -> int:
    """Of a symbolic link itself."""
    return await _list(task, await _at(task, path, follow=False), list, size)


@syscall(man="listxattr(2)")
async def sys_flistxattr(task: Task, fd: Fd, list: UserPtr, size: Size) -> int:
    """Of an open file."""
    return await _list(task, place_of(task, task.fds.get(fd)), list, size)


@syscall(man="removexattr(2)")
async def sys_removexattr(task: Task, path: PathPtr, name: UserPtr) -> int:
    """Remove a name. Errors: ENODATA, EOPNOTSUPP, EPERM."""
    return await _remove(task, await _at(task, path, follow=True), name)


@syscall(man="removexattr(2)")
async def sys_lremovexattr(task: Task, path: PathPtr, name: UserPtr) -> int:
    """Of a symbolic link itself."""
    return await _remove(task, await _at(task, path, follow=False), name)


@syscall(man="removexattr(2)")
async def sys_fremovexattr(task: Task, fd: Fd, name: UserPtr) -> int:
    """Of an open file."""
    return await _remove(task, place_of(task, task.fds.get(fd)), name)


async def _at(task: Task, path: int, *, follow: bool) -> Path:
    return await resolve(task, AT_FDCWD, task.memory.read_path(path), follow=follow)


def _name(task: Task, address: int) -> bytes:
    name = task.memory.guest.read_string(address, XATTR_NAME_MAX + 1)
    if not name:
        raise SyscallError(ERANGE)
    return name


async def _get(task: Task, place: Path, name: int, value: int, size: int) -> int:
    data = await getxattr(task, place, _name(task, name))
    return _store(task, data, value, size)


async def _set(task: Task, place: Path, name: int, value: int, size: int, flags: int) -> int:
    if flags & ~_FLAGS:
        raise SyscallError(EINVAL)
    text = _name(task, name)
    if size > XATTR_SIZE_MAX:
        raise SyscallError(E2BIG)
    await setxattr(task, place, text, task.memory.read(value, size) if size else b"", flags)
    return 0


async def _list(task: Task, place: Path, buffer: int, size: int) -> int:
    names = await listxattr(task, place)
    return _store(task, b"".join(name + b"\0" for name in names), buffer, size)


async def _remove(task: Task, place: Path, name: int) -> int:
    await removexattr(task, place, _name(task, name))
    return 0


def _store(task: Task, data: bytes, buffer: int, size: int) -> int:
    if size:
        if len(data) > size:
            raise SyscallError(ERANGE)
        task.memory.write(buffer, data)
    return len(data)
