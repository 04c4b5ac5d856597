"""One guest thread of the notify platform: how its pending trap or stop is answered."""

from collections.abc import Callable, Sequence
from enum import Enum
from signal import SIGKILL
from typing import TYPE_CHECKING

from sentry.arch.x86_64 import NO_CALL, NR_CLONE
from sentry.platform.interface import Context, ExecPlan, HostFd, SignalInfo
from sentry.platform.notify import guest_calls
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.platform.guest_memory import HostGuestMemory
    from sentry.platform.notify.injection import Injection
    from sentry.platform.notify.tracer import Tracer

ENOENT, EPERM, ESRCH, EINPROGRESS = 2, 1, 3, 115
RLIMIT_NOFILE = 7
WAITS = (61, 247)  # wait4, waitid
#: counted from the stub's: the last but one of the reserved numbers
LENT_NUMBER = 6
_GONE = (~0 & 0xFFFFFFFFFFFFFFFF, 0, 0, 0)


class State(Enum):
    """What the thread is doing, as far as the platform must know."""

    RUNNING = "running or trapped"
    EXEC_STOP = "stopped at execve"
    EXECUTING = "sent through the stub"
    LOADING = "in the stub"
    MASK_STOP = "stopped at a call with a signal mask"
    PARKED = "asleep under a mask"
    KICKED = "on its way to the exit of a call that a signal ends"
    WAITING = "in sigtimedwait"
    PARK_ENDED = "stopped: its sleep under a mask is over"


class NotifyContext(Context):
    """See ``Context``. ``trap_id`` and ``listener`` address the pending notification; ``call`` is the call of a stop."""

    __slots__ = (
        "abandoned_with",
        "after_stop",
        "call",
        "data",
        "first_filter",
        "guest_tid",
        "host_tid",
        "injection",
        "is_group_stopped",
        "is_pending",
        "is_strict",
        "kicked_id",
        "listener",
        "load_fds",
        "lost",
        "maker",
        "memory",
        "parked_done",
        "pidns_fd",
        "plan",
        "state",
        "tgid",
        "tracer",
        "trap_id",
        "unpark_value",
    )

    def __init__(
        self, tracer: "Tracer", host_tid: int, tgid: int, listener: int, pidns_fd: int, memory: "HostGuestMemory"
    ) -> None:
        self.tracer = tracer
        self.host_tid = host_tid
        self.tgid = tgid
        self.listener = listener
        self.pidns_fd = pidns_fd
        self.memory: HostGuestMemory = memory
        self.guest_tid = tracer.guest_tid_of(host_tid, pidns_fd)
        self.data: object = None
        self.first_filter = b""  # to be stacked before its first program runs (SpawnRequest.seccomp)
        self.trap_id = 0
        self.kicked_id = -1
        #: Only without WAIT_KILLABLE_RECV: whether the sentry works on a call, and an answer that came too late for one.
        self.is_pending = False
        self.abandoned_with: int | None = None  # how a call goes on that a signal has ended: 0 until it says so
        self.lost: tuple[int | None, ...] = ()
        self.state = State.RUNNING
        self.is_strict = False  # in SECCOMP_MODE_STRICT of its own
        self.injection: Injection | None = None
        self.maker: Injection | None = None  # of a newborn that an injected clone has made, until it runs
        self.is_group_stopped = False
        self.call: tuple[int, ...] = ()
        self.plan: ExecPlan | None = None
        self.load_fds: list[int] = []
        self.after_stop: list[Callable[[], None]] = []
        self.parked_done: Callable[[int], None] | None = None
        self.unpark_value: int | None = None

    def __repr__(self) -> str:
        return f"<NotifyContext {self.host_tid} as {self.guest_tid}, {self.state.value}>"

    @property
    def is_loading(self) -> bool:
        """Whether the exec stub runs: what it calls is not the guest's."""
        return self.state is State.LOADING

    def reply(self, value: int) -> None:
        """See ``Context``. A thread that is gone (ENOENT) needs no answer."""
        if self.injection is not None:
            self.tracer.injector.finish(self, value)
            return
        self.is_pending = False
        result = self.tracer.core.core_answer(self.listener, self.trap_id, value)
        self._sent(result)
        if result < 0:
            self.lost = (*self.call, value)

    def proceed(self) -> None:
        """See ``Context``. What a wait was let through for has been taken off its books: made again, it is let through again."""
        self.is_pending = False
        result = self.tracer.core.core_continue(self.listener, self.trap_id)
        self._sent(result)
        if result < 0 and self.call and self.call[0] in WAITS:
            self.lost = (*self.call, None)

    def proceed_then(self, done: Callable[[], None]) -> None:
        """See ``Context``; a thread that dies of its own call counts as done."""
        self.after_stop.append(done)
        if self.tracer.is_wait_killable:
            self.tracer.core.trace_interrupt(self.host_tid)
            self.proceed()
        else:
            self.proceed()  # an interrupt before it would end the wait for it
            self.tracer.core.trace_interrupt(self.host_tid)

    def interrupt_then(self, done: Callable[[], None]) -> None:
        """See ``Context``."""
        self.after_stop.append(done)
        self.tracer.core.trace_interrupt(self.host_tid)

    def kick(self, restart: int) -> None:
        """See ``Context`` and kernel-facts.md 1: interrupt first, then the reply, then (at the stop) on."""
        core = self.tracer.core
        if self.abandoned_with is not None:
            self.abandoned_with = restart
            return
        if self.injection is not None:
            self.kicked_id = self.trap_id
            core.trace_interrupt(self.host_tid)
            self.tracer.injector.finish(self, -restart, is_restart=True)
            return
        if self.state in (State.EXEC_STOP, State.MASK_STOP):
            self.state = State.RUNNING
            core.trace_again(self.host_tid, self.call[0])
        else:
            self.kicked_id = self.trap_id
            self.is_pending = False
            core.trace_interrupt(self.host_tid)
            self._sent(core.core_answer(self.listener, self.trap_id, -restart))

    def _sent(self, result: int) -> None:
        if result < 0 and result != -ENOENT:
            raise AssertionError(f"answer to {self!r} failed: errno {-result}")

    def inject(self, nr: int, arguments: Sequence[int], done: Callable[[int], None]) -> None:
        """See ``Context``."""
        self.tracer.injector.inject(self, nr, arguments, done)

    def bear(self, arguments: Sequence[int], done: Callable[[int], None], *, clears_handlers: bool) -> None:
        """See ``Context``."""
        self.tracer.injector.inject(self, NR_CLONE, arguments, done)
        assert self.injection is not None
        self.injection.clears_handlers = clears_handlers

    def take_signal(self, signals: int, done: Callable[[bytes | None], None]) -> None:
        """See ``Context``."""
        guest_calls.take_signal(self, signals, done)

    def add_filter(self, program: bytes, flags: int, done: Callable[[int], None]) -> None:
        """See ``Context``."""
        guest_calls.add_filter(self, program, flags, done)

    def enter_strict_mode(self, done: Callable[[int], None]) -> None:
        """See ``Context``."""
        guest_calls.enter_strict_mode(self, done)

    def add_fd(self, source: HostFd, number: int) -> None:
        """See ``Context``. Errors: EMFILE for a number outside the guest's range."""
        if not 0 <= number < self.tracer.stub_number:
            raise SyscallError(24)
        self._give(source, number)

    def _give(self, source: HostFd, number: int) -> None:
        result = self.tracer.core.core_add_fd(self.listener, self.trap_id, self.host_tid, source, number, 1, 0)
        if result < 0 and result != -ENOENT:
            raise SyscallError(-result)

    def lend_fd(self, source: HostFd) -> int:
        """See ``Context``. The number is one of a load list's: nobody maps from those outside an exec."""
        number = self.tracer.stub_number + LENT_NUMBER
        self._give(source, number)
        return number

    def give_load_fds(self, sources: Sequence[int], first: int) -> None:
        """Install ``sources`` as ``first`` and the following, and answer the stub's load call; the last add is the answer."""
        for index, source in enumerate(sources):
            is_last = index == len(sources) - 1
            number = first + index
            result = self.tracer.core.core_add_fd(self.listener, self.trap_id, self.host_tid, source, number, 1, int(is_last))
            if result < 0:
                raise SyscallError(-result)
        if not sources:
            self.reply(0)

    def execute(self, plan: ExecPlan) -> None:
        """See ``Context``."""
        self.tracer.exec.execute(self, plan)

    def refuse_exec(self, errno: int) -> None:
        """See ``Context``."""
        if self.state is State.EXEC_STOP:
            self.state = State.RUNNING
            self.tracer.core.trace_result(self.host_tid, -errno, self.tracer.ffi.NULL, NO_CALL, 0, 1)

    def park_masked(self, sigmask: int, timeout_ns: int | None, done: Callable[[int], None]) -> None:
        """See ``Context``. After ``done(0)`` (the timeout) the thread stays stopped until ``unpark``."""
        self.tracer.masked.park(self, sigmask, timeout_ns, done)

    def unpark(self, value: int) -> None:
        """See ``Context``. Does nothing if the thread has gone back to the guest already."""
        self.tracer.masked.unpark(self, value)

    def signal_masks(self) -> tuple[int, int, int, int]:
        """See ``Context``."""
        return self.tracer.signal_masks(self.host_tid) or _GONE

    def blocked_signals(self) -> int:
        """See ``Context``."""
        return self.signal_masks()[0]

    def ignored_signals(self) -> int:
        """See ``Context``."""
        return self.signal_masks()[1]

    def caught_signals(self) -> int:
        """See ``Context``."""
        return self.signal_masks()[2]

    def pending_signals(self) -> int:
        """See ``Context``."""
        return self.signal_masks()[3]

    def send_signal(self, signal: int, *, to_thread: bool = False, info: SignalInfo | None = None) -> None:
        """See ``Context``. The number cannot be recycled: the tracer has not reaped the thread."""
        if self.tracer.is_known(self):
            self.tracer.send_signal(self.tgid, self.host_tid if to_thread and signal != SIGKILL else 0, signal, info)

    def set_limit(self, resource: int, soft: int, hard: int) -> None:
        """See ``Context``. NOFILE stays at the jail's value: the sentry counts descriptors."""
        if resource != RLIMIT_NOFILE and self.tracer.is_known(self):
            self.tracer.set_limit(self.host_tid, resource, soft, hard)
