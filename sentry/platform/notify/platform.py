"""The default platform: seccomp user notification for calls, ptrace for births, deaths and exec (design.md section 4).

``run_once`` sends the previous immediate answer, waits and receives in one call of the C core: an answer is never
older than one turn of the main loop.
"""

import logging
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from sentry.arch.x86_64 import NR_READ, STUB_LOAD_FD
from sentry.platform._core import core as native
from sentry.platform.filter.compose import guest_filter, preload
from sentry.platform.filter.native import NativeCalls
from sentry.platform.interface import HostFd, JailConfig, Platform, PlatformError, Sink, SpawnRequest
from sentry.platform.notify import features, native_signal
from sentry.platform.notify.cgroup import GuestGroup
from sentry.platform.notify.context import NotifyContext, State
from sentry.platform.notify.execution import LOAD_FDS_MAX, Execution
from sentry.platform.notify.jail import Guest, Jail
from sentry.platform.notify.requirements import choose_memory_access, require
from sentry.platform.notify.resident import Resident
from sentry.platform.notify.stub import open_stub
from sentry.platform.notify.tracer import Tracer, open_pid_namespace

log = logging.getLogger(__name__)

_ENOSYS = 38
_CLOSE_PATIENCE_NS = 5_000_000_000


class NotifyPlatform(Platform):
    """See ``Platform``. ``on_escape(message)`` is called after everything was killed because the jail did not hold."""

    name = "notify"
    #: stopped threads are resumed on the sentry's processor; not where a call that shows the mask may run before it is restored
    has_placement = True

    def __init__(self, on_escape: Callable[[str], None] | None = None) -> None:
        self.layers: frozenset[str] = frozenset()
        self.has_sync_wake_up = False
        self.is_wait_killable = False
        self._on_escape = on_escape
        self._disabled = features.disabled()
        self._core, self._ffi = native.load()
        self._state: Any = self._ffi.NULL
        self._words: Any = self._ffi.NULL
        self._proc_fd = self._stub_fd = -1
        self._stub_entry = 0
        self._pidns_fds: list[int] = []
        self._listeners: list[int] = []
        self._epoll: select.epoll | None = None
        self._watched: dict[int, Callable[[int], None]] = {}
        self._answer_id = 0
        self._answer_listener = 0
        self._answer = 0
        self._is_closed = False
        self._uses_memory_files = False
        self._group = GuestGroup()
        self._receive = self._trap

    def prepare_privileged(self, config: JailConfig) -> None:
        """Do what only root can, before the sentry gives root up: the control group of ``config.memory_max``, and opening and
        importing what only root may be able to read (a clone below /root)."""
        import sentry.platform.filter.sentry  # noqa: F401 - confine_sentry needs it

        if "memory" not in self._disabled:
            self._group.prepare(config)
        self._stub_fd, self._stub_entry = open_stub()
        preload(config.profile)

    def start(self, config: JailConfig, sink: Sink) -> None:
        """See ``Platform``."""
        core, ffi = self._core, self._ffi
        self._config = config
        self._state = core.core_new()
        if self._state == ffi.NULL:
            raise PlatformError(f"the host refuses the event loop's descriptors: {os.strerror(ffi.errno)}")
        self._words = core.core_trap_words(self._state)
        in_c = features.answered_in_c()
        if in_c is not None:
            core.core_answer_in_c(self._state, in_c)
        self._epoll = select.epoll.fromfd(os.dup(core.core_epoll_fd(self._state)))
        self._proc_fd = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        require(core, ffi, self._proc_fd)
        is_forbidden = "process_vm" in self._disabled
        self._uses_memory_files = choose_memory_access(core, ffi, self._proc_fd, is_forbidden=is_forbidden)
        if self._stub_fd < 0:
            self._stub_fd, self._stub_entry = open_stub()
        entry = self._stub_entry
        self.tracer = self._new_tracer(sink)
        self.tracer.stub_number = config.nofile
        self.tracer.stub_entry = entry
        self.tracer.exec = Execution(self.tracer, self._stub_fd)
        self._hot = self.tracer.hot
        self._resident = Resident(self._proc_fd)
        self._jail = Jail(core, ffi, self._stub_fd, self._disabled)
        try:
            self._jail.start(config, self._group.layers)
        except PlatformError:
            self.close()
            raise
        self.layers = self._jail.layers
        core.placement_enable(int(self.has_placement and "placement" not in self._disabled))
        self.tracer.on_other_exit = self._other_exit
        # RLIMIT_NPROC, which counts births inside a user namespace, does not hold for uid 0: then they are trapped and counted,
        # as they are where their memory is counted here.
        filter_layers = self.layers | ({"memory"} if config.memory_max is None else frozenset())
        if os.geteuid() == 0 or "memory" not in filter_layers:
            filter_layers -= {"userns"}
        self._native_calls = NativeCalls(config.profile, filter_layers, sink, self.tracer, config.tasks_max)
        self._syscall = self._native_calls.entry
        first = config.nofile + 1
        self._program = guest_filter(config.profile, filter_layers, first, first + LOAD_FDS_MAX - 1)

    def _new_tracer(self, sink: Sink) -> Tracer:
        return Tracer(self._core, self._ffi, self._proc_fd, sink, self._escaped)

    def spawn(self, request: SpawnRequest) -> NotifyContext:
        """See ``Platform``."""
        self._drop_unused()
        beside = pidns_of(request)
        guest = self._jail.spawn(request, self._config, self._program, self._seize, pidns_fd=beside)
        wants_sync = "sync_wake_up" not in self._disabled
        result = self._core.core_add_listener(self._state, guest.listener, int(wants_sync))
        if result < 0:
            os.close(guest.listener)
            raise PlatformError("too many containers in one sandbox")
        self._listeners.append(guest.listener)
        self.has_sync_wake_up = bool(result)
        self.is_wait_killable = guest.is_wait_killable
        if not guest.is_wait_killable:
            self._receive = self._interruptible_trap
            self.tracer.is_wait_killable = False
        return self._adopt(guest, request, beside)

    def _drop_unused(self) -> None:
        """Close the listeners and pid namespaces of containers that are gone."""
        contexts = self.tracer.contexts.values()
        listeners, namespaces = {context.listener for context in contexts}, {context.pidns_fd for context in contexts}
        for fd in [fd for fd in self._listeners if fd not in listeners]:
            self._core.core_drop_listener(self._state, fd)
            self._listeners.remove(fd)
            os.close(fd)
        for fd in [fd for fd in self._pidns_fds if fd not in namespaces]:
            self._pidns_fds.remove(fd)
            os.close(fd)

    def _adopt(self, guest: Guest, request: SpawnRequest, pidns_fd: int = -1) -> NotifyContext:
        is_init = pidns_fd < 0
        if is_init and "pidns" in self.layers:
            pidns_fd = open_pid_namespace(self._proc_fd, guest.tid)
            self._pidns_fds.append(pidns_fd)
        context = self.tracer.adopt(guest.tid, guest.listener, pidns_fd, is_init=is_init)
        context.first_filter = request.seccomp
        return context

    def _seize(self, tid: int) -> None:
        try:
            self._group.add(tid)
        except OSError as error:
            raise PlatformError(f"the guest cannot enter its control group: {error}") from error
        result = self._core.trace_seize(tid)
        if result < 0:
            raise PlatformError(
                f"the host refuses to trace the guest ({os.strerror(-result)}): check kernel.yama.ptrace_scope (0 or 1) "
                "and the container's seccomp profile"
            )

    def run_once(self, timeout_ns: int | None) -> None:
        """See ``Platform``."""
        timeout = -1 if timeout_ns is None else timeout_ns
        answer_id = self._answer_id
        if answer_id:
            self._answer_id = 0
            what = self._core.core_reply_wait(self._state, self._answer_listener, answer_id, self._answer, timeout)
        else:
            what = self._core.core_wait(self._state, timeout)
        if what == 1:
            self._receive()
            return
        if what < 0:
            raise AssertionError(f"waiting failed: {os.strerror(-what)}")
        if what & native.TRAP:
            self._receive()
        if what & native.CHILD:
            self.tracer.drain()
        if what & native.READY:
            self._ready()

    def _trap(self) -> None:
        trap_id, tid, nr, a0, a1, a2, a3, a4, a5 = self._ffi.unpack(self._words, 9)
        context = self._hot.get(tid)
        if context is None:
            self._cold_trap(trap_id, tid, nr, (trap_id, tid, nr, a0, a1, a2, a3, a4, a5))
            return
        context.trap_id = trap_id
        result = self._syscall(context, nr, a0, a1, a2, a3, a4, a5)
        if result is not None:
            self._answer_id = trap_id
            self._answer_listener = context.listener
            self._answer = result

    def _cold_trap(self, trap_id: int, tid: int, nr: int, trap: tuple[int, ...]) -> None:
        """The stub's load call, or a thread that nobody knows."""
        context = self.tracer.contexts.get(tid)
        if context is not None and context.state is State.LOADING and nr == NR_READ and trap[3] == STUB_LOAD_FD:
            self.tracer.exec.load(context, trap)
            return
        if context is not None and context.injection is not None:
            self.tracer.injector.trapped(context, trap_id, nr)
            return
        listener = self._core.core_trap_listener(self._state)
        if not self._core.core_is_alive(listener, trap_id):
            return
        if context is not None:
            self._core.core_answer(listener, trap_id, -_ENOSYS)
            return
        self._escaped(f"call {nr} of a thread that nobody knows: {tid}")

    def _interruptible_trap(self) -> None:
        """``_trap`` where signals end a wait for the sentry (no WAIT_KILLABLE_RECV, before Linux 5.19).

        The same thread may come again while its call is still worked on, which is then abandoned; an answer that came too late
        is kept for the same call made again, whose effect must not happen twice.
        """
        trap_id, tid, *call = self._ffi.unpack(self._words, 9)
        context = self._hot.get(tid)
        if context is None:
            self._trap()
            return
        if context.is_pending:
            context.is_pending = False
            self.tracer.sink.abandoned(context)
        context.trap_id = trap_id
        context.call = tuple(call)
        lost = context.lost
        if lost and lost[:-1] == context.call:
            context.lost = ()
            answer = lost[-1]
            if answer is None:
                context.proceed()
            else:
                context.reply(answer)
            return
        context.is_pending = True
        result = self._syscall(context, *call)
        if result is not None:
            context.reply(result)

    def _other_exit(self, pid: int, status: int) -> None:
        if pid == self._jail.pid and not self._is_closed:
            self._escaped(f"the spawner ended with status {status:#x}")

    def _escaped(self, message: str) -> None:
        """The jail did not hold, or we misunderstand it: kill everything, then tell (fail closed)."""
        log.error("jail: %s", message)
        self.kill_all()
        if self._on_escape is not None:
            self._on_escape(message)

    def _ready(self) -> None:
        assert self._epoll is not None
        for fd, events in self._epoll.poll(0, 64):
            callback = self._watched.get(fd)
            if callback is not None:
                callback(events)

    def watch(self, fd: HostFd, events: int, ready: Callable[[int], None]) -> Callable[[], None]:
        """See ``Platform``."""
        epoll = self._epoll
        assert epoll is not None
        epoll.register(fd, events)
        self._watched[fd] = ready

        def stop() -> None:
            if self._watched.get(fd) is ready:
                del self._watched[fd]
                try:
                    epoll.unregister(fd)
                except (OSError, ValueError):
                    return  # closed already

        return stop

    def flush(self) -> None:
        """Send the answer that ``run_once`` would send next (for callers that compute for long first)."""
        if self._answer_id:
            self._core.core_answer(self._answer_listener, self._answer_id, self._answer)
            self._answer_id = 0

    def confine_sentry(self, *, has_overlay_on_disk: bool) -> None:
        """See ``Platform``."""
        from sentry.platform.filter import bpf, sentry

        program = sentry.program(has_overlay_on_disk=has_overlay_on_disk, has_memory_files=self._uses_memory_files)
        result = self._core.confine_self(self._ffi.from_buffer(bpf.pack(program)), len(program))
        if result < 0:
            raise PlatformError(f"the host refuses the sentry's own filter: {os.strerror(-result)}")

    def resident_bytes(self, limit: int) -> int:
        """See ``Platform``."""
        return self._resident.total({context.tgid for context in self.tracer.contexts.values()}, limit)

    def limit_tasks(self, tasks: int) -> bool:
        """See ``Platform``. Where births are native, each process's RLIMIT_NPROC counts them."""
        if not self._native_calls.counts_births:
            return False
        if "pids" in self._group.layers and not self._group.limit("pids", tasks):
            return False
        self._native_calls.tasks_max = tasks
        return True

    def limit_memory(self, size: int) -> bool:
        """See ``Platform``. Without a control group the limit that processes were born with stays, as a ceiling."""
        if "memory" in self._group.layers:
            return self._group.limit("memory", size)
        return size <= (self._config.memory_max or 0)

    def freeze(self) -> None:
        """See ``Platform``."""
        self.flush()
        self.tracer.interrupt_all()

    def kill_all(self) -> None:
        """See ``Platform``."""
        self.tracer.kill_all()

    def close(self) -> None:
        """See ``Platform``."""
        if self._is_closed or self._state == self._ffi.NULL:
            return
        self._is_closed = True
        self.tracer.kill_all()
        self._jail.close()
        self._reap()
        self.tracer.close()
        if self._epoll is not None:
            self._epoll.close()
        for fd in (*self._listeners, *self._pidns_fds, self._proc_fd, self._stub_fd):
            os.close(fd)
        self._core.core_free(self._state)
        self._group.close()

    def _reap(self) -> None:
        """Wait until every guest and the spawner are gone: they have been killed, so this is soon."""
        if self._jail.pid > 0:
            native_signal.kill(self._jail.pid, signal.SIGKILL)
        deadline = time.monotonic_ns() + _CLOSE_PATIENCE_NS
        while time.monotonic_ns() < deadline:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG | 0x40000000)
            except ChildProcessError:
                return
            if pid == 0:
                self._core.core_wait(self._state, 50_000_000)


def pidns_of(request: SpawnRequest) -> int:
    """The pid namespace of the thread that the new process shall stand beside; -1 if there is none."""
    return request.beside.pidns_fd if isinstance(request.beside, NotifyContext) else -1
