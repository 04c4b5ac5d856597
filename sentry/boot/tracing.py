"""Switches tracing on for one sandbox, before its first task: wraps the dispatcher's callables and events."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sentry.trace.strace import Strace
from syscalls.abi import signal as signals

if TYPE_CHECKING:
    from sentry.kernel.dispatch import Dispatcher
    from sentry.platform.interface import Context
    from syscalls.registry import Entry


def trace_calls(dispatcher: "Dispatcher", table: "Sequence[Entry | None]", write: Callable[[str], None]) -> Strace:
    """Print a line for every call that reaches the sentry, and for execs, signals and deaths, by ``write``."""
    strace = Strace(write)
    calls = list(dispatcher.calls)
    for number, entry in enumerate(table):
        call = calls[number]
        if entry is not None and call is not None:
            calls[number] = strace.trace(entry, call)
        masked = dispatcher.masked.get(number)
        if entry is not None and masked is not None:
            dispatcher.masked[number] = strace.trace(entry, masked)
    dispatcher.calls = calls
    _trace_events(dispatcher, table, strace)
    return strace


def _trace_events(dispatcher: Any, table: "Sequence[Entry | None]", strace: Strace) -> None:
    run_exec, run_exited, run_signalled = dispatcher.exec_request, dispatcher.thread_exited, dispatcher.signalled

    def exec_request(context: "Context", nr: int, *registers: int) -> None:
        entry = table[nr]
        if entry is not None:
            strace.note(context.data, strace.describe(context.data, entry, registers))  # type: ignore[arg-type]
        run_exec(context, nr, *registers)

    def thread_exited(context: "Context", wait_status: int) -> None:
        if context.data is not None:
            strace.ended(context.data, wait_status)  # type: ignore[arg-type]
        run_exited(context, wait_status)

    def signalled(context: "Context", signal: int) -> None:
        strace.note(context.data, f"--- {signals.name(signal)} ---")  # type: ignore[arg-type]
        run_signalled(context, signal)

    dispatcher.exec_request, dispatcher.thread_exited, dispatcher.signalled = exec_request, thread_exited, signalled
