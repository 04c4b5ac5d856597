"""Births, deaths, stops, signals and exec of the guest's threads, from ptrace events (kernel-facts.md 1, 4, 14, 17).

A newborn is resumed only after its parent's event has been handled, whichever arrives first.
"""

import logging
import os
import resource
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sentry.arch.x86_64 import NO_CALL, NR_CLONE, NR_EXECVE, NR_EXECVEAT, NR_FORK, NR_RT_SIGTIMEDWAIT, NR_VFORK
from sentry.platform.filter.table import TRACE_EXEC, TRACE_MASK, TRACE_WAIT
from sentry.platform.guest_memory import Buffers, HostGuestMemory
from sentry.platform.interface import SignalInfo, Sink
from sentry.platform.notify import native_signal, siginfo
from sentry.platform.notify.context import NotifyContext, State
from sentry.platform.notify.execution import RESERVED_NUMBERS, Execution
from sentry.platform.notify.injection import Injector
from sentry.platform.notify.masked import Masked
from syscalls.abi.errors import Fault

if TYPE_CHECKING:
    from sentry.platform._core.core import Core

from sentry.platform._core.core import EVENT_WORDS, EVENTS_MAX

log = logging.getLogger(__name__)

SIGTRAP, SIGKILL = 5, 9
_SIGSYS, _SYS_SECCOMP = 31, 1
SI_KERNEL = 128
_SYSCALL_STOP = SIGTRAP | 0x80
_EVENT_FORK, _EVENT_VFORK, _EVENT_CLONE, _EVENT_EXEC, _EVENT_SECCOMP, _EVENT_STOP = 1, 2, 3, 4, 7, 128
_CLONE_THREAD = 0x10000
_STOPPED = 0x7F
_GONE = 0xFFFFFFFFFFFFFFFF  # the call of an event whose thread was killed since
_ERESTARTSYS, _ERESTARTNOINTR = 512, 513
_ENOSYS = 38
_RESTART_SYS = -512 & 0xFFFFFFFFFFFFFFFF
#: Calls that sleep in the host kernel and end there with -ERESTARTSYS themselves: futex, wait4, waitid, rt_sigtimedwait...
_SLEEPERS = frozenset((34, 35, 61, 128, 130, 202, 219, 230, 247))
_EXECS = (NR_EXECVE, NR_EXECVEAT)
_FAULTS = frozenset((4, 5, 7, 8, 11, 31))  # ILL TRAP BUS FPE SEGV SYS


class Tracer:
    """All guest threads of one platform. ``hot`` holds those whose traps go to the sentry, ``contexts`` all that live."""

    context_type: type[NotifyContext] = NotifyContext

    def __init__(self, core: "Core", ffi: Any, proc_fd: int, sink: Sink, on_escape: Callable[[str], None]) -> None:
        self.core = core
        self.ffi = ffi
        self.proc_fd = proc_fd
        self.sink = sink
        self.on_escape = on_escape
        self.buffers = Buffers(core, ffi)
        self.contexts: dict[int, NotifyContext] = {}
        self.hot: dict[int, NotifyContext] = {}
        self.stub_number = 0
        self.stub_entry = 0
        self.exec: Execution
        self.masked = Masked(self)
        self.injector = Injector(self)
        self._inits: set[int] = set()
        self._fault_of: dict[int, int] = {}
        self.is_wait_killable = True
        self.on_other_exit: Callable[[int, int], None] = lambda pid, status: None
        self._early_stops: dict[int, int] = {}
        self._early_deaths: dict[int, int] = {}
        self._words = ffi.new(f"uint64_t[{EVENT_WORDS * EVENTS_MAX}]")
        self._mask_words = ffi.new("uint64_t[4]")

    @property
    def last_number(self) -> int:
        """The last of the guest's reserved descriptors."""
        return self.stub_number + RESERVED_NUMBERS - 1

    def is_known(self, context: NotifyContext) -> bool:
        """Whether the thread has not been reaped, so that its number is its own."""
        return self.contexts.get(context.host_tid) is context

    def adopt(self, tid: int, listener: int, pidns_fd: int, *, is_init: bool = True) -> NotifyContext:
        """Enter the first thread of a container, or of a further program in it."""
        context = self._new_context(tid, tid, listener, pidns_fd)
        self.hot[tid] = context
        if pidns_fd >= 0 and is_init:
            self._inits.add(tid)
        return context

    def _new_context(self, tid: int, tgid: int, listener: int, pidns_fd: int) -> NotifyContext:
        context = self.context_type(self, tid, tgid, listener, pidns_fd, HostGuestMemory(self.buffers, tid))
        self.contexts[tid] = context
        return context

    def drain(self) -> None:
        """Handle every event that the host kernel has."""
        words, unpack = self._words, self.ffi.unpack
        while True:
            count = self.core.trace_drain(words, EVENTS_MAX)
            if count:
                values = unpack(words, count * EVENT_WORDS)
                for start in range(0, count * EVENT_WORDS, EVENT_WORDS):
                    self._handle(values[start : start + EVENT_WORDS])
            if count < EVENTS_MAX:
                return

    def _handle(self, event: Sequence[int]) -> None:
        tid, status = event[0], event[1]
        if status & 0xFF != _STOPPED:
            self._died(tid, status)
            return
        kind, number = status >> 16, status >> 8 & 0xFF
        context = self.contexts.get(tid)
        if kind == _EVENT_EXEC:
            self._executed(event)
        elif context is None:
            self._early_stop(tid)
        elif kind == _EVENT_SECCOMP:
            self._seccomp_stop(context, event)
        elif kind in (_EVENT_FORK, _EVENT_VFORK, _EVENT_CLONE):
            self._born(context, event)
        elif kind == _EVENT_STOP:
            self._stopped(context, number)
        elif number == _SYSCALL_STOP:
            result = event[11] - (event[11] >> 63 << 64)
            if context.injection is not None:
                self.injector.call_stop(context, context.injection, result)
            else:
                self._exit_stop(context, result)
        else:
            self._signalled(context, event, number)

    def _signalled(self, context: NotifyContext, event: Sequence[int], number: int) -> None:
        """A signal-delivery stop: deliver it, showing its true siginfo."""
        self.sink.signalled(context, number)
        code = (event[13] & 0xFFFFFFFF ^ 0x80000000) - 0x80000000
        record = None
        if code <= 0 or number == siginfo.SIGCHLD:
            sender = event[14]
            head = (number, event[13] >> 32, code, sender & 0xFFFFFFFF, sender >> 32, event[15])
            record = self.true_record(context, head)
        elif number in _FAULTS:
            self._faulted(context, number, code)
        restart = _ERESTARTSYS
        if context.injection is not None and self.injector.is_too_early(context):
            restart = _ERESTARTNOINTR
        elif event[11] == _RESTART_SYS and event[3] not in _SLEEPERS:
            restart = self._restart_code(context)
        if restart != _ERESTARTSYS:
            if record is not None:
                self.core.trace_set_siginfo(context.host_tid, record, len(record))
            self.core.trace_result(context.host_tid, -restart, self.ffi.NULL, event[3], number, 1)
        elif record is None:
            self.core.trace_resume(context.host_tid, number)
        else:
            self.core.trace_deliver(context.host_tid, number, event[2], record, len(record))

    def _faulted(self, context: NotifyContext, number: int, code: int) -> None:
        """SECCOMP_MODE_STRICT kills by SIGKILL. A traced namespace init is immune even to its own faults, so it would fault for
        ever; it is killed instead, and its status tells the fault (Linux: kernel/signal.c, force_sig_info_to_task())."""
        if context.is_strict and number == _SIGSYS and code == _SYS_SECCOMP:
            native_signal.kill(context.tgid, SIGKILL)
        if context.tgid in self._inits:
            masks = self.signal_masks(context.host_tid)
            if masks and not masks[2] >> (number - 1) & 1:
                self._fault_of[context.tgid] = number
                native_signal.kill(context.tgid, SIGKILL)

    def true_record(self, context: NotifyContext, head: tuple[int, ...]) -> bytes | None:
        """The true siginfo, or its head: the sentry's own signals are disguised, and the host knows only the one identity of the
        jail. None: it is true already."""
        number, errno, code, pid, uid, value = head
        if siginfo.is_disguised(code, errno):
            return siginfo.true_form(number, errno, pid, uid, value)
        if code == siginfo.SI_TIMER:
            overrun = self.sink.timer_overrun(context, pid)
            return None if overrun is None or overrun == uid else siginfo.HEAD.pack(number, 0, code, pid, overrun, value)
        if not pid or not siginfo.has_sender(number, code):
            return None
        known = self.sink.uid_of(context, pid)
        return None if known is None or known == uid else siginfo.HEAD.pack(number, 0, code, pid, known, value)

    def _restart_code(self, context: NotifyContext) -> int:
        """How the trapped call goes on that a signal has ended in the host with ERESTARTSYS.

        A signal that comes before the sentry has received the call ends it too, even a close(2), which must not fail so: to
        the guest it came just before the call, which is made again. Only a wait that the sentry knows of ends, as it says.
        """
        if self.is_wait_killable or context.kicked_id == context.trap_id:
            return _ERESTARTSYS if context.kicked_id == context.trap_id else _ERESTARTNOINTR
        was_pending, context.is_pending = context.is_pending, False
        if not was_pending:
            return _ERESTARTNOINTR
        context.abandoned_with = 0
        self.sink.abandoned(context)
        code, context.abandoned_with = context.abandoned_with, None
        if context.injection is not None:
            self.injector.is_too_early(context)  # begun just now, for a call that is no more
        return code or _ERESTARTNOINTR

    def _exit_stop(self, context: NotifyContext, result: int) -> None:
        if context.state is not State.WAITING:
            self.masked.exit_stop(context, result)
            return
        context.state = State.RUNNING
        if result > 0 and context.call[2]:
            self._correct_taken(context, context.call[2])
        self.core.trace_resume(context.host_tid, 0)

    def _correct_taken(self, context: NotifyContext, addr: int) -> None:
        """What sigtimedwait has stored is corrected like what is delivered."""
        try:
            record = self.true_record(context, siginfo.HEAD.unpack(context.memory.read(addr, siginfo.HEAD.size)))
            if record is not None:
                context.memory.write(addr, record)
        except Fault:
            return  # unmapped meanwhile

    def _seccomp_stop(self, context: NotifyContext, event: Sequence[int]) -> None:
        if event[3] == _GONE:
            return  # its death is on the way
        if context.injection is not None:
            self.core.trace_step(context.host_tid)
            return
        context.call = tuple(event[3:10])
        if event[2] == TRACE_EXEC and event[3] in _EXECS:
            if context.state is State.EXECUTING:
                self.exec.drop(context)  # the last one failed (E2BIG)
            context.state = State.EXEC_STOP
            self.sink.exec_request(context, *event[3:9])
        elif event[2] == TRACE_MASK:
            context.state = State.MASK_STOP
            self.sink.masked_request(context, *event[3:10])
        elif event[2] == TRACE_WAIT and event[3] == NR_RT_SIGTIMEDWAIT:
            context.state = State.WAITING
            self.core.trace_step(context.host_tid)
        else:
            self._call_stop(context, event)

    def _call_stop(self, context: NotifyContext, event: Sequence[int]) -> None:
        """A stop that our filter does not ask for: the guest's own may, behind our back; without a tracer that is ENOSYS."""
        self.core.trace_result(context.host_tid, -_ENOSYS, self.ffi.NULL, NO_CALL, 0, 1)

    def _executed(self, event: Sequence[int]) -> None:
        tid, old_tid = event[0], event[2]
        context = self.contexts.pop(old_tid, None)
        if context is None:
            self.on_escape(f"exec of a thread that nobody knows: {old_tid}")
            return
        self.hot.pop(old_tid, None)
        if old_tid != tid:
            self._replace_leader(context, tid)
        self.contexts[tid] = context
        if not self.exec.executed(context, event[10]):
            self.on_escape(f"{context!r} executed something that is not the stub")
            return
        self._kill_early_of(context.tgid)
        self.sink.exec_done(context, old_tid)
        self.core.trace_resume(tid, 0)

    def _replace_leader(self, context: NotifyContext, tid: int) -> None:
        """The thread has taken the leader's number; the old leader never reports its death."""
        leader = self.contexts.get(tid)
        if leader is not None:
            self.exec.drop(leader)
            self.hot.pop(tid, None)
            context.guest_tid = leader.guest_tid
        context.host_tid = tid
        context.memory.tid = tid

    def loaded(self, context: NotifyContext) -> None:
        """The stub has asked: from now on the thread's traps are the guest's."""
        self.hot[context.host_tid] = context

    def _born(self, parent: NotifyContext, event: Sequence[int]) -> None:
        tid, flags = event[2], event[4] & 0xFFFFFFFF
        if event[3] == _GONE:
            self._early_stops.pop(tid, None)
            if tid:  # its maker was killed in the very stop that tells of it: the newborn has not run and must not
                native_signal.kill(tid, SIGKILL)
            return
        if event[3] == NR_FORK:
            flags = signal.SIGCHLD
        elif event[3] == NR_VFORK:
            flags = 0x4100 | signal.SIGCHLD
        elif event[3] != NR_CLONE:
            self.on_escape(f"{parent!r} made a thread by call {event[3]}")
            return
        early_death = self._early_deaths.pop(tid, None)
        child = self._new_context(tid, parent.tgid if flags & _CLONE_THREAD else tid, parent.listener, parent.pidns_fd)
        self.hot[tid] = child
        child.maker = parent.injection
        self.sink.birth(parent, child, flags)
        if parent.injection is None:
            self.core.trace_resume(parent.host_tid, 0)
        else:
            self.core.trace_step(parent.host_tid)
        if early_death is not None:
            self._died(tid, early_death)
        elif self._early_stops.pop(tid, None) is not None:
            self._let_run(child)

    def _let_run(self, context: NotifyContext) -> None:
        maker, context.maker = context.maker, None
        if maker is None:
            self.core.trace_resume(context.host_tid, 0)
        else:
            self.injector.newborn(context, maker)

    def _early_stop(self, tid: int) -> None:
        self._early_deaths.pop(tid, None)
        self._early_stops[tid] = native_signal.parent_of(self.proc_fd, tid)

    def _kill_early_of(self, tgid: int) -> None:
        """The parent died between making a thread and reporting it: the newborn never ran and must not."""
        for tid, parent in list(self._early_stops.items()):
            if parent == tgid:
                del self._early_stops[tid]
                native_signal.kill(tid, SIGKILL)

    def _stopped(self, context: NotifyContext, number: int) -> None:
        """An interrupt, a newborn's first stop, or the begin or end of a group stop (PTRACE_EVENT_STOP)."""
        tid = context.host_tid
        if number != SIGTRAP:
            self.core.trace_listen(tid)
            if not context.is_group_stopped:
                context.is_group_stopped = True
                self.sink.stopped(context, number)
            return
        if context.injection is not None:
            self.injector.stopped(context, context.injection)
        else:
            self.run_after_stop(context)
            self._let_run(context)
        if context.is_group_stopped:
            context.is_group_stopped = False
            self.sink.continued(context)

    def run_after_stop(self, context: NotifyContext) -> None:
        """The thread's last call has run."""
        if context.after_stop:
            callbacks, context.after_stop = context.after_stop, []
            for callback in callbacks:
                callback()

    def _died(self, tid: int, status: int) -> None:
        context = self.contexts.pop(tid, None)
        if context is None:
            if self._early_stops.pop(tid, None) is None:
                self._early_deaths[tid] = status
                self.on_other_exit(tid, status)
            return
        self.hot.pop(tid, None)
        self.exec.drop(context)
        if tid == context.tgid:
            self._kill_early_of(tid)
            if tid in self._inits:
                self._inits.discard(tid)
                fault = self._fault_of.pop(tid, 0)
                status = fault if fault and status == SIGKILL else status
        self.run_after_stop(context)
        self.sink.thread_exited(context, status)

    def guest_tid_of(self, host_tid: int, pidns_fd: int) -> int:
        """The number in the container's pid namespace (kernel-facts.md 19)."""
        if pidns_fd < 0:
            return host_tid
        number = self.core.task_pid_in(pidns_fd, host_tid)
        return number if number > 0 else native_signal.innermost_pid(self.proc_fd, host_tid)

    def signal_masks(self, tid: int) -> tuple[int, int, int, int] | None:
        """Blocked, ignored, caught, pending; None for a thread that is gone."""
        words = self._mask_words
        if self.core.task_signal_masks(self.proc_fd, tid, words) != 0:
            return None
        blocked, ignored, caught, pending = self.ffi.unpack(words, 4)
        return blocked, ignored, caught, pending

    def send_signal(self, tgid: int, tid: int, number: int, info: SignalInfo | None) -> None:
        """Send to the process, or to the thread ``tid`` if it is not 0.

        A namespace's init is immune to the default actions of signals from within, which a record seems to be.
        """
        if info is not None and (info.code != SI_KERNEL or tgid not in self._inits or self._catches(tgid, number)):
            errno, first, second, value = siginfo.queued(info)
            self.core.send_queued(tgid, tid, number, errno, first, second, value & 0xFFFFFFFFFFFFFFFF)
        elif tid:
            self.core.send_to_thread(tgid, tid, number)
        else:
            native_signal.kill(tgid, number)

    def _catches(self, tid: int, number: int) -> bool:
        masks = self.signal_masks(tid)
        return masks is not None and bool((masks[0] | masks[2]) >> (number - 1) & 1)

    def set_limit(self, tid: int, which: int, soft: int, hard: int) -> None:
        """prlimit(2); what an ordinary user may not raise stays at the host's hard limit."""
        try:
            ceiling = resource.prlimit(tid, which)[1]
            if ceiling != resource.RLIM_INFINITY:
                soft, hard = (ceiling if value < 0 or value > ceiling else value for value in (soft, hard))
            as_signed = [-1 if value >= 1 << 63 else value for value in (soft, hard)]
            resource.prlimit(tid, which, (as_signed[0], as_signed[1]))
        except ProcessLookupError:
            return

    def interrupt_all(self) -> None:
        """Have every thread stop before it runs on; one that is on its way to a stop of another kind comes to that."""
        for context in self.contexts.values():
            if context.state is State.RUNNING and context.injection is None:
                self.core.trace_interrupt(context.host_tid)

    def kill_all(self) -> None:
        """SIGKILL every guest process."""
        for context in list(self.contexts.values()):
            native_signal.kill(context.tgid, SIGKILL)
        for tid in self._early_stops:
            native_signal.kill(tid, SIGKILL)

    def close(self) -> None:
        """Release what dead threads held."""
        for context in self.contexts.values():
            self.exec.drop(context)
        self.contexts.clear()
        self.hot.clear()


def open_pid_namespace(proc_fd: int, tid: int) -> int:
    """Return a descriptor of the thread's pid namespace."""
    return os.open(f"{tid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc_fd)
