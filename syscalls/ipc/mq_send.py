"""mq_timedsend(2), mq_timedreceive(2). The time is absolute, on CLOCK_REALTIME."""

from sentry.fs.mqueue.node import QueueFile
from sentry.ipc.posix_queue import MessageReceiver, PosixQueue, QueuedMessage
from sentry.ipc.waiter import Waiter
from sentry.kernel.task import Task
from sentry.kernel.timeout import to_nanoseconds
from sentry.sched.wait import Restart, TimedOut
from syscalls.abi.errno import EAGAIN, EBADF, EINVAL, EMSGSIZE, ETIMEDOUT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.mqueue import MQ_PRIO_MAX
from syscalls.abi.time import TIMESPEC
from syscalls.args import Fd, Size, UInt, UserPtr
from syscalls.registry import syscall


def queue_file(task: Task, fd: int) -> QueueFile:
    """Errors: EBADF also for what is no queue."""
    file = task.fds.get(fd)
    if not isinstance(file, QueueFile):
        raise SyscallError(EBADF)
    return file


@syscall(man="mq_send(3)")
async def sys_mq_timedsend(task: Task, mqdes: Fd, msg_ptr: UserPtr, msg_len: Size, msg_prio: UInt, abs_timeout: UserPtr) -> int:
    """Add a message. Errors: EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EMSGSIZE, ENOMEM, ETIMEDOUT."""
    deadline = _deadline(task, abs_timeout)
    if msg_prio >= MQ_PRIO_MAX:
        raise SyscallError(EINVAL)
    file = queue_file(task, mqdes)
    if not file.is_writable:
        raise SyscallError(EBADF)
    queue = file.contents
    if msg_len > queue.msgsize:
        raise SyscallError(EMSGSIZE)
    message = QueuedMessage(task.memory.read(msg_ptr, msg_len) if msg_len else b"", msg_prio, task.kernel.limits)
    while queue.is_full:
        if file.flags & O_NONBLOCK:
            raise SyscallError(EAGAIN)
        waiter = Waiter()
        queue.add_sender(waiter)
        await _sleep(task, queue, waiter, deadline)
    queue.send(message, task.group.tgid, task.credentials.uid)
    queue.pass_on()
    return 0


@syscall(man="mq_receive(3)")
async def sys_mq_timedreceive(
    task: Task, mqdes: Fd, msg_ptr: UserPtr, msg_len: Size, msg_prio: UserPtr, abs_timeout: UserPtr
) -> int:
    """Take a message and return its length. Errors: EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT."""
    deadline = _deadline(task, abs_timeout)
    file = queue_file(task, mqdes)
    if not file.is_readable:
        raise SyscallError(EBADF)
    queue = file.contents
    if msg_len < queue.msgsize:
        raise SyscallError(EMSGSIZE)
    message = queue.receive()
    if message is None:
        if file.flags & O_NONBLOCK:
            raise SyscallError(EAGAIN)
        receiver = MessageReceiver()
        queue.add_receiver(receiver)
        await _sleep(task, queue, receiver, deadline)
        message = receiver.message
        assert message is not None
    if msg_prio:
        task.memory.write_u32(msg_prio, message.priority)
    if message.data:
        task.memory.write(msg_ptr, message.data)
    return len(message.data)


def _deadline(task: Task, address: int) -> int | None:
    if not address:
        return None
    wall = to_nanoseconds(*task.memory.read_struct(TIMESPEC, address))
    return task.kernel.runner.monotonic_ns() + wall - task.kernel.realtime_ns()


async def _sleep(task: Task, queue: PosixQueue, waiter: Waiter, deadline_ns: int | None) -> None:
    try:
        await waiter.sleep(task, Restart.SYS, deadline_ns)
    except TimedOut:
        raise SyscallError(ETIMEDOUT) from None
    except BaseException:
        queue.pass_on()  # room that was offered to it is the next one's
        raise
    finally:
        queue.give_up(waiter)
