"""What a platform must offer: guest threads whose system calls arrive in the sentry, and the means to answer them.

One small interface, several implementations (``notify``, ``ptrace``, later ``systrap``; ``fake`` for tests), one contract
suite. The host kernel runs the guest; the platform only delivers events to a ``Sink`` and carries out replies. No policy here.

Life of a trap: the platform calls ``Sink.syscall``; an ``int`` result is the reply (a negative errno or a value); ``None``
means "later", and exactly one of ``Context.reply``, ``proceed`` or ``kick`` follows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NewType, Protocol

HostFd = NewType("HostFd", int)
GuestAddr = int


class GuestMemory(Protocol):
    """The memory of one guest thread. Every method raises ``Fault`` where the guest's own access would fault."""

    def read(self, addr: GuestAddr, length: int) -> bytes:
        """Return exactly ``length`` bytes."""

    def read_string(self, addr: GuestAddr, limit: int) -> bytes | None:
        """Return the bytes before the NUL; None if there is no NUL within ``limit`` bytes (ENAMETOOLONG, E2BIG)."""

    def write(self, addr: GuestAddr, data: bytes | bytearray | memoryview) -> None:
        """Write all of ``data``; a fault half-way leaves the first part written, as on Linux."""

    def write_partial(self, addr: GuestAddr, data: bytes | bytearray | memoryview) -> int:
        """Write as much as the guest's memory takes and return how much (0 means the first byte faults)."""

    def read_partial(self, addr: GuestAddr, length: int) -> bytes:
        """Read up to the first unreadable page."""

    def fill_from_host(self, addr: GuestAddr, length: int, fd: HostFd, offset: int) -> int:
        """pread ``length`` bytes of a host regular file or memfd straight into the guest; returns the bytes moved.

        Raises Fault if the first byte cannot be written, SyscallError for a host I/O error.
        """

    def drain_to_host(self, addr: GuestAddr, length: int, fd: HostFd, offset: int) -> int:
        """pwrite guest memory into a host regular file or memfd; returns the bytes moved."""


@dataclass(frozen=True)
class Segment:
    """One mapping that the stub makes: page-aligned, private, at a fixed address.

    ``fd`` is None for anonymous memory. ``zero_from`` is the address from which the last file page is zeroed (bss), or 0.
    """

    addr: int
    length: int
    prot: int
    fd: HostFd | None = None
    offset: int = 0
    zero_from: int = 0


@dataclass(frozen=True)
class ExecPlan:
    """All that the platform needs to turn a stopped ``execve`` into the new program.

    ``argv`` and ``envp`` are None to let the host kernel take the guest's own arrays, else the full new arrays
    (scripts). ``auxv`` overrides entries of the kernel-made vector by AT_ type; ``execfn`` replaces the AT_EXECFN string.
    """

    segments: Sequence[Segment]
    entry: int
    auxv: dict[int, int]
    brk_start: int
    execfn: bytes
    argv: Sequence[bytes] | None = None
    envp: Sequence[bytes] | None = None
    has_executable_stack: bool = False
    code: tuple[int, int] = (0, 0)
    data: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class SignalInfo:
    """What a receiver sees of a signal that the sentry sends (sigaction(2)): si_code, si_pid, si_uid, si_value.

    With SI_TIMER, ``pid`` is si_timerid and ``uid`` si_overrun; with ``is_poll`` (SIGIO), ``pid`` is si_fd and ``value`` si_band.
    """

    code: int
    pid: int = 0
    uid: int = 0
    value: int = 0
    is_poll: bool = False


class Context(Protocol):
    """One guest thread.

    ``host_tid`` is its number as the sentry sees it, ``guest_tid`` in the container's own pid namespace (the same
    number where there is no pid namespace). ``data`` belongs to the kernel (its Task).
    """

    host_tid: int
    guest_tid: int
    memory: GuestMemory
    data: object

    def reply(self, value: int) -> None:
        """End the pending trap with ``value`` (``-errno`` for errors)."""

    def proceed(self) -> None:
        """Let the host kernel run the trapped call unchanged. Only for calls whose arguments are registers."""

    def proceed_then(self, done: Callable[[], None]) -> None:
        """``proceed`` for a call that never sleeps (kill), and call ``done`` once it has run: the thread is stopped by
        PTRACE_INTERRUPT before the reply, so that it stops again right after the call."""

    def interrupt_then(self, done: Callable[[], None]) -> None:
        """Stop the thread for a moment and call ``done``; at its death too. A thread whose trap is pending stops later."""

    def kick(self, restart: int) -> None:
        """A signal is pending for this thread: end its trapped call with ``-restart`` so that the host kernel
        runs the handler and restarts the call or returns EINTR (kernel-facts.md 1)."""

    def inject(self, nr: int, arguments: Sequence[int], done: Callable[[int], None]) -> None:
        """Make the thread, whose trap is pending, run a host call that does not sleep, then call ``done(result)``; then the
        trap is answered (``reply``, ``kick``) or the next call injected. ``done`` is not called if the thread dies.

        Pointers among the arguments lie in memory that the guest's other threads may change: only for calls that could do
        no more with any contents than the guest can do by itself.
        """

    def bear(self, arguments: Sequence[int], done: Callable[[int], None], *, clears_handlers: bool) -> None:
        """Make the thread, whose trap is pending, run clone(2) with ``arguments`` (flags, stack, parent_tid, child_tid, tls),
        whose pointers the host only writes to; then as ``inject``. ``Sink.birth`` comes before ``done``. The child begins with
        its maker's registers and mask, and with CLONE_VFORK ``done`` waits for it as vfork(2) does. ``clears_handlers``:
        CLONE_CLEAR_SIGHAND."""

    def take_signal(self, signals: int, done: Callable[[bytes | None], None]) -> None:
        """Take the next pending signal of the set ``signals`` (bit n-1 for signal n) from the host's queues of the thread, whose
        trap is pending, and of its process: ``done`` gets its siginfo_t (128 bytes), empty for none, None where the thread or its
        memory is gone. Then as ``inject``."""

    def add_filter(self, program: bytes, flags: int, done: Callable[[int], None]) -> None:
        """Stack the guest's own seccomp ``program`` (struct sock_filter[]) on the thread, whose trap is pending, with
        seccomp(2)'s ``flags``; ``done`` gets the host's result (-EINVAL: its checker refuses the program). Then as ``inject``."""

    def enter_strict_mode(self, done: Callable[[int], None]) -> None:
        """Stack a filter that does what SECCOMP_MODE_STRICT does. Then as ``inject``."""

    def add_fd(self, source: HostFd, number: int) -> None:
        """Install a close-on-exec copy of ``source`` as host descriptor ``number`` of the trapped thread's table.

        Raises SyscallError. Precondition: a trap is pending; no other add for this number in this table is.
        """

    def lend_fd(self, source: HostFd) -> int:
        """``add_fd`` at a number that no guest descriptor has, for one mapping that is injected next; returns the number."""

    def execute(self, plan: ExecPlan) -> None:
        """Answer ``Sink.exec_request``: go through the stub into ``plan``. ``Sink.exec_done`` follows on success;
        on failure (E2BIG) the thread simply goes on and its next event is an ordinary one."""

    def refuse_exec(self, errno: int) -> None:
        """Answer ``Sink.exec_request`` with ``-errno``."""

    def park_masked(self, sigmask: int, timeout_ns: int | None, done: Callable[[int], None]) -> None:
        """Answer ``Sink.masked_request``: sleep in the host kernel under ``sigmask`` (a 64-bit set) so that signals
        are delivered exactly; ``done(result)`` is called when it ended by itself: -EINTR-like or 0 for the timeout."""

    def unpark(self, value: int) -> None:
        """End ``park_masked`` (or answer ``Sink.masked_request`` at once) with ``value``."""

    def signal_masks(self) -> tuple[int, int, int, int]:
        """Blocked, ignored, caught and pending signals by one look; a thread that is gone blocks everything."""

    def blocked_signals(self) -> int:
        """The thread's blocked-signal mask (bit n-1 for signal n)."""

    def ignored_signals(self) -> int:
        """Its process's ignored signals."""

    def caught_signals(self) -> int:
        """Its process's caught signals."""

    def pending_signals(self) -> int:
        """Signals pending for the thread or its process."""

    def send_signal(self, signal: int, *, to_thread: bool = False, info: SignalInfo | None = None) -> None:
        """Send a signal to the process or the thread, with ``info`` where the receiver catches or takes it."""

    def set_limit(self, resource: int, soft: int, hard: int) -> None:
        """Make the host's rlimit follow the guest's (AS, DATA, STACK, FSIZE, NOFILE + reserve)."""


class Sink(Protocol):
    """What the kernel gives the platform to call. Never called re-entrantly; never raises (a raise is our bug)."""

    def syscall(self, context: Context, nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> int | None:
        """A trapped call; arguments are unsigned 64-bit. See the module docstring for the result."""

    def proceeded(self, context: Context, nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> None:
        """The platform has let a native call through that trapped (profile ``strict``); for those who count only."""

    def abandoned(self, context: Context) -> None:
        """The pending call has vanished: a signal ended it (only on hosts before Linux 5.19, without WAIT_KILLABLE_RECV)
        or the thread comes again. Whatever works on it is dropped; no answer follows."""

    def exec_request(self, context: Context, nr: int, a0: int, a1: int, a2: int, a3: int, a4: int) -> None:
        """execve or execveat is stopped; ``execute`` or ``refuse_exec`` follows, now or later."""

    def exec_done(self, context: Context, old_host_tid: int) -> None:
        """The old program is gone and only this thread is left; it bears the leader's tid now (kernel-facts.md 14)."""

    def masked_request(self, context: Context, nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> None:
        """ppoll, pselect6, epoll_pwait(2) with a mask (kernel-facts.md 3); ``unpark`` or ``park_masked`` follows."""

    def admits_birth(self, context: Context) -> bool:
        """Whether there is memory for one more task; asked before it is born where no limit of the host's holds."""

    def exceeds_process_limit(self, context: Context) -> bool:
        """Whether the caller's user has as many tasks as its RLIMIT_NPROC allows; asked before a birth that trapped."""

    def birth(self, parent: Context, child: Context, clone_flags: int) -> None:
        """``parent`` made ``child``, which has not run yet. CLONE_VM/FILES/FS/THREAD/PARENT... in ``clone_flags``."""

    def thread_exited(self, context: Context, wait_status: int) -> None:
        """The thread is gone. For a leader this is the end of its process, with the true wait status."""

    def stopped(self, context: Context, signal: int) -> None:
        """The process entered a group stop."""

    def continued(self, context: Context) -> None:
        """The process left a group stop."""

    def uid_of(self, context: Context, pid: int) -> int | None:
        """The real uid of process ``pid`` as ``context``'s container numbers it, None if there is none: the host cannot
        know who sent a signal (kernel-facts.md 6)."""

    def timer_overrun(self, context: Context, timer_id: int) -> int | None:
        """The signal of POSIX timer ``timer_id`` is being delivered to or taken by ``context``: its si_overrun, None if there is
        no such timer (any more)."""

    def signalled(self, context: Context, signal: int) -> None:
        """A signal is about to be delivered natively (tracing only)."""


@dataclass(frozen=True)
class JailConfig:
    """What the jail of a sandbox shall be. ``layers_required`` names the layers whose absence is fatal."""

    hostname: bytes
    layers_required: frozenset[str] = frozenset()
    profile: str = "default"
    tasks_max: int = 4096
    memory_max: int | None = None
    cpu_quota_us: int | None = None  # processor time in each tenth of a second
    nofile: int = 1024


@dataclass(frozen=True)
class SpawnRequest:
    """The first process of a container. The program is named to the kernel by ``exec_request`` as for any exec."""

    path: bytes
    argv: Sequence[bytes]
    envp: Sequence[bytes]
    limits: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: a thread of the container whose pid namespace the process joins; None for a new one
    beside: Context | None = None
    #: struct sock_filter[] of the caller's, in force from the program's first instruction on; empty for none
    seccomp: bytes = b""


@dataclass(frozen=True)
class HostRule:
    """One line of ``sandboxctl host-surface``: a host call that ``process`` (guest, sentry, gofer) may make."""

    process: str
    call: str
    action: str  # allow, notify, trace, continue, errno, kill
    condition: str
    reason: str


class Platform(Protocol):
    """The mechanism. ``name`` is notify or ptrace; ``layers`` are the jail layers in force (userns, pidns, landlock...)."""

    name: str
    layers: frozenset[str]

    def start(self, config: JailConfig, sink: Sink) -> None:
        """Build the jail. Raises PlatformError with one line that names the fix."""

    def confine_sentry(self, *, has_overlay_on_disk: bool) -> None:
        """Put the sentry's own filter on, as the last start step: from here on it can do no more than the list says.

        ``has_overlay_on_disk``: it will make files. Raises PlatformError.
        """

    def spawn(self, request: SpawnRequest) -> Context:
        """Create the first process of a container, stopped before its first exec; its ``exec_request`` follows."""

    def resident_bytes(self, limit: int) -> int:
        """How much memory of their own all guest processes together have touched; exact only if it is more than ``limit``,
        else pages that are shared after a fork count for each process."""

    def run_once(self, timeout_ns: int | None) -> None:
        """Wait for the next event (None: for ever, 0: do not wait) and deliver what is there."""

    def watch(self, fd: HostFd, events: int, ready: Callable[[int], None]) -> Callable[[], None]:
        """Call ``ready(revents)`` from ``run_once`` while ``fd`` has any of the poll(2) ``events`` (level-triggered);
        returns the function that stops watching."""

    def limit_tasks(self, tasks: int) -> bool:
        """Set ``JailConfig.tasks_max`` anew; whether that can be done here."""

    def limit_memory(self, size: int) -> bool:
        """Set ``JailConfig.memory_max`` anew; whether that can be done here. Precondition: there was one from the start."""

    def freeze(self) -> None:
        """Make every guest thread stop, unseen by the guest; all stand still until ``run_once`` is called again."""

    def kill_all(self) -> None:
        """SIGKILL every guest process."""

    def close(self) -> None:
        """End the jail and release everything. Idempotent."""


class PlatformError(Exception):
    """This host does not allow what was asked; the message is one line and names the remedy."""
