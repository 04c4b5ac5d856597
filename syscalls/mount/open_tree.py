"""open_tree(2), move_mount(2): pick up a mount and put it down."""

from typing import Final

from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.file import O_PATH
from sentry.vfs.fs_context import DetachedFile
from sentry.vfs.lookup import resolve_empty
from sentry.vfs.mount import MountNamespace
from sentry.vfs.namespace import resolve
from sentry.vfs.special import PathFile
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW
from syscalls.abi.mount import (
    MOVE_MOUNT__MASK,
    MOVE_MOUNT_F_EMPTY_PATH,
    MOVE_MOUNT_F_SYMLINKS,
    MOVE_MOUNT_SET_GROUP,
    MOVE_MOUNT_T_EMPTY_PATH,
    MOVE_MOUNT_T_SYMLINKS,
    OPEN_TREE_CLOEXEC,
    OPEN_TREE_CLONE,
)
from syscalls.abi.stat import S_IFDIR, S_IFMT
from syscalls.args import Fd, PathPtr, UInt
from syscalls.mount.mount import check_kind, check_place
from syscalls.mount.propagation import check_may_mount
from syscalls.registry import Support, syscall

_OPEN_TREE: Final = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLOEXEC | OPEN_TREE_CLONE


async def place_at(task: Task, dfd: int, path: int, *, may_be_empty: bool, follow: bool) -> Path:
    """The place that a mount call's descriptor and path mean, on top of what is mounted there."""
    text = task.memory.read_path(path)
    if may_be_empty and not text:
        return resolve_empty(task, dfd)
    return task.mounts.top(await resolve(task, dfd, text, follow=follow))


@syscall(man="open_tree(2)")
async def sys_open_tree(task: Task, dfd: Fd, filename: PathPtr, flags: UInt) -> int:
    """Return an O_PATH descriptor of a place, or of a detached copy of the mounts there. Errors: EINVAL, EPERM, ENOSPC."""
    if flags & ~_OPEN_TREE or flags & (AT_RECURSIVE | OPEN_TREE_CLONE) == AT_RECURSIVE:
        raise SyscallError(EINVAL)
    if flags & OPEN_TREE_CLONE:
        check_may_mount(task)
    place = await place_at(task, dfd, filename, may_be_empty=bool(flags & AT_EMPTY_PATH), follow=not flags & AT_SYMLINK_NOFOLLOW)
    file = PathFile(place.inode, O_PATH, place)
    if flags & OPEN_TREE_CLONE:
        origin = place.mount
        if origin.is_unbindable or origin.namespace is None:
            raise SyscallError(EINVAL)
        copy = origin.namespace.copy_tree(origin, recursive=bool(flags & AT_RECURSIVE), root=place.dentry)
        tree = MountNamespace(task.kernel.mounts, copy, is_detached=True)
        file = DetachedFile(place.inode, O_PATH, Path(copy, copy.root), tree)
    return task.fds.install(file, cloexec=bool(flags & OPEN_TREE_CLOEXEC))


@syscall(man="move_mount(2)", support=Support.PARTIAL, note="MOVE_MOUNT_SET_GROUP is EINVAL")
async def sys_move_mount(task: Task, from_dfd: Fd, from_path: PathPtr, to_dfd: Fd, to_path: PathPtr, flags: UInt) -> int:
    """Attach a detached mount, or move an attached one. Errors: EPERM, EINVAL, ELOOP, ENOTDIR, ENOSPC."""
    check_may_mount(task)
    if flags & ~MOVE_MOUNT__MASK or flags & MOVE_MOUNT_SET_GROUP:
        raise SyscallError(EINVAL)
    source = await place_at(
        task,
        from_dfd,
        from_path,
        may_be_empty=bool(flags & MOVE_MOUNT_F_EMPTY_PATH),
        follow=bool(flags & MOVE_MOUNT_F_SYMLINKS),
    )
    target = await place_at(
        task,
        to_dfd,
        to_path,
        may_be_empty=bool(flags & MOVE_MOUNT_T_EMPTY_PATH),
        follow=bool(flags & MOVE_MOUNT_T_SYMLINKS),
    )
    mount, tree = source.mount, source.mount.namespace
    if tree is None or source.dentry is not mount.root or not task.mounts.holds(target.mount):
        raise SyscallError(EINVAL)
    check_kind(source, target)
    check_place(task, target, is_directory=source.inode.attr.mode & S_IFMT == S_IFDIR)
    if tree.is_detached and tree.root is mount:
        task.mounts.attach(mount, target)
    elif tree is task.mounts:
        tree.move(mount, target)
    else:
        raise SyscallError(EINVAL)
    return 0
