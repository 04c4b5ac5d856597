"""What mount(2) and mount_setattr(2) share: flags and propagation types of mounts."""

from sentry.kernel.task import Task
from sentry.vfs.mount import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
    Mount,
)
from sentry.vfs.peer_group import make_private, make_slave
from syscalls.abi.capability import CAP_SYS_ADMIN
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.mount import MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_STRICTATIME, MS_UNBINDABLE

KEPT = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_NOSYMFOLLOW | MS_RELATIME
PROPAGATION = MS_PRIVATE | MS_SHARED | MS_SLAVE | MS_UNBINDABLE


def check_may_mount(task: Task) -> None:
    """Errors: EPERM without CAP_SYS_ADMIN."""
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)


def mount_flags(flags: int) -> int:
    """The flags of one mount; relatime unless something else is asked for."""
    kept = flags & KEPT
    if flags & MS_STRICTATIME:
        return kept & ~(MS_NOATIME | MS_RELATIME)
    return kept if flags & MS_NOATIME else kept | MS_RELATIME


def set_propagation(task: Task, mounts: list[Mount], kind: int) -> None:
    """MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. Errors: EINVAL none of them or several."""
    if kind not in (MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE):
        raise SyscallError(EINVAL)
    table = task.kernel.mounts
    for mount in mounts:
        if kind == MS_SHARED:
            table.share(mount)
            mount.is_unbindable = False
        elif kind == MS_SLAVE:
            make_slave(mount)
            mount.is_unbindable = False
        else:
            make_private(mount)
            mount.is_unbindable = kind == MS_UNBINDABLE
