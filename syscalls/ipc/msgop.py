"""msgsnd(2), msgrcv(2)."""

from typing import Final

from sentry.ipc.message import Message, MessageQueue, Receiver
from sentry.ipc.namespace import ipc_of, seconds
from sentry.ipc.permission import MAY_READ, MAY_WRITE
from sentry.ipc.waiter import Waiter
from sentry.kernel.task import Task
from sentry.sched.wait import Restart
from syscalls.abi.errno import E2BIG, EAGAIN, EIDRM, EINVAL, ENOMSG
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import IPC_NOWAIT, MSG_COPY, MSG_EXCEPT, MSG_NOERROR
from syscalls.args import Int, Long, UserPtr
from syscalls.registry import syscall

_WORD: Final = 8
_SIZE_UNLIMITED: Final = 1 << 62


@syscall(man="msgop(2)")
async def sys_msgsnd(task: Task, msqid: Int, msgp: UserPtr, msgsz: Long, msgflg: Int) -> int:
    """Append a message. Errors: EACCES, EAGAIN, EFAULT, EIDRM, EINTR, EINVAL, ENOMEM."""
    kind = int.from_bytes(task.memory.read(msgp, _WORD), "little", signed=True)
    namespace = ipc_of(task)
    if not 0 <= msgsz <= namespace.settings.msgmax or msqid < 0 or kind < 1:
        raise SyscallError(EINVAL)
    data = task.memory.read(msgp + _WORD, msgsz) if msgsz else b""
    message = Message(kind, data, task.kernel.limits)
    queue = namespace.messages.get(msqid)
    while True:
        queue.perm.check(task.credentials, MAY_WRITE)
        if queue.has_room(msgsz):
            break
        if msgflg & IPC_NOWAIT:
            raise SyscallError(EAGAIN)
        waiter = Waiter()
        queue.add_sender(waiter)
        await _sleep(task, queue, waiter)
    queue.send(message, task.group.tgid, seconds(task))
    return 0


@syscall(man="msgop(2)")
async def sys_msgrcv(task: Task, msqid: Int, msgp: UserPtr, msgsz: Long, msgtyp: Long, msgflg: Int) -> int:
    """Take a message and return its length. Errors: E2BIG, EACCES, EFAULT, EIDRM, EINTR, EINVAL, ENOMSG."""
    if msqid < 0 or msgsz < 0:
        raise SyscallError(EINVAL)
    if msgflg & MSG_COPY and (msgflg & MSG_EXCEPT or not msgflg & IPC_NOWAIT):
        raise SyscallError(EINVAL)
    queue = ipc_of(task).messages.get(msqid)
    size_max = _SIZE_UNLIMITED if msgflg & MSG_NOERROR else msgsz
    message = await _receive(task, queue, Receiver(msgtyp, msgflg, size_max, task.group.tgid), msgsz)
    data = message.data[:msgsz]
    # A fault loses the message, as in Linux (do_msgrcv()).
    task.memory.write(msgp, message.kind.to_bytes(_WORD, "little"))
    if data:
        task.memory.write(msgp + _WORD, data)
    return len(data)


async def _receive(task: Task, queue: MessageQueue, receiver: Receiver, room: int) -> Message:
    while True:
        queue.perm.check(task.credentials, MAY_READ)
        message = queue.find(receiver)
        if message is not None:
            if len(message.data) > receiver.size_max:
                raise SyscallError(E2BIG)
            if receiver.flags & MSG_COPY and len(message.data) > room:
                raise SyscallError(EINVAL)  # Linux: ipc/msgutil.c, copy_msg()
            if not receiver.flags & MSG_COPY:
                queue.take(message, receiver.pid, seconds(task))
            return message
        if receiver.flags & IPC_NOWAIT:
            raise SyscallError(ENOMSG)
        receiver.result = None
        queue.add_receiver(receiver)
        await _sleep(task, queue, receiver)
        if receiver.message is not None:
            return receiver.message


async def _sleep(task: Task, queue: MessageQueue, waiter: Waiter) -> None:
    try:
        await waiter.sleep(task, Restart.NOHAND)
    finally:
        queue.give_up(waiter)
    if queue.perm.is_removed:
        raise SyscallError(EIDRM)
