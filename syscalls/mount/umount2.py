"""umount2(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import resolve
from sentry.vfs.permission import CAP_SYS_ADMIN
from syscalls.abi.errno import EAGAIN, EBUSY, EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.mount import MNT_DETACH, MNT_EXPIRE, MNT_FORCE, UMOUNT_NOFOLLOW
from syscalls.args import PathPtr, UInt
from syscalls.registry import Support, syscall


@syscall(
    man="umount(2)",
    support=Support.PARTIAL,
    note="MNT_EXPIRE does not notice that a marked mount was used meanwhile; MNT_FORCE has no effect",
)
async def sys_umount2(task: Task, target: PathPtr, flags: UInt) -> int:
    """Take a mount away. Errors: EPERM, EINVAL (no mount, flags), EBUSY (in use), EAGAIN (MNT_EXPIRE)."""
    if flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW):
        raise SyscallError(EINVAL)
    place = await resolve(task, AT_FDCWD, task.memory.read_path(target), follow=not flags & UMOUNT_NOFOLLOW)
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
    place = task.mounts.top(place)
    mount = place.mount
    if place.dentry is not mount.root or not task.mounts.holds(mount):
        raise SyscallError(EINVAL)
    if flags & MNT_EXPIRE and flags & (MNT_FORCE | MNT_DETACH):
        raise SyscallError(EINVAL)
    if not flags & MNT_DETACH and _is_busy(task, mount):
        raise SyscallError(EBUSY)
    if flags & MNT_EXPIRE and mount.children:
        raise SyscallError(EBUSY)
    if flags & MNT_EXPIRE and not mount.is_marked:
        mount.is_marked = True
        raise SyscallError(EAGAIN)
    task.mounts.detach(place.mount, is_lazy=bool(flags & MNT_DETACH))
    return 0


def _is_busy(task: Task, mount: object) -> bool:
    """Whether a task's root, working directory, program or open file is on ``mount``."""
    for other in task.kernel.tasks.tasks.values():
        if other.fs.cwd.mount is mount or other.fs.root.mount is mount:
            return True
        executable = other.group.executable
        if executable is not None and executable.mount is mount:
            return True
        for fd in other.fds.numbers():
            file = other.fds.find(fd)
            if file is not None and file.path is not None and file.path.mount is mount:
                return True
    return False
