"""setuid(2), setreuid(2), setresuid(2), setfsuid(2), their group twins, and setgroups(2).

The rules are in ``sentry.kernel.cred_change``; like Linux, each call concerns the calling thread only.
"""

from sentry.kernel import cred_change
from sentry.kernel.creds import Credentials
from sentry.kernel.rlimits import follow_process_limit
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_SETGID
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT_NPROC
from syscalls.args import Id, UInt, UserPtr
from syscalls.registry import syscall

NGROUPS_MAX = 65536


@syscall(man="setuid(2)")
def sys_setuid(task: Task, uid: Id) -> int:
    """Set the effective user id, with CAP_SETUID all of them. Errors: EINVAL, EPERM."""
    _become(task, cred_change.set_uid(task.credentials, uid))
    return 0


@syscall(man="setgid(2)")
def sys_setgid(task: Task, gid: Id) -> int:
    """Set the effective group id, with CAP_SETGID all of them. Errors: EINVAL, EPERM."""
    _become(task, cred_change.set_gid(task.credentials, gid))
    return 0


@syscall(man="setreuid(2)")
def sys_setreuid(task: Task, ruid: Id, euid: Id) -> int:
    """Set real and effective user id. Errors: EPERM."""
    _become(task, cred_change.set_reuid(task.credentials, ruid, euid))
    return 0


@syscall(man="setreuid(2)")
def sys_setregid(task: Task, rgid: Id, egid: Id) -> int:
    """Set real and effective group id. Errors: EPERM."""
    _become(task, cred_change.set_regid(task.credentials, rgid, egid))
    return 0


@syscall(man="setresuid(2)")
def sys_setresuid(task: Task, ruid: Id, euid: Id, suid: Id) -> int:
    """Set real, effective and saved user id. Errors: EPERM."""
    _become(task, cred_change.set_resuid(task.credentials, ruid, euid, suid))
    return 0


@syscall(man="setresuid(2)")
def sys_setresgid(task: Task, rgid: Id, egid: Id, sgid: Id) -> int:
    """Set real, effective and saved group id. Errors: EPERM."""
    _become(task, cred_change.set_resgid(task.credentials, rgid, egid, sgid))
    return 0


@syscall(man="setfsuid(2)")
def sys_setfsuid(task: Task, fsuid: Id) -> int:
    """Set the user id of file access; returns the old one, and never fails."""
    old = task.credentials.fsuid
    _become(task, cred_change.set_fsuid(task.credentials, fsuid))
    return old


@syscall(man="setfsgid(2)")
def sys_setfsgid(task: Task, fsgid: Id) -> int:
    """Set the group id of file access; returns the old one, and never fails."""
    old = task.credentials.fsgid
    _become(task, cred_change.set_fsgid(task.credentials, fsgid))
    return old


@syscall(man="getgroups(2)")
def sys_setgroups(task: Task, size: UInt, list: UserPtr) -> int:
    """Set the supplementary groups. Errors: EPERM, EINVAL, EFAULT."""
    if not task.credentials.has(CAP_SETGID):
        raise SyscallError(EPERM)
    if size > NGROUPS_MAX:
        raise SyscallError(EINVAL)
    raw = memoryview(task.memory.read(list, size * 4) if size else b"").cast("I")
    task.credentials = cred_change.set_groups(task.credentials, tuple(raw))
    return 0


def _become(task: Task, creds: Credentials) -> None:
    """Who acts as somebody else is not dumpable any more, and its parent's death no longer its business (Linux: commit_creds()).
    The new user's tasks are counted against RLIMIT_NPROC, root's are not."""
    old = task.credentials
    has_new_user = creds.uid != old.uid
    task.credentials = creds
    if (creds.euid, creds.egid, creds.fsuid, creds.fsgid) != (old.euid, old.egid, old.fsuid, old.fsgid):
        task.group.is_dumpable = False  # fs.suid_dumpable is 0
        task.pdeath_signal = 0
    if has_new_user and RLIMIT_NPROC in task.group.limits:
        follow_process_limit(task)
