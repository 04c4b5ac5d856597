"""execve(2): find and check the program in the guest's own VFS, and commit to it once the host has gone through.

Scripts, interpreters, permission bits and set-id policy are decided here; the host kernel tears the old program down
(kernel-facts.md 13 to 15). Everything a hostile guest can change during an await is read once, before, as a copy.
"""

from dataclasses import dataclass
from struct import pack
from typing import TYPE_CHECKING

from sentry.host.regular_file import close, duplicate
from sentry.kernel.posix_timers import delete_all
from sentry.kernel.sem_undo import leave_undo_list
from sentry.kernel.set_id import executed, ids_of
from sentry.kernel.task_exit import exit_task, leave_memory
from sentry.loader import elf, plan, script
from sentry.mm.usermem import BytesSink
from sentry.platform.interface import HostFd
from sentry.vfs.context import OpenContext, Path
from sentry.vfs.namespace import resolve
from sentry.vfs.permission import MAY_EXEC, check_permission
from syscalls.abi.errno import E2BIG, EACCES, EINVAL, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ETXTBSY
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SIGCHLD

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.platform.interface import ExecPlan
    from sentry.vfs.file import FileDescription

AT_FDCWD = -100
AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW = 0x1000, 0x100
S_IFMT, S_IFREG, S_IFLNK = 0o170000, 0o100000, 0o120000
MS_NOEXEC = 8
ARGUMENTS_MAX = 2 << 20
STRING_MAX = 32 * 4096


class Held:
    """What an exec keeps open until the host has executed: the opened files, and our own copies of their host descriptors."""

    __slots__ = ("backings", "files")

    def __init__(self) -> None:
        self.files: list[FileDescription] = []
        self.backings: list[int] = []

    def release(self) -> None:
        """Done with, or refused after all."""
        for opened in self.files:
            opened.release()
        for fd in self.backings:
            close(fd)  # type: ignore[arg-type]


@dataclass(slots=True)
class PendingExec:
    """What ``commit`` needs once the host has executed."""

    plan: "ExecPlan"
    path: Path
    name: bytes
    held: Held
    ids: tuple[int, int]  # effective user and group


async def prepare(task: "Task", dirfd: int, pathname: bytes, argv_addr: int, flags: int) -> PendingExec:
    """Return the checked plan. Errors: as execve(2)."""
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise SyscallError(EINVAL if pathname or flags & AT_EMPTY_PATH else ENOENT)
    path = await resolve(
        task,
        dirfd,
        pathname,
        follow=not flags & AT_SYMLINK_NOFOLLOW,
        empty_ok=bool(flags & AT_EMPTY_PATH),
    )
    if path.inode.attr.mode & S_IFMT == S_IFLNK:
        raise SyscallError(ELOOP)
    name = pathname.rsplit(b"/", 1)[-1][:15] or b"%d" % dirfd
    execfn = _execfn(dirfd, pathname)
    is_hidden = dirfd != AT_FDCWD and not pathname.startswith(b"/") and task.fds.is_cloexec(dirfd)
    held = Held()
    try:
        file, head = await _open_executable(task, path, held)
        argv: list[bytes] | None = None
        depth = 0
        program_path = path
        script_name = execfn
        while script.is_script(head):
            if depth == script.DEPTH_MAX:
                raise SyscallError(ELOOP)
            if is_hidden:
                raise SyscallError(ENOENT)  # the interpreter would not find it: execveat(2), BUGS
            depth += 1
            interpreter_name, argument = script.parse(head)
            if argv is None:
                argv = _read_strings(task, argv_addr)
            argv = [interpreter_name, *([argument] if argument is not None else []), script_name, *argv[1:]]
            script_name = interpreter_name
            program_path = await resolve(task, AT_FDCWD, interpreter_name)
            file, head = await _open_executable(task, program_path, held)
        return await _plan_elf(task, file, head, program_path, name, execfn, argv, held)
    except BaseException:
        held.release()
        raise


def commit(task: "Task", pending: PendingExec) -> None:
    """The old program is gone: close-on-exec, the new name, the new executable. Precondition: threads are gone."""
    group = task.group
    if task.fds.references > 1:
        task.fds.references -= 1
        task.fds = task.fds.copy()
    task.fds.close_on_exec()
    task.name = pending.name
    task.credentials = creds = executed(task.credentials, pending.ids)
    is_raised = creds.uid != creds.euid or creds.gid != creds.egid
    if is_raised:
        task.pdeath_signal = 0
    group.executable = pending.path
    group.has_execed = True
    if group.enters is not None:
        task.fs, group.enters = group.enters, None
    group.auxv = b"".join(pack("<QQ", kind, value) for kind, value in pending.plan.auxv.items())
    group.exit_signal = SIGCHLD
    delete_all(group)
    leave_memory(group)
    group.is_dumpable = not is_raised
    pending.held.release()


def dethread(task: "Task") -> None:
    """execve by one thread ends all others; the survivor becomes the leader under the process's own number."""
    group = task.group
    table = task.kernel.tasks
    for other in list(group.tasks.values()):
        if other is not task:
            _drop_thread(other)
    if task.tid != group.tgid:
        table.tasks.pop(task.tid, None)
        group.tasks.pop(task.tid, None)
        task.tid = group.tgid
    table.tasks[task.tid] = task
    group.tasks[task.tid] = task
    group.leader = task


def _drop_thread(other: "Task") -> None:
    if other.tid == other.group.tgid:
        # The old leader is not the end of the process here: only its own resources go.
        other.is_exiting = True
        leave_undo_list(other)
        other.fiber.cancel()
        other.kernel.tasks.tasks.pop(other.tid, None)
        other.group.tasks.pop(other.tid, None)
        other.fds.references -= 1
    else:
        exit_task(other, 0)


async def _open_executable(task: "Task", path: Path, held: Held) -> "tuple[FileDescription, bytes]":
    inode = path.inode
    attr = await inode.getattr()
    if attr.mode & S_IFMT != S_IFREG:
        raise SyscallError(EACCES)
    check_permission(task.credentials, attr, MAY_EXEC)
    if not attr.mode & 0o111 or path.mount.flags & MS_NOEXEC:
        raise SyscallError(EACCES)
    if inode.writers:
        raise SyscallError(ETXTBSY)
    file = await inode.open(OpenContext(path, 0, task))
    file.acquire()
    held.files.append(file)
    return file, await _read(file, 0, script.LINE_MAX)


async def _read(file: "FileDescription", offset: int, length: int) -> bytes:
    sink = BytesSink(length)
    while sink.remaining:
        position = offset + len(sink.data)
        count = await file.read_remote(sink, position) if file.is_remote else file.try_read(sink, position)
        if not count:
            break
    return bytes(sink.data)


async def _plan_elf(
    task: "Task",
    file: "FileDescription",
    head: bytes,
    path: Path,
    name: bytes,
    execfn: bytes,
    argv: list[bytes] | None,
    held: Held,
) -> PendingExec:
    image = elf.parse(head, await _read(file, *elf.phdr_range(head)))
    interpreter = None
    if image.interpreter_at is not None:
        raw = await _read(file, *image.interpreter_at)
        if raw[-1:] != b"\0":
            raise SyscallError(ENOEXEC)
        interpreter_path = await resolve(task, AT_FDCWD, raw.split(b"\0", 1)[0])
        loader_file, loader_head = await _open_executable(task, interpreter_path, held)
        try:
            loader_image = elf.parse(loader_head, await _read(loader_file, *elf.phdr_range(loader_head)))
        except SyscallError as error:
            raise SyscallError(ELIBBAD) from error
        interpreter = plan.Program(loader_image, await _backing(task, loader_file, interpreter_path, held))
    program = plan.Program(image, await _backing(task, file, path, held))
    creds = task.credentials
    euid, egid = ids_of(task, path, await path.inode.getattr())
    random = task.kernel.random
    new_plan = plan.build(
        program,
        interpreter,
        execfn=execfn,
        ids=(creds.uid, euid, creds.gid, egid),
        is_secure=creds.uid != euid or creds.gid != egid,
        random_below=lambda bound: int.from_bytes(random(8), "little") % bound,
        argv=argv,
    )
    return PendingExec(new_plan, path, name, held, (euid, egid))


async def _backing(task: "Task", file: "FileDescription", path: Path, held: Held) -> "HostFd":
    """A host descriptor of a program's segments; /proc/PID/maps will name ``path`` for it.

    It is our own copy: the file's may be closed for room, and its number used again, before the host has executed.
    """
    host_fd = duplicate(await file.mapping_fd(writable=False, shared=False))
    held.backings.append(host_fd)
    task.kernel.mounts.mapped.note(host_fd, file, task.fs.root, path)
    return HostFd(host_fd)


def _execfn(dirfd: int, pathname: bytes) -> bytes:
    """What AT_EXECFN shows and what a script is told its own name is (Linux: fs/exec.c, alloc_bprm())."""
    if dirfd == AT_FDCWD or pathname.startswith(b"/"):
        return pathname
    return b"/dev/fd/%d" % dirfd + (b"/" + pathname if pathname else b"")


def _read_strings(task: "Task", addr: int) -> list[bytes]:
    """A NULL-terminated array of strings. Errors: EFAULT, E2BIG."""
    strings: list[bytes] = []
    if not addr:
        return strings
    total = 0
    while True:
        pointer = task.memory.read_u64(addr + 8 * len(strings))
        if not pointer:
            return strings
        text = task.memory.guest.read_string(pointer, STRING_MAX)
        if text is None:
            raise SyscallError(E2BIG)
        total += len(text) + 9
        if total > ARGUMENTS_MAX:
            raise SyscallError(E2BIG)
        strings.append(text)
