"""/proc/sys/kernel/{sem,msg*,shm*} and /proc/sys/fs/mqueue: the limits of the opener's IPC namespace (proc_sys_kernel(5))."""

from typing import TYPE_CHECKING

from sentry.fs.synthetic.tree import File, Plan
from sentry.ipc.namespace import ipc_of
from sentry.ipc.table import IPCMNI
from sentry.kernel.creds import CAP_SYS_ADMIN
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_INT_MAX = 0x7FFFFFFF


def _parse(task: "Task", data: bytes) -> list[int]:
    """Errors: EPERM without CAP_SYS_ADMIN, EINVAL no numbers."""
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
    words = data.split()
    if not words or not all(word.isdigit() and len(word) <= 20 for word in words):
        raise SyscallError(EINVAL)
    return [int(word) for word in words]


def _setting(name: str, lowest: int, highest: int) -> File:
    def text(task: "Task") -> bytes:
        return b"%d\n" % getattr(ipc_of(task).settings, name)

    def command(task: "Task", data: bytes) -> None:
        value = _parse(task, data)[0]
        if not lowest <= value <= highest:
            raise SyscallError(EINVAL)
        setattr(ipc_of(task).settings, name, value)

    return File(text, command)


def _semaphores() -> File:
    names = ("semmsl", "semmns", "semopm", "semmni")
    bounds = (65536, _INT_MAX, 65536, IPCMNI)

    def text(task: "Task") -> bytes:
        return b"%d\t%d\t%d\t%d\n" % tuple(getattr(ipc_of(task).settings, name) for name in names)

    def command(task: "Task", data: bytes) -> None:
        values = _parse(task, data)
        if any(value > bound for value, bound in zip(values, bounds, strict=False)):
            raise SyscallError(EINVAL)
        for name, value in zip(names, values, strict=False):
            setattr(ipc_of(task).settings, name, value)

    return File(text, command)


KERNEL_IPC: Plan = {
    b"msgmax": _setting("msgmax", 0, _INT_MAX),
    b"msgmnb": _setting("msgmnb", 0, _INT_MAX),
    b"msgmni": _setting("msgmni", 0, IPCMNI),
    b"sem": _semaphores(),
    b"shmall": _setting("shmall", 0, (1 << 64) - 1),
    b"shmmax": _setting("shmmax", 0, (1 << 64) - 1),
    b"shmmni": _setting("shmmni", 0, IPCMNI),
}
FS_MQUEUE: Plan = {
    b"msg_default": _setting("msg_default", 1, 65536),
    b"msg_max": _setting("msg_max", 1, 65536),
    b"msgsize_default": _setting("msgsize_default", 128, 16 << 20),
    b"msgsize_max": _setting("msgsize_max", 128, 16 << 20),
    b"queues_max": _setting("queues_max", 0, 1024),
}
