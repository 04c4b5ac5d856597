"""Where a container's first program is and where it starts, as docker and execvp(3) have it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sentry.vfs import namespace
from sentry.vfs.permission import MAY_EXEC, check_permission
from syscalls.abi.errno import EACCES, ENOENT, ENOTDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.stat import S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path

_PATH_DEFAULT = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


async def enter_cwd(maker: "Task", task: "Task", cwd: bytes) -> "Path":
    """Return the working directory; ``maker`` makes it if it is missing, as docker does. Errors: ENOTDIR, EACCES, EROFS."""
    try:
        return await namespace.resolve(task, AT_FDCWD, cwd, want_directory=True)
    except SyscallError as error:
        if error.errno != ENOENT:
            raise
    at = b""
    for part in cwd.strip(b"/").split(b"/"):
        at += b"/" + part
        with suppress(SyscallError):  # it may be there; the walk below tells
            await namespace.mkdir_at(maker, AT_FDCWD, at, 0o755)
    return await namespace.resolve(task, AT_FDCWD, cwd, want_directory=True)


async def first_place(task: "Task", places: Sequence[bytes], environment: Sequence[bytes]) -> "tuple[Path, list[bytes]]":
    """The first of ``places`` that is a folder there, and the environment with PWD as its name. Errors: those of the last one."""
    for name in places:
        try:
            place = await namespace.resolve(task, AT_FDCWD, name, want_directory=True)
            check_permission(task.credentials, await place.inode.getattr(), MAY_EXEC)
        except SyscallError:
            if name == places[-1]:
                raise
            continue
        return place, [*(entry for entry in environment if not entry.startswith(b"PWD=")), b"PWD=" + name]
    raise SyscallError(ENOENT)


async def find_program(task: "Task", name: bytes, environment: Sequence[bytes]) -> bytes:
    """Look a bare name up in PATH, as execvp(3) does. Errors: ENOENT, EACCES."""
    if b"/" in name:
        return name
    search = _PATH_DEFAULT
    for variable in environment:
        if variable.startswith(b"PATH="):
            search = variable[5:]
    errno = ENOENT
    for folder in search.split(b":"):
        candidate = (folder or b".") + b"/" + name
        try:
            if not await _is_program(task, candidate):
                continue
        except SyscallError as error:
            if error.errno not in (ENOENT, ENOTDIR):
                errno = EACCES
            continue
        return candidate
    raise SyscallError(errno)


async def check_program(task: "Task", path: bytes) -> None:
    """Tell early what exec would say of a path. Errors: ENOENT, ENOTDIR, EACCES, ELOOP."""
    if not await _is_program(task, path):
        raise SyscallError(EACCES)


async def _is_program(task: "Task", name: bytes) -> bool:
    """Whether it is a regular file; EACCES if it may not be executed."""
    path = await namespace.resolve(task, AT_FDCWD, name)
    attr = await path.inode.getattr()
    if attr.mode & S_IFMT != S_IFREG:
        return False
    check_permission(task.credentials, attr, MAY_EXEC)
    return True
