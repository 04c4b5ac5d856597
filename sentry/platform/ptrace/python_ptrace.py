"""Registers and resumption of stopped threads by python-ptrace instead of the C core.

An independent second opinion for the contract suite: ``SANDBOXCTL_DISABLE=core_registers`` selects it, with the extra
``[ptrace]`` installed (ADR 26). What python-ptrace lacks stays the core's: PTRACE_SEIZE, INTERRUPT and LISTEN, signal masks,
collecting events in order, and changing a call under a blocked mask.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sentry.platform.interface import PlatformError
from syscalls.abi.errno import ENOSYS

if TYPE_CHECKING:
    from sentry.platform._core.core import Core

_SYSCALL_INSTRUCTION_LENGTH = 2
_ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")


class PythonPtrace:
    """A ``Core`` whose ``trace_*`` functions on registers are python-ptrace's. Raises PlatformError if that is not installed."""

    def __init__(self, core: "Core", null: object) -> None:
        try:
            from ptrace import binding
            from ptrace.error import PtraceError
        except ImportError:
            raise PlatformError("python-ptrace is not installed: pip install 'sandboxctl[ptrace]'") from None
        self._core = core
        self._null = null
        self._binding: Any = binding
        self._error: type[Exception] = PtraceError

    def __getattr__(self, name: str) -> Any:
        """What python-ptrace lacks."""
        return getattr(self._core, name)

    def trace_resume(self, tid: int, signal: int) -> int:
        """PTRACE_CONT."""
        return self._asked(lambda: self._binding.ptrace_cont(tid, signal))

    def trace_step(self, tid: int) -> int:
        """Go on to the next entry or exit of a call: PTRACE_SYSCALL."""
        return self._asked(lambda: self._binding.ptrace_syscall(tid, 0))

    def trace_call(self, tid: int, nr: int, arguments: Sequence[int], to_exit: int) -> int:
        """At a seccomp stop: run another call instead."""

        def change(registers: Any) -> None:
            registers.orig_rax, registers.rax = nr, -ENOSYS
            _put(registers, arguments)

        resume = self.trace_step if to_exit else self._go_on
        return self._change(tid, change) or resume(tid)

    def trace_result(self, tid: int, value: int, arguments: Any, nr: int, signal: int, resume: int) -> int:
        """At any stop: set the return value, the arguments (unless NULL) and the call number; with ``resume`` go on."""

        def change(registers: Any) -> None:
            registers.rax, registers.orig_rax = value, nr
            if arguments is not self._null:
                _put(registers, arguments)

        return self._change(tid, change) or (self.trace_resume(tid, signal) if resume else 0)

    def trace_again(self, tid: int, nr: int) -> int:
        """At a seccomp stop: skip the call and make the guest issue it again."""

        def change(registers: Any) -> None:
            registers.rip -= _SYSCALL_INSTRUCTION_LENGTH
            registers.rax, registers.orig_rax = nr, -1

        return self._change(tid, change) or self._go_on(tid)

    def _go_on(self, tid: int) -> int:
        return self.trace_resume(tid, 0)

    def _change(self, tid: int, change: Callable[[Any], None]) -> int:
        def ask() -> None:
            registers = self._binding.ptrace_getregs(tid)
            change(registers)
            self._binding.ptrace_setregs(tid, registers)

        return self._asked(ask)

    def _asked(self, ask: Callable[[], object]) -> int:
        """0, or the negative errno, as the core answers."""
        try:
            ask()
        except self._error as error:
            return -int(getattr(error, "errno", None) or ENOSYS)
        return 0


def _put(registers: Any, arguments: Sequence[int]) -> None:
    for name, value in zip(_ARGUMENTS, arguments, strict=True):
        setattr(registers, name, value)
