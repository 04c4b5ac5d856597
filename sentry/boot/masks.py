"""Paths that look empty or cannot be changed, and kernel settings (config-linux.md: maskedPaths, readonlyPaths, sysctl)."""

from typing import TYPE_CHECKING, Any

from sentry.mm.usermem import BytesSource
from sentry.platform.interface import PlatformError
from sentry.vfs import namespace
from sentry.vfs.mount import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME
from syscalls.abi import errno as errnos
from syscalls.abi.errno import EACCES, ENOENT, EPERM, EROFS
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, O_WRONLY
from syscalls.abi.stat import S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.inode import FileSystem
    from sentry.vfs.mount import MountNamespace, MountTable

_QUIET = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME


async def apply(
    task: "Task", mounts: "MountTable", tree: "MountNamespace", empty: "FileSystem", config: dict[str, Any]
) -> None:
    """Do it with the rights of ``task``; ``empty`` is a file system for masked folders. Raises PlatformError for a sysctl that
    there is not, or that does not take the value. Paths that the image does not have are passed over."""
    for name, value in config.get("sysctls", {}).items():
        await _write_sysctl(task, name, value)
    for path in config.get("read_only_paths", ()):
        place = await _find(task, path)
        if place is not None:
            tree.attach(mounts.mount(place.mount.fs, place.mount.flags | MS_RDONLY, b"none", root=place.dentry), place)
    null = await namespace.resolve(task, AT_FDCWD, b"/dev/null")
    for path in config.get("masked", ()):
        place = await _find(task, path)
        if place is None:
            continue
        is_folder = (await place.inode.getattr()).mode & S_IFMT == S_IFDIR
        if is_folder:
            tree.attach(mounts.mount(empty, _QUIET | MS_RDONLY, b"tmpfs"), place)
        else:
            tree.attach(mounts.mount(null.mount.fs, MS_NOSUID | MS_NOEXEC | MS_RELATIME, b"none", root=null.dentry), place)


async def _find(task: "Task", path: bytes) -> "Path | None":
    try:
        return await namespace.resolve(task, AT_FDCWD, path)
    except SyscallError:
        return None


async def _write_sysctl(task: "Task", name: bytes, value: bytes) -> None:
    text = name.decode("utf-8", "replace")
    try:
        place = await namespace.resolve(task, AT_FDCWD, b"/proc/sys/" + name.replace(b".", b"/"))
        file = await namespace.open_place(task, place, O_WRONLY)
        file.acquire()
        try:
            file.try_write(BytesSource(value + b"\n"), 0)
        finally:
            file.release()
    except SyscallError as error:
        if error.errno in (EPERM, EACCES, EROFS):
            raise PlatformError(f"sysctl {text}: this setting cannot be changed in a sandbox") from None
        if error.errno == ENOENT:
            raise PlatformError(f"sysctl {text}: there is no such setting in a sandbox") from None
        raise PlatformError(f"sysctl {text}={value.decode('utf-8', 'replace')}: {errnos.name(error.errno)}") from None
