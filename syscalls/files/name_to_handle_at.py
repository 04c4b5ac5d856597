"""name_to_handle_at(2), open_by_handle_at(2)."""

from struct import Struct
from typing import Final

from sentry.fs.gofer.filesystem import GoferFileSystem
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.file import O_PATH
from sentry.vfs.file_handles import HANDLE, HANDLE_TYPE
from sentry.vfs.lookup import place_of
from sentry.vfs.mount import unique_id
from sentry.vfs.namespace import resolve
from sentry.vfs.opening import open_place
from sentry.vfs.special import PathFile
from syscalls.abi.capability import CAP_DAC_READ_SEARCH
from syscalls.abi.errno import EINVAL, EOPNOTSUPP, EOVERFLOW, EPERM, ESTALE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, O_CLOEXEC, O_CREAT, O_EXCL
from syscalls.args import Fd, Int, PathPtr, UserPtr
from syscalls.registry import Support, syscall

_AT_HANDLE_MNT_ID_UNIQUE: Final = 1
#: struct file_handle: handle_bytes, handle_type, then the handle
_HEADER: Final = Struct("<Ii")
_SIZE_MAX: Final = 128
_NOTE = "handles of the last 4096 files that were asked for; others are ESTALE; EOPNOTSUPP for proc, sysfs and devices"


@syscall(man="open_by_handle_at(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_name_to_handle_at(task: Task, dirfd: Fd, pathname: PathPtr, handle: UserPtr, mount_id: UserPtr, flags: Int) -> int:
    """Store a handle and the mount's number. Errors: EINVAL, EOPNOTSUPP, EOVERFLOW, EFAULT, as path_resolution(7)."""
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | _AT_HANDLE_MNT_ID_UNIQUE):
        raise SyscallError(EINVAL)
    place = await resolve(
        task,
        dirfd,
        task.memory.read_path(pathname),
        follow=bool(flags & AT_SYMLINK_FOLLOW),
        empty_ok=bool(flags & AT_EMPTY_PATH),
    )
    if not isinstance(place.inode.fs, TmpFileSystem | GoferFileSystem):
        raise SyscallError(EOPNOTSUPP)
    room, _ = task.memory.read_struct(_HEADER, handle)
    if room > _SIZE_MAX:
        raise SyscallError(EINVAL)
    if flags & _AT_HANDLE_MNT_ID_UNIQUE:
        task.memory.write_u64(mount_id, unique_id(place.mount))
    else:
        task.memory.write_u32(mount_id, place.mount.id)
    if room < HANDLE.size:
        task.memory.write(handle, _HEADER.pack(HANDLE.size, HANDLE_TYPE))
        raise SyscallError(EOVERFLOW)
    found = task.kernel.mounts.handles.handle_of(place.dentry)
    task.memory.write(handle, _HEADER.pack(HANDLE.size, HANDLE_TYPE) + found)
    return 0


@syscall(man="open_by_handle_at(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_open_by_handle_at(task: Task, mount_fd: Fd, handle: UserPtr, flags: Int) -> int:
    """Open the file of a handle. Errors: EBADF, EFAULT, EINVAL, EPERM, ESTALE, as open(2)."""
    if not task.credentials.has(CAP_DAC_READ_SEARCH):
        raise SyscallError(EPERM)
    size, kind = task.memory.read_struct(_HEADER, handle)
    if not 0 < size <= _SIZE_MAX or kind < 0:
        raise SyscallError(EINVAL)
    raw = task.memory.read((handle + _HEADER.size) & (1 << 64) - 1, size)
    mount = task.fs.cwd.mount if mount_fd == AT_FDCWD else place_of(task, task.fds.get_any(mount_fd)).mount
    if kind != HANDLE_TYPE or size != HANDLE.size:
        raise SyscallError(ESTALE)
    place = Path(mount, task.kernel.mounts.handles.find(mount.fs.dev, raw))
    kept = flags & ~(O_CREAT | O_EXCL)
    file = PathFile(place.inode, O_PATH, place) if flags & O_PATH else await open_place(task, place, kept)
    return task.fds.install(file, cloexec=bool(flags & O_CLOEXEC))
