"""msgctl(2)."""

from typing import Final

from sentry.ipc.namespace import IpcNamespace, ipc_of, seconds
from sentry.ipc.permission import CAP_SYS_RESOURCE, MAY_READ
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import (
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MSG_INFO,
    MSG_STAT,
    MSG_STAT_ANY,
    MSGINFO,
    MSQID64_DS,
)
from syscalls.args import Int, UserPtr
from syscalls.registry import syscall

_MSGMAP_MAX: Final = 0x7FFFFFFF
_MSGSSZ, _MSGSEG = 16, 0xFFFF


@syscall(man="msgctl(2)")
def sys_msgctl(task: Task, msqid: Int, op: Int, buf: UserPtr) -> int:
    """Look at, change or remove a queue. Errors: EACCES, EFAULT, EIDRM, EINVAL, EPERM."""
    if msqid < 0 or op < 0:
        raise SyscallError(EINVAL)
    namespace = ipc_of(task)
    if op in (IPC_INFO, MSG_INFO):
        return _info(task, namespace, op, buf)
    if op in (IPC_STAT, MSG_STAT, MSG_STAT_ANY):
        return _stat(task, namespace, msqid, op, buf)
    if op in (IPC_SET, IPC_RMID):
        return _change(task, namespace, msqid, op, buf)
    raise SyscallError(EINVAL)


def _info(task: Task, namespace: IpcNamespace, op: int, buf: int) -> int:
    settings, table = namespace.settings, namespace.messages
    pool, count, size = 32000 * 16384 // 1024, 16384, 16384
    if op == MSG_INFO:
        pool, count, size = len(table), sum(len(queue) for queue in table), sum(queue.bytes_used for queue in table)
    count, size = min(count, _MSGMAP_MAX), min(size, _MSGMAP_MAX)
    packed = MSGINFO.pack(pool, count, settings.msgmax, settings.msgmnb, settings.msgmni, _MSGSSZ, size, _MSGSEG)
    task.memory.write(buf, packed)
    return table.index_max


def _stat(task: Task, namespace: IpcNamespace, msqid: int, op: int, buf: int) -> int:
    table = namespace.messages
    queue = table.get(msqid) if op == IPC_STAT else table.at(msqid)
    if op != MSG_STAT_ANY:
        queue.perm.check(task.credentials, MAY_READ)
    packed = MSQID64_DS.pack(
        *queue.perm.fields(),
        queue.stime,
        queue.rtime,
        queue.ctime,
        queue.bytes_used,
        len(queue),
        queue.bytes_max,
        queue.sender_pid,
        queue.receiver_pid,
    )
    task.memory.write(buf, packed)
    return 0 if op == IPC_STAT else queue.perm.id


def _change(task: Task, namespace: IpcNamespace, msqid: int, op: int, buf: int) -> int:
    wanted = MSQID64_DS.unpack(task.memory.read(buf, MSQID64_DS.size)) if op == IPC_SET else ()
    table = namespace.messages
    queue = table.get(msqid)
    queue.perm.check_owner(task.credentials)
    if op == IPC_RMID:
        table.remove(queue)
        queue.remove()
        return 0
    bytes_max = wanted[12]
    if bytes_max > namespace.settings.msgmnb and not task.credentials.has(CAP_SYS_RESOURCE):
        raise SyscallError(EPERM)
    queue.perm.change(wanted[1], wanted[2], wanted[5])
    queue.bytes_max = bytes_max
    queue.ctime = seconds(task)
    queue.settings_changed()
    return 0
