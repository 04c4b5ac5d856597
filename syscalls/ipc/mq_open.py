"""mq_open(2), mq_unlink(2). The C library takes the leading slash off the name."""

from sentry.fs.mqueue.filesystem import mqueue_fs, queue_directory
from sentry.ipc.namespace import ipc_of
from sentry.ipc.permission import CAP_SYS_RESOURCE
from sentry.kernel.rlimits import get_limit
from sentry.kernel.task import Task
from sentry.vfs import watch
from sentry.vfs.context import Path
from sentry.vfs.lookup import lookup_child
from sentry.vfs.opening import create_file, open_place
from sentry.vfs.pathwalk import NAME_MAX
from sentry.vfs.permission import check_delete
from syscalls.abi.errno import EEXIST, EINVAL, ENAMETOOLONG, ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ACCMODE, O_CREAT, O_EXCL, O_LARGEFILE, O_NONBLOCK
from syscalls.abi.mqueue import HARD_MSGMAX, HARD_MSGSIZEMAX, MQ_ATTR
from syscalls.abi.resource import RLIMIT_MSGQUEUE
from syscalls.args import Int, Mode, PathPtr, UserPtr
from syscalls.registry import syscall


@syscall(man="mq_open(3)")
async def sys_mq_open(task: Task, name: PathPtr, oflag: Int, mode: Mode, attr: UserPtr) -> int:
    """Return a descriptor of a queue. Errors: EACCES, EEXIST, EFAULT, EINVAL, EMFILE, ENAMETOOLONG, ENOENT, ENOSPC."""
    wanted = MQ_ATTR.unpack(task.memory.read(attr, MQ_ATTR.size)) if attr and oflag & O_CREAT else None
    directory, text = _directory(task, task.memory.read_path(name))
    child = await lookup_child(task, directory, text)
    place = Path(directory.mount, child)
    is_created = child.inode is None
    if is_created:
        if not oflag & O_CREAT:
            raise SyscallError(ENOENT)
        fs = mqueue_fs(task)
        fs.wish = _wish(task, wanted)
        try:
            place = await create_file(task, directory, text, mode)
        finally:
            fs.wish = None
    elif oflag & O_CREAT and oflag & O_EXCL:
        raise SyscallError(EEXIST)
    if oflag & O_ACCMODE == O_ACCMODE:
        raise SyscallError(EINVAL)
    file = await open_place(task, place, oflag & (O_ACCMODE | O_NONBLOCK), is_created=is_created)
    file.flags &= ~O_LARGEFILE  # Linux opens it without build_open_flags()
    return task.fds.install(file, cloexec=True)


@syscall(man="mq_unlink(3)")
async def sys_mq_unlink(task: Task, name: PathPtr) -> int:
    """Remove a queue's name. Errors: EACCES, ENAMETOOLONG, ENOENT, EPERM."""
    directory, text = _directory(task, task.memory.read_path(name))
    child = await lookup_child(task, directory, text)
    inode = child.inode
    if inode is None:
        raise SyscallError(ENOENT)
    check_delete(task.credentials, directory.inode.attr, inode.attr)
    await directory.inode.unlink(text, inode)
    task.kernel.mounts.cache.remove(child)
    watch.removed(task, directory.inode, text, inode)
    return 0


def _directory(task: Task, name: bytes) -> tuple[Path, bytes]:
    if not name:
        raise SyscallError(ENOENT)
    directory = queue_directory(task, name)
    if len(name) > NAME_MAX:
        raise SyscallError(ENAMETOOLONG)
    return directory, name


def _wish(task: Task, wanted: tuple[int, ...] | None) -> tuple[int, int, int, bool]:
    """Maximum of messages, their size, RLIMIT_MSGQUEUE, privilege. Errors: EINVAL."""
    settings = ipc_of(task).settings
    is_privileged = task.credentials.has(CAP_SYS_RESOURCE)
    limit = get_limit(task.group, RLIMIT_MSGQUEUE)[0]
    if wanted is None:
        return (
            min(settings.msg_max, settings.msg_default),
            min(settings.msgsize_max, settings.msgsize_default),
            limit,
            is_privileged,
        )
    _, maxmsg, msgsize, _ = wanted
    count_max = HARD_MSGMAX if is_privileged else settings.msg_max
    size_max = HARD_MSGSIZEMAX if is_privileged else settings.msgsize_max
    if not 0 < maxmsg <= count_max or not 0 < msgsize <= size_max:
        raise SyscallError(EINVAL)
    return maxmsg, msgsize, limit, is_privileged
