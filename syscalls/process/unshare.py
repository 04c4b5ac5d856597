"""unshare(2), setns(2): what a task shares, and which mount, host-name and IPC namespaces it is in."""

from sentry.fs.pidfd import PidFile
from sentry.fs.proc.pid.links import NamespaceInode
from sentry.ipc.namespace import IpcNamespace, ipc_of
from sentry.kernel.namespaces import Namespaces
from sentry.kernel.sem_undo import leave_undo_list
from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.mount import MountNamespace
from syscalls.abi.capability import CAP_SYS_ADMIN, CAP_SYS_CHROOT
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
)
from syscalls.args import PROCEED, Fd, Int, Result, ULong
from syscalls.registry import Support, syscall

_OURS = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC
_OTHERS = CLONE_NEWTIME | CLONE_NEWCGROUP | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
_ALONE = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM
_KINDS = {b"mnt": CLONE_NEWNS, b"uts": CLONE_NEWUTS, b"ipc": CLONE_NEWIPC}
_ALL_KINDS = _KINDS | {b"pid": CLONE_NEWPID, b"net": CLONE_NEWNET, b"cgroup": CLONE_NEWCGROUP, b"time": CLONE_NEWTIME}


@syscall(
    man="unshare(2)",
    support=Support.PARTIAL,
    note="CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP and CLONE_NEWTIME are EPERM",
)
def sys_unshare(task: Task, flags: ULong) -> Result:
    """Stop sharing descriptors, working directory, mounts, host name or IPC objects. Errors: EINVAL, EPERM, ENOSPC."""
    if flags & ~(_OURS | _OTHERS | _ALONE | CLONE_FILES | CLONE_FS | CLONE_SYSVSEM):
        raise SyscallError(EINVAL)
    if flags & _ALONE and len(task.group.tasks) > 1:
        raise SyscallError(EINVAL)
    if flags & _OTHERS or (flags & _OURS and not task.credentials.has(CAP_SYS_ADMIN)):
        raise SyscallError(EPERM)
    if flags & (CLONE_FS | CLONE_NEWNS):
        task.fs = task.fs.copy()
    if flags & CLONE_NEWNS:
        _new_mounts(task)
    if flags & (CLONE_SYSVSEM | CLONE_NEWIPC):
        leave_undo_list(task)
    if flags & (CLONE_NEWUTS | CLONE_NEWIPC):
        old, number = task.namespaces, task.kernel.mounts.next_namespace_id
        uts = old.uts.copy(number()) if flags & CLONE_NEWUTS else old.uts
        task.namespaces = Namespaces(uts, IpcNamespace(number()) if flags & CLONE_NEWIPC else ipc_of(task))
    if flags & CLONE_FILES and task.fds.references > 1:
        task.fds.references -= 1
        task.fds = task.fds.copy()
        return PROCEED  # the host's table, which holds copies for mappings, is split in the same way
    return 0


def _new_mounts(task: Task) -> None:
    """The task's root and working directory are the same places in the copy."""
    tree, twins = task.mounts.copy()
    fs = task.fs
    fs.root = Path(twins.get(fs.root.mount, fs.root.mount), fs.root.dentry)
    fs.cwd = Path(twins.get(fs.cwd.mount, fs.cwd.mount), fs.cwd.dentry)
    task.mounts = tree


@syscall(
    man="setns(2)",
    support=Support.PARTIAL,
    note="mount, host-name and IPC namespaces; of the other kinds there is one, and entering it is EPERM",
)
def sys_setns(task: Task, fd: Fd, nstype: Int) -> int:
    """Enter the namespace of a /proc/PID/ns file, or those of a pidfd's process. Errors: EBADF, EINVAL, EPERM, ESRCH."""
    file = task.fds.get(fd)
    inode = file.inode
    if isinstance(inode, NamespaceInode):
        kind = _KINDS.get(inode.kind, 0)
        if (nstype and nstype != _ALL_KINDS.get(inode.kind)) or inode.kind == b"user":
            raise SyscallError(EINVAL)  # the only user namespace is the caller's own
        _check(task, kind)
        _enter(task, inode.thing)
        return 0
    if not isinstance(file, PidFile) or not nstype or nstype & ~(_OURS | _OTHERS):
        raise SyscallError(EINVAL)
    if nstype & CLONE_NEWUSER:
        raise SyscallError(EINVAL)
    _check(task, nstype & _OURS if not nstype & _OTHERS else 0)
    if not file.group.is_alive:
        raise SyscallError(ESRCH)
    other = file.group.leader
    for flag, thing in ((CLONE_NEWIPC, ipc_of(other)), (CLONE_NEWUTS, other.namespaces.uts), (CLONE_NEWNS, other.mounts)):
        if nstype & flag:
            _enter(task, thing)
    return 0


def _check(task: Task, kinds: int) -> None:
    """Errors: EPERM without the capabilities, or a kind that cannot be entered; EINVAL mounts with a shared CLONE_FS."""
    if not kinds or not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
    if kinds & CLONE_NEWNS:
        if not task.credentials.has(CAP_SYS_CHROOT):
            raise SyscallError(EPERM)
        if any(other.fs is task.fs for other in task.kernel.tasks.tasks.values() if other is not task):
            raise SyscallError(EINVAL)


def _enter(task: Task, thing: object) -> None:
    if isinstance(thing, MountNamespace):
        task.mounts = thing
        task.fs.root = task.fs.cwd = thing.root_path
    elif isinstance(thing, IpcNamespace):
        leave_undo_list(task)
        task.namespaces = Namespaces(task.namespaces.uts, thing)
    else:
        task.namespaces = Namespaces(thing, ipc_of(task))  # type: ignore[arg-type]
