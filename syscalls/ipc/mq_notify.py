"""mq_notify(2), mq_getsetattr(2)."""

from sentry.ipc.posix_queue import PosixQueue
from sentry.kernel.task import Task
from sentry.platform.interface import SignalInfo
from syscalls.abi.errno import EBUSY, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.mqueue import MQ_ATTR
from syscalls.abi.signal import NSIG, SI_MESGQ, SIGEV_NONE, SIGEV_SIGNAL, SIGEVENT
from syscalls.args import Fd, UserPtr
from syscalls.ipc.mq_send import queue_file
from syscalls.registry import Support, syscall


@syscall(
    man="mq_notify(3)",
    support=Support.PARTIAL,
    note="SIGEV_THREAD, which needs a netlink socket, is EINVAL",
)
def sys_mq_notify(task: Task, mqdes: Fd, sevp: UserPtr) -> int:
    """Ask to be told once of a message that comes to the empty queue. Errors: EBADF, EBUSY, EFAULT, EINVAL."""
    event = task.memory.read_struct(SIGEVENT, sevp) if sevp else None
    if event is not None:
        _, signal, notify, _ = event
        if notify not in (SIGEV_NONE, SIGEV_SIGNAL) or (notify == SIGEV_SIGNAL and not 0 <= signal <= NSIG):
            raise SyscallError(EINVAL)
    queue = queue_file(task, mqdes).contents
    group = task.group
    if event is None:
        if queue.notify_owner is group:
            queue.forget_notification()
        return 0
    owner = queue.notify_owner
    if owner is not None and getattr(owner, "is_alive", True):
        raise SyscallError(EBUSY)
    _ask(task, queue, event)
    return 0


def _ask(task: Task, queue: PosixQueue, event: tuple[int, ...]) -> None:
    value, signal, notify, _ = event
    group = task.group

    def tell(pid: int, uid: int) -> None:
        if notify != SIGEV_NONE and signal and group.is_alive:
            group.leader.kernel.signals.send_group(group, signal, SignalInfo(SI_MESGQ, pid, uid, value))

    queue.ask_notification(group, group.tgid, signal if notify == SIGEV_SIGNAL else 0, notify, tell)


@syscall(man="mq_getattr(3)")
def sys_mq_getsetattr(task: Task, mqdes: Fd, newattr: UserPtr, oldattr: UserPtr) -> int:
    """Tell the attributes, set O_NONBLOCK. Errors: EBADF, EFAULT, EINVAL."""
    wanted = MQ_ATTR.unpack(task.memory.read(newattr, MQ_ATTR.size)) if newattr else None
    if wanted is not None and wanted[0] & ~O_NONBLOCK:
        raise SyscallError(EINVAL)
    file = queue_file(task, mqdes)
    queue = file.contents
    old = MQ_ATTR.pack(file.flags & O_NONBLOCK, queue.maxmsg, queue.msgsize, len(queue))
    if wanted is not None:
        file.flags = file.flags & ~O_NONBLOCK | wanted[0]
    if oldattr:
        task.memory.write(oldattr, old)
    return 0
