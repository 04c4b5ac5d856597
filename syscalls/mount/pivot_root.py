"""pivot_root(2)."""

from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.namespace import resolve
from syscalls.abi.errno import EBUSY, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import PathPtr
from syscalls.mount.propagation import check_may_mount
from syscalls.registry import syscall


@syscall(man="pivot_root(2)")
async def sys_pivot_root(task: Task, new_root: PathPtr, put_old: PathPtr) -> int:
    """Make another mount the root of the tree. Errors: EPERM, EINVAL, EBUSY, ENOTDIR, as path_resolution(7)."""
    new_name, old_name = task.memory.read_path(new_root), task.memory.read_path(put_old)
    check_may_mount(task)
    tree = task.mounts
    new = tree.top(await resolve(task, AT_FDCWD, new_name, want_directory=True))
    old = tree.top(await resolve(task, AT_FDCWD, old_name, want_directory=True))
    root = task.fs.root
    _check(task, new, old, root)
    table = task.kernel.mounts
    above = None
    if root.mount.parent is not None and root.mount.mountpoint is not None:
        above = Path(root.mount.parent, root.mount.mountpoint)
    table.take_off(new.mount)
    table.take_off(root.mount)
    if above is None:
        tree.root = new.mount
    else:
        table.put_on(new.mount, above)
    table.put_on(root.mount, old)
    for other in task.kernel.tasks.tasks.values():
        if other.mounts is tree:
            if other.fs.root == root:
                other.fs.root = new
            if other.fs.cwd == root:
                other.fs.cwd = new
    return 0


def _check(task: Task, new: Path, old: Path, root: Path) -> None:
    """The list of pivot_root(2), "NOTES". Errors: EINVAL, EBUSY."""
    tree = task.mounts
    if not all(tree.holds(place.mount) for place in (new, old, root)):
        raise SyscallError(EINVAL)
    parents = (new.mount.parent, root.mount.parent)
    if old.mount.peers is not None or any(parent is not None and parent.peers is not None for parent in parents):
        raise SyscallError(EINVAL)
    if new.mount is root.mount or old.mount is root.mount:
        raise SyscallError(EBUSY)
    if root.dentry is not root.mount.root or new.dentry is not new.mount.root or new.mount.parent is None:
        raise SyscallError(EINVAL)
    if not _is_below(old, new) or not _is_below(new, root):
        raise SyscallError(EINVAL)


def _is_below(place: Path, ancestor: Path) -> bool:
    """Whether ``ancestor`` is met on the way up from ``place`` (or is it)."""
    while place.mount is not ancestor.mount:
        mount = place.mount
        if mount.parent is None or mount.mountpoint is None:
            return False
        place = Path(mount.parent, mount.mountpoint)
    return place.dentry.is_below(ancestor.dentry)
