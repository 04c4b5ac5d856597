"""One host call run in a guest's own thread, in the middle of the guest's call (kernel-facts.md 6, 24, 29).

A thread that waits for its answer is stopped, its registers and mask are kept, every signal is blocked, and it makes the
injected call instead. At that call's exit stop ``done(result)`` is called and the thread stays stopped until its own call is
answered (``reply``, ``kick``) or the next call is injected. Asynchronous throughout: a thread that its siblings hinder (by
changing the instruction it stands on) keeps nobody waiting but itself.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from sentry.arch.x86_64 import NR_RT_SIGACTION
from sentry.platform._core.core import SAVED_BYTES
from sentry.platform.notify.scratch import signal_slot
from syscalls.abi.errors import Fault

if TYPE_CHECKING:
    from sentry.platform.notify.context import NotifyContext
    from sentry.platform.notify.tracer import Tracer

ERESTARTNOINTR = 513
_SIGACTION_LENGTH = 32
_NSIG, _SIGCHLD_BIT = 64, 1 << 16


class Phase(Enum):
    """How far an injection is."""

    CALLED = "on its way to a stop"
    ENTERING = "making the injected call"
    LEAVING = "in the injected call"
    DONE = "stopped behind the injected call"


class Injection:
    """The injected call of one thread, and what has to be put back after it."""

    __slots__ = ("arguments", "clears_handlers", "done", "mask", "nr", "phase", "saved")

    def __init__(self, nr: int, arguments: Sequence[int], done: Callable[[int], None]) -> None:
        self.nr = nr
        self.arguments = (*arguments, *[0] * (6 - len(arguments)))
        self.done = done
        self.phase = Phase.CALLED
        self.saved: object = None
        self.mask = 0
        self.clears_handlers = False


def _to_clear(*, ignored: int, caught: int) -> list[int]:
    """The signals with handlers, and SIGCHLD for its SA_NOCLDWAIT; of the others Linux clears flags that mean nothing."""
    return [number for number in range(1, _NSIG + 1) if (caught | _SIGCHLD_BIT & ~ignored) >> (number - 1) & 1]


class Injector:
    """Carries out injections for a tracer. ``is_at_entry``: a pending call is a stop at its entry (platform ``ptrace``)."""

    __slots__ = ("_mask_word", "_tracer", "is_at_entry")

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer
        self._mask_word = tracer.ffi.new("uint64_t *")
        self.is_at_entry = False

    def inject(self, context: "NotifyContext", nr: int, arguments: Sequence[int], done: Callable[[int], None]) -> None:
        """Make ``context``, whose call is pending, run ``nr``; ``done`` is not called if the thread dies."""
        old, new = context.injection, Injection(nr, arguments, done)
        context.injection = new
        if old is not None:
            assert old.phase is Phase.DONE
            self._again(context, old, new)
            return
        self._tracer.run_after_stop(context)  # its last call has run, and the stop that comes belongs to the injection
        self._tracer.hot.pop(context.host_tid, None)
        if self.is_at_entry:
            self._divert(context, new, is_entry=True)
            return
        core = self._tracer.core
        core.trace_interrupt(context.host_tid)
        context.is_pending = False
        core.core_answer(context.listener, context.trap_id, -ERESTARTNOINTR)

    def _again(self, context: "NotifyContext", old: Injection, new: Injection) -> None:
        """From the exit stop of one injected call to the next, keeping what the first has saved."""
        self._divert(context, new, is_entry=False)
        new.saved, new.mask = old.saved, old.mask

    def _divert(self, context: "NotifyContext", injection: Injection, *, is_entry: bool) -> None:
        tracer = self._tracer
        injection.saved = tracer.ffi.new("char[]", SAVED_BYTES)
        injection.phase = Phase.LEAVING if is_entry else Phase.ENTERING
        tracer.core.trace_divert(
            context.host_tid, injection.saved, self._mask_word, injection.nr, injection.arguments, int(is_entry)
        )
        injection.mask = self._mask_word[0]

    def stopped(self, context: "NotifyContext", injection: Injection) -> None:
        """The thread has come to the stop that was asked for, or goes on after a group stop."""
        if injection.phase is Phase.CALLED:
            self._divert(context, injection, is_entry=False)
        else:
            self._tracer.core.trace_step(context.host_tid)

    def is_too_early(self, context: "NotifyContext") -> bool:
        """Whether a signal has come before the stop that was asked for (only on hosts before Linux 5.19): then the injection is
        off, and the guest's call will be made again."""
        injection = context.injection
        if injection is None or injection.phase is not Phase.CALLED:
            return False
        context.injection = None
        if not context.first_filter:  # the exec stub's own call is nobody's
            self._tracer.hot[context.host_tid] = context
            self._tracer.sink.abandoned(context)
        return True

    def call_stop(self, context: "NotifyContext", injection: Injection, result: int) -> None:
        """A call's entry or exit."""
        if injection.phase is Phase.ENTERING:
            injection.phase = Phase.LEAVING
            self._tracer.core.trace_call(context.host_tid, injection.nr, injection.arguments, 1)
            return
        injection.phase = Phase.DONE
        injection.done(result)

    def trapped(self, context: "NotifyContext", trap_id: int, nr: int) -> None:
        """The injected call itself has been handed to us by the filter: its registers are ours, the host runs it."""
        core, injection = self._tracer.core, context.injection
        if injection is not None and injection.nr == nr and injection.phase is Phase.LEAVING:
            core.core_continue(context.listener, trap_id)
        else:
            core.core_answer(context.listener, trap_id, -ERESTARTNOINTR)

    def newborn(self, context: "NotifyContext", maker: Injection) -> None:
        """Let a thread that an injected clone has made run, as if its maker had made the call by itself."""
        tracer = self._tracer
        masks = tracer.signal_masks(context.host_tid) if maker.clears_handlers else None
        signals = [] if masks is None else _to_clear(ignored=masks[1], caught=masks[2])
        tracer.core.trace_newborn(context.host_tid, maker.saved, maker.mask, int(not signals))
        if signals:
            self._clear_handlers(context, signals)

    def _clear_handlers(self, context: "NotifyContext", signals: list[int]) -> None:
        """CLONE_CLEAR_SIGHAND: a call of the newborn's for each of its ``signals``; ignored ones stay so."""
        action = signal_slot(context.host_tid)

        def cleared(_: int) -> None:
            if not signals:
                self.finish(context, 0)
                return
            call = Injection(NR_RT_SIGACTION, (signals.pop(), action, 0, 8), cleared)
            old, context.injection = context.injection, call
            if old is None:
                self._tracer.hot.pop(context.host_tid, None)
                self._divert(context, call, is_entry=False)
            else:
                self._again(context, old, call)

        with suppress(Fault):  # it has unmapped the scratch area: what it does then concerns itself only
            context.memory.write(action, bytes(_SIGACTION_LENGTH))
        cleared(0)

    def finish(self, context: "NotifyContext", value: int, *, is_restart: bool = False) -> None:
        """Answer the guest's own call with ``value``; with ``is_restart`` a signal may make it come again."""
        injection, context.injection = context.injection, None
        assert injection is not None
        assert injection.phase is Phase.DONE
        tracer = self._tracer
        if tracer.is_known(context) and not context.is_loading:
            tracer.hot[context.host_tid] = context
        tracer.core.trace_return(context.host_tid, injection.saved, injection.mask, value, int(is_restart))
