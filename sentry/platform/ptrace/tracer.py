"""Stops of the ptrace platform: calls as well as births, deaths and exec."""

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from sentry.arch.x86_64 import NR_READ, STUB_LOAD_FD
from sentry.platform.interface import Sink
from sentry.platform.notify.context import NotifyContext, State
from sentry.platform.notify.tracer import Tracer
from sentry.platform.ptrace.context import PtraceContext

if TYPE_CHECKING:
    from sentry.platform._core.core import Core
    from sentry.platform.filter.native import Entry


class PtraceTracer(Tracer):
    """See ``Tracer``. ``transfer`` carries descriptors to the guests, which share its other end (``queue`` is a copy of that)."""

    context_type = PtraceContext

    def __init__(self, core: "Core", ffi: Any, proc_fd: int, sink: Sink, on_escape: Callable[[str], None]) -> None:
        super().__init__(core, ffi, proc_fd, sink, on_escape)
        self.transfer, self.queue = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.queue.setblocking(False)
        self.injector.is_at_entry = True
        self.result_word = ffi.new("int64_t *")
        self.entry: Entry = sink.syscall
        self._traps = 0

    def _call_stop(self, context: NotifyContext, event: Sequence[int]) -> None:
        self._traps += 1
        context.trap_id = self._traps
        nr = event[3] & 0xFFFFFFFF
        if context.state is State.LOADING and nr == NR_READ and event[4] == STUB_LOAD_FD:
            self.exec.load(context, (self._traps, context.host_tid, nr, *event[4:10]))
            return
        result = self.entry(context, nr, *event[4:10])
        if result is not None:
            context.reply(result)

    def _exit_stop(self, context: NotifyContext, result: int) -> None:
        if context.state is not State.KICKED:
            super()._exit_stop(context, result)
            return
        context.state = State.RUNNING
        value = cast("PtraceContext", context).kick_value
        self.core.trace_result(context.host_tid, value, list(context.call[1:7]), context.call[0], 0, 1)

    def empty_transfer_queue(self) -> None:
        """Drop what a thread that died did not fetch: nobody else may get it."""
        while True:
            try:
                _, fds, _, _ = socket.recv_fds(self.queue, 8, 8)
            except BlockingIOError:
                return
            for fd in fds:
                socket.close(fd)

    def close(self) -> None:
        """See ``Tracer``."""
        super().close()
        self.transfer.close()
        self.queue.close()
