"""One container: its own pid namespace, first process, standard streams and exit status. A sandbox holds several."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import strerror
from typing import TYPE_CHECKING

from sentry.boot.program import check_program, enter_cwd, find_program, first_place
from sentry.kernel.creds import Credentials
from sentry.kernel.fd_table import FdTable
from sentry.kernel.fs_context import FsContext
from sentry.kernel.task import Task
from sentry.kernel.task_clone import enter
from sentry.kernel.thread_group import ThreadGroup
from sentry.mm.usermem import UserMemory
from sentry.platform.interface import PlatformError, SpawnRequest
from sentry.sched.fiber import Fiber
from syscalls.abi import errno as errnos
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT_NOFILE
from syscalls.abi.seccomp import SECCOMP_MODE_FILTER

if TYPE_CHECKING:
    from sentry.boot.mounts import MountTree
    from sentry.kernel.dispatch import Dispatcher
    from sentry.kernel.kernel import Kernel
    from sentry.vfs.file import FileDescription

log = logging.getLogger(__name__)

#: docker's default set (capabilities(7) numbers 0 1 3 4 5 6 7 8 10 13 18 27 29 31)
CAPABILITIES_DEFAULT = 0xA80425FB
_REAPER = b"/init.guest"


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
    inheritable: int = 0
    ambient: int = 0
    terminal: object | None = None
    is_held: bool = False
    #: the container in whose pid namespace it runs, as one more program; None for one of its own
    inside: "Container | None" = None
    umask: int = 0o022
    no_new_privs: bool = False
    oom_score_adj: int | None = None
    #: where it starts: the first of these that is there, and PWD says which; instead of ``cwd``, which is made if it is missing
    places: Sequence[bytes] = ()
    #: struct sock_filter[] that the first program and its children live under; empty for none
    seccomp: bytes = b""
    #: a small init is pid 1, and the program its child
    is_reaped: bool = False


class Container:
    """Starts the first process and learns of its end.

    ``on_exit(wait_status, errno)`` is called once every task is gone; ``errno`` is not 0 when the program could not be executed.
    ``on_failed(message)`` instead when no process could be made at all. With ``spec.is_held`` the program is looked for, then
    ``on_prepared()`` is called and nothing happens until ``release`` (runtime.md of the OCI: create and start).
    """

    def __init__(
        self,
        kernel: "Kernel",
        dispatcher: "Dispatcher",
        tree: "MountTree",
        spec: ContainerSpec,
        on_exit: Callable[[int, int], None],
        on_failed: Callable[[str], None],
        on_prepared: Callable[[], None],
    ) -> None:
        self.kernel = kernel
        self.spec = spec
        self._on_exit = on_exit
        self._on_failed = on_failed
        self._on_prepared = on_prepared
        self._held: tuple[bytes, Credentials, FsContext] | None = None
        self._dispatcher = dispatcher
        self._tree = tree
        self._first: Task | None = None
        self._early_signals: list[int] = []
        self._leave: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Find the program and create the first process; either may have to wait for a gofer."""
        service = Fiber(self.kernel.runner, lambda result: None, self._failed)
        service.start(self._start())

    def signal(self, signo: int, *, everyone: bool) -> None:
        """A signal from the caller, for the first process or for all."""
        first = self._first
        if first is None:
            self._early_signals.append(signo)
            return
        for group in self._everyone(first.group) if everyone else [first.group]:
            self.kernel.signals.send_group(group, signo)

    def _everyone(self, first: ThreadGroup) -> list[ThreadGroup]:
        """All processes of the container; of a further program those of its session."""
        groups = list(self.kernel.tasks.groups.values())
        if self.spec.inside is None:
            return groups
        session = first.process_group.session
        return [group for group in groups if group.process_group.session is session]

    @property
    def first(self) -> Task | None:
        """The first process's leader, once it has been made."""
        return self._first

    def finished(self) -> None:
        """Every task is gone, or the first process of a further program is."""
        first = self._first
        if first is None:
            self._release_files()
            self._on_failed("container not running")
            return
        self._leave()
        self._on_exit(first.group.exit_status or 0, 0 if first.group.has_execed else first.exec_errno)

    async def _start(self) -> None:
        spec = self.spec
        credentials = self._credentials()
        probe = self._tree.new_task(self.kernel, credentials)
        probe.fs.umask = spec.umask
        try:
            if spec.places:
                probe.fs.cwd, spec.environment = await first_place(probe, spec.places, spec.environment)
            else:
                probe.fs.cwd = await enter_cwd(self._tree.service_task, probe, spec.cwd)
        except SyscallError as error:
            self._release_files()
            self._on_failed(_no_place(spec, error.errno))
            return
        try:
            program = await find_program(probe, spec.argv[0], spec.environment)
            if spec.is_held or spec.is_reaped:
                await check_program(probe, program)
        except SyscallError as error:
            self._release_files()
            self._on_exit(0, error.errno)
            return
        if spec.is_held:
            self._held = program, credentials, probe.fs
            self._on_prepared()
            return
        self._spawn(program, list(spec.argv), credentials, probe.fs)

    def release(self) -> None:
        """Start the program that was held; nothing happens if it was not, or is no more."""
        held, self._held = self._held, None
        if held is None:
            return
        program, credentials, fs = held
        try:
            self._spawn(program, list(self.spec.argv), credentials, fs)
        except PlatformError as error:
            self._release_files()
            self._failed(error)

    def _release_files(self) -> None:
        """No process will ever have them."""
        for file in set(self.spec.files.values()):  # a terminal is all three
            file.acquire().release()

    def _spawn(self, program: bytes, argv: list[bytes], credentials: Credentials, fs: FsContext) -> None:
        """Create the first process, stopped before its first exec. Raises PlatformError."""
        spec = self.spec
        kernel = self.kernel
        host = None if spec.inside is None else spec.inside.first
        if spec.inside is not None and (host is None or not host.group.is_alive):
            raise PlatformError("container not running")
        beside = None if host is None else host.context
        if spec.is_reaped:
            program, argv = _REAPER, [_REAPER, *argv]
        request = SpawnRequest(program, argv, list(spec.environment), dict(spec.limits), beside, spec.seccomp)
        context = kernel.platform.spawn(request)
        group = ThreadGroup(context.guest_tid, None, None, dict(spec.limits))  # type: ignore[arg-type]  # joins at once
        session = kernel.tasks.new_session(group)
        kernel.tasks.groups[group.tgid] = group
        group.host_pid = context.host_tid
        group.start_time_ns = kernel.runner.monotonic_ns()
        if spec.oom_score_adj is not None:  # set by one who may set anything
            group.oom_score_adj = group.oom_score_adj_min = spec.oom_score_adj
        fds = FdTable(spec.limits[RLIMIT_NOFILE][0])
        for fd, file in sorted(spec.files.items()):
            fds.replace(fd, file)
        name = argv[0].rsplit(b"/", 1)[-1][:15]
        if spec.is_reaped:  # found in a file system that the guest does not see
            group.enters, fs = fs, FsContext(self._tree.reaper(), fs.cwd, fs.umask)
        task = Task(kernel, context, group, UserMemory(context.memory), fds, fs, self._tree.namespace, credentials, name)
        group.leader = task
        if spec.seccomp:
            task.seccomp_mode, task.seccomp_filters = SECCOMP_MODE_FILTER, 1
        self._first = task
        if spec.inside is None:
            kernel.tasks.init = group
        else:
            self._leave = group.exit_queue.enqueue(lambda mask: self.finished())
        enter(task)
        self._dispatcher.adopt(task)
        if spec.terminal is not None:
            spec.terminal.become_controlling(session)  # type: ignore[attr-defined]
        for signo in self._early_signals:
            kernel.signals.send_group(group, signo)

    def _credentials(self) -> Credentials:
        """Those after the first exec: root gains what is in its bounding set, others keep the ambient set (capabilities(7))."""
        spec = self.spec
        inheritable = spec.inheritable & spec.capabilities
        ambient = spec.ambient & inheritable
        effective = spec.capabilities if spec.uid == 0 else ambient
        uid, gid = spec.uid, spec.gid
        return Credentials(
            uid, uid, uid, uid, gid, gid, gid, gid,
            groups=spec.groups,
            permitted=effective,
            effective=effective,
            inheritable=inheritable,
            bounding=spec.capabilities,
            ambient=ambient,
            no_new_privs=spec.no_new_privs,
        )  # fmt: skip

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, PlatformError):
            self._on_failed(str(error))
        else:
            log.error("container start", exc_info=error)
            self._on_failed("a process could not be started; the log has the details")


def _no_place(spec: ContainerSpec, errno: int) -> str:
    where = (spec.places[0] if spec.places else spec.cwd).decode("utf-8", "backslashreplace")
    return f"Can't chdir to {where}: {strerror(errno)}" if spec.places else f"-w {where}: {errnos.name(errno)}"
