"""One container: its own pid namespace, first process, standard streams and exit status. A sandbox holds several."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentry.kernel.creds import Credentials
from sentry.kernel.fd_table import FdTable
from sentry.kernel.fs_context import FsContext
from sentry.kernel.session import ProcessGroup, Session
from sentry.kernel.task import Task
from sentry.kernel.task_clone import enter
from sentry.kernel.thread_group import ThreadGroup
from sentry.mm.usermem import UserMemory
from sentry.platform.interface import SpawnRequest
from sentry.sched.fiber import Fiber
from sentry.sched.wait import Latch
from sentry.vfs import namespace
from sentry.vfs.permission import MAY_EXEC, check_permission
from syscalls.abi.errno import EACCES, ENOENT, ENOTDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT_NOFILE

if TYPE_CHECKING:
    from sentry.boot.mounts import MountTree
    from sentry.kernel.dispatch import Dispatcher
    from sentry.kernel.kernel import Kernel
    from sentry.vfs.file import FileDescription

log = logging.getLogger(__name__)

AT_FDCWD = -100
S_IFMT, S_IFDIR, S_IFREG = 0o170000, 0o040000, 0o100000
#: docker's default set (capabilities(7) numbers 0 1 3 4 5 6 7 8 10 13 18 27 29 31)
CAPABILITIES_DEFAULT = 0xA80425FB


@dataclass(slots=True)
class ContainerSpec:
    """What to run. ``files`` are the first descriptors (0, 1, 2); ``limits`` the rlimits by number."""

    argv: Sequence[bytes]
    environment: Sequence[bytes]
    cwd: bytes
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    files: "dict[int, FileDescription]" = field(default_factory=dict)
    limits: dict[int, tuple[int, int]] = field(default_factory=dict)
    capabilities: int = CAPABILITIES_DEFAULT
    terminal: object | None = None


class Container:
    """Starts the first process and learns of its end.

    ``on_exit(wait_status, errno)`` is called once every task is gone; ``errno`` is not 0 when the program could not be executed.
    """

    def __init__(
        self,
        kernel: "Kernel",
        dispatcher: "Dispatcher",
        tree: "MountTree",
        spec: ContainerSpec,
        on_exit: Callable[[int, int], None],
    ) -> None:
        self.kernel = kernel
        self.spec = spec
        self.on_exit = on_exit
        self._dispatcher = dispatcher
        self._tree = tree
        self._startup = Latch()
        self.init: ThreadGroup
        self._first: Task

    def start(self) -> None:
        """Create the first process, stopped before its first exec, and prepare that exec. Raises PlatformError."""
        spec = self.spec
        kernel = self.kernel
        argv = list(spec.argv)
        root = self._tree.root
        context = kernel.platform.spawn(SpawnRequest(argv[0], argv, list(spec.environment), dict(spec.limits)))
        session = Session(context.guest_tid)
        group = ThreadGroup(context.guest_tid, None, ProcessGroup(context.guest_tid, session), dict(spec.limits))
        session.leader = group
        session.process_groups[group.tgid].add(group)
        tasks = kernel.tasks
        tasks.sessions[session.sid] = session
        tasks.process_groups[group.tgid] = group.process_group
        tasks.groups[group.tgid] = group
        group.host_pid = context.host_tid
        group.start_time_ns = kernel.runner.monotonic_ns()
        group.startup = self._startup
        fds = FdTable(spec.limits.get(RLIMIT_NOFILE, (1024, 4096))[0])
        for fd, file in sorted(spec.files.items()):
            fds.replace(fd, file)
        task = Task(
            kernel,
            context,
            group,
            UserMemory(context.memory),
            fds,
            FsContext(root, root),
            self._tree.namespace,
            self._credentials(),
            argv[0].rsplit(b"/", 1)[-1][:15],
        )
        group.leader = task
        self.init = group
        self._first = task
        enter(task)
        self._dispatcher.adopt(task)
        if spec.terminal is not None:
            spec.terminal.become_controlling(session)  # type: ignore[attr-defined]
        service = Fiber(kernel.runner, lambda result: None, self._startup_failed)
        service.start(self._prepare(service))

    def signal(self, signo: int, *, everyone: bool) -> None:
        """A signal from the caller, for the first process or for all."""
        groups = list(self.kernel.tasks.groups.values()) if everyone else [self.init]
        for group in groups:
            self.kernel.signals.send_group(group, signo)

    def finished(self) -> None:
        """Every task is gone."""
        self.on_exit(self.init.exit_status or 0, self._first.exec_errno if not self.init.has_execed else 0)

    def _credentials(self) -> Credentials:
        spec = self.spec
        effective = spec.capabilities if spec.uid == 0 else 0
        uid, gid = spec.uid, spec.gid
        return Credentials(
            uid, uid, uid, uid, gid, gid, gid, gid,
            groups=spec.groups,
            permitted=effective,
            effective=effective,
            bounding=spec.capabilities,
        )  # fmt: skip

    async def _prepare(self, fiber: Fiber) -> None:
        task = self._first
        try:
            await self._enter_cwd(task)
            program = await self._find_program(task)
        except SyscallError as error:
            self._startup.fire(error=error)
        else:
            self._startup.fire(program)

    async def _enter_cwd(self, task: Task) -> None:
        """The working directory is made if it is missing, as docker does."""
        cwd = self.spec.cwd
        try:
            path = await namespace.resolve(task, AT_FDCWD, cwd, want_directory=True)
        except SyscallError as error:
            if error.errno != ENOENT:
                raise
            await self._make_folders(task, cwd)
            path = await namespace.resolve(task, AT_FDCWD, cwd, want_directory=True)
        task.fs.cwd = path

    async def _make_folders(self, task: Task, path: bytes) -> None:
        """Make what is missing of ``path``, as root would: the caller asks for it, not the program."""
        own = task.credentials
        task.credentials = Credentials(
            0, 0, 0, 0, 0, 0, 0, 0, permitted=CAPABILITIES_DEFAULT, effective=CAPABILITIES_DEFAULT, bounding=CAPABILITIES_DEFAULT
        )
        at = b""
        try:
            for part in path.strip(b"/").split(b"/"):
                at += b"/" + part
                with suppress(SyscallError):  # it may be there; the walk below tells
                    await namespace.mkdir_at(self._tree.service_task, AT_FDCWD, at, 0o755)
        finally:
            task.credentials = own

    async def _find_program(self, task: Task) -> bytes:
        """Look a bare name up in PATH, as execvp(3) does. Errors: ENOENT, EACCES."""
        name = self.spec.argv[0]
        if b"/" in name:
            return name
        search = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        for variable in self.spec.environment:
            if variable.startswith(b"PATH="):
                search = variable[5:]
        errno = ENOENT
        for folder in search.split(b":"):
            candidate = (folder or b".") + b"/" + name
            try:
                path = await namespace.resolve(task, AT_FDCWD, candidate)
                attr = await path.inode.getattr()
                if attr.mode & S_IFMT != S_IFREG:
                    continue
                check_permission(task.credentials, attr, MAY_EXEC)
            except SyscallError as error:
                if error.errno not in (ENOENT, ENOTDIR):
                    errno = EACCES
                continue
            return candidate
        raise SyscallError(errno)

    def _startup_failed(self, error: BaseException) -> None:
        log.error("container start", exc_info=error)
        self._startup.fire(error=SyscallError(ENOENT))
