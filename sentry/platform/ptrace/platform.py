"""The portable platform: every trapped call is a ptrace stop (any kernel since 4.8; containers that forbid seccomp listeners).

Slow, and the reference against which the others are checked. Jail, exec, births, deaths and signals are those of ``notify``; a
descriptor travels through a socket that the guests inherit among their reserved descriptors.
"""

from typing import TYPE_CHECKING, cast

from sentry.platform.filter.compose import traced
from sentry.platform.interface import JailConfig, Sink, SpawnRequest
from sentry.platform.notify.context import NotifyContext
from sentry.platform.notify.platform import NotifyPlatform, pidns_of
from sentry.platform.notify.tracer import Tracer
from sentry.platform.ptrace.tracer import PtraceTracer

if TYPE_CHECKING:
    from sentry.platform._core.core import Core


class PtracePlatform(NotifyPlatform):
    """See ``Platform``."""

    name = "ptrace"
    has_placement = False

    def start(self, config: JailConfig, sink: Sink) -> None:
        """See ``Platform``."""
        super().start(config, sink)
        assert isinstance(self.tracer, PtraceTracer)
        self.tracer.entry = self._syscall
        self._program = traced(self._program)

    def _new_tracer(self, sink: Sink) -> Tracer:
        core = self._core
        if "core_registers" in self._disabled:
            from sentry.platform.ptrace.python_ptrace import PythonPtrace

            core = cast("Core", PythonPtrace(core, self._ffi.NULL))
        return PtraceTracer(core, self._ffi, self._proc_fd, sink, self._escaped)

    def spawn(self, request: SpawnRequest) -> NotifyContext:
        """See ``Platform``."""
        assert isinstance(self.tracer, PtraceTracer)
        self.is_wait_killable = True
        self._drop_unused()
        beside = pidns_of(request)
        guest = self._jail.spawn(request, self._config, self._program, self._seize, self.tracer.queue.fileno(), beside)
        return self._adopt(guest, request, beside)
