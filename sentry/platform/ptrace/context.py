"""A guest thread whose every trapped call is a ptrace stop."""

import socket
from collections.abc import Callable, Sequence
from struct import Struct
from typing import TYPE_CHECKING, cast

from sentry.arch.x86_64 import NO_CALL, NR_CLOSE, NR_DUP3, NR_RECVMSG, STUB_SCRATCH
from sentry.platform.interface import HostFd
from sentry.platform.notify.context import NotifyContext, State
from sentry.platform.notify.execution import RESERVED_NUMBERS
from sentry.platform.notify.masked import SLOTS_LENGTH
from syscalls.abi.errno import EMFILE, ENOMEM
from syscalls.abi.errors import Fault, SyscallError

if TYPE_CHECKING:
    from sentry.platform.ptrace.tracer import PtraceTracer

_O_CLOEXEC = 0o2000000
_MSG_CMSG_CLOEXEC, _MSG_DONTWAIT = 0x40000000, 0x40
#: struct msghdr, struct iovec, control buffer and one byte of data, in the stub's scratch area.
_MESSAGE = Struct("<QI4xQQQQI4xQQ32s8s")
_AT = STUB_SCRATCH + SLOTS_LENGTH
_IOVEC_AT, _CONTROL_AT, _DATA_AT = _AT + 56, _AT + 72, _AT + 104
_CONTROL = Struct("<QiiI")
_SCM_RIGHTS = 1


class PtraceContext(NotifyContext):
    """See ``Context``. The pending call is the seccomp stop in which the thread is."""

    __slots__ = ("kick_value",)

    kick_value: int

    def reply(self, value: int) -> None:
        """See ``Context``."""
        if self.injection is not None:
            self.tracer.injector.finish(self, value)
            return
        self.tracer.core.trace_result(self.host_tid, value, self.tracer.ffi.NULL, NO_CALL, 0, 1)

    def proceed(self) -> None:
        """See ``Context``."""
        self.tracer.core.trace_resume(self.host_tid, 0)

    def proceed_then(self, done: Callable[[], None]) -> None:
        """See ``Context``."""
        self.after_stop.append(done)
        self.tracer.core.trace_interrupt(self.host_tid)
        self.proceed()

    def kick(self, restart: int) -> None:
        """See ``Context``: skip the call, and at its exit stop let it look like one that a signal has interrupted."""
        core = self.tracer.core
        if self.state in (State.EXEC_STOP, State.MASK_STOP):
            self.state = State.RUNNING
            core.trace_again(self.host_tid, self.call[0])
            return
        if self.injection is not None:
            super().kick(restart)
            return
        self.kicked_id = self.trap_id
        self.kick_value = -restart
        self.state = State.KICKED
        core.trace_interrupt(self.host_tid)
        core.trace_call(self.host_tid, NO_CALL & 0xFFFFFFFFFFFFFFFF, list(self.call[1:7]), 1)

    def add_fd(self, source: HostFd, number: int) -> None:
        """See ``Context``."""
        if not 0 <= number < self.tracer.stub_number:
            raise SyscallError(EMFILE)
        self._give(source, number)

    def _give(self, source: HostFd, number: int) -> None:
        self._transfer(source, number)

    def give_load_fds(self, sources: Sequence[int], first: int) -> None:
        """See ``NotifyContext``."""
        for index, source in enumerate(sources):
            self._transfer(source, first + index)
        self.reply(0)

    def _transfer(self, source: int, number: int) -> None:
        """Make the thread receive ``source`` through the transfer socket and move it to ``number``.

        What a hostile guest writes over the message meanwhile only chooses among its own host descriptors.
        """
        tracer = cast("PtraceTracer", self.tracer)
        tracer.empty_transfer_queue()
        socket.send_fds(tracer.transfer, [b"f"], [source])
        message = _MESSAGE.pack(0, 0, _IOVEC_AT, 1, _CONTROL_AT, 32, 0, _DATA_AT, 1, bytes(32), bytes(8))
        reserved = tracer.stub_number + RESERVED_NUMBERS - 1
        try:
            self.memory.write(_AT, message)
            self._inject(NR_RECVMSG, reserved, _AT, _MSG_CMSG_CLOEXEC | _MSG_DONTWAIT)
            length, _, kind, received = _CONTROL.unpack(self.memory.read(_CONTROL_AT, _CONTROL.size))
        except Fault:
            raise SyscallError(ENOMEM) from None
        if length < _CONTROL.size or kind != _SCM_RIGHTS:
            raise SyscallError(EMFILE)
        if received != number:
            self._inject(NR_DUP3, received, number, _O_CLOEXEC)
            self._inject(NR_CLOSE, received, 0, 0)

    def _inject(self, nr: int, a0: int, a1: int, a2: int) -> int:
        """Run a call in the thread and come back to its stop. A thread that is gone gives 0: its death is an event."""
        tracer = cast("PtraceTracer", self.tracer)
        result = tracer.result_word
        if tracer.core.trace_inject(self.host_tid, nr, [a0, a1, a2, 0, 0, STUB_SCRATCH], result) < 0:
            return 0
        if result[0] < 0:
            raise SyscallError(-result[0])
        return int(result[0])
