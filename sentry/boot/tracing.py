"""Switches tracing on for one sandbox, before its first task: wraps the dispatcher's callables and events."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sentry.trace.census import Census
from sentry.trace.strace import Strace
from syscalls.abi.errno import ENOSYS
from syscalls.abi.nr_x86_64 import NAMES

if TYPE_CHECKING:
    from sentry.kernel.dispatch import Dispatcher
    from sentry.platform.interface import Context
    from syscalls.registry import Entry

_NS_PER_SECOND = 1_000_000_000


def trace_calls(dispatcher: "Dispatcher", table: "Sequence[Entry | None]", strace: Strace) -> Strace:
    """Let ``strace`` hear of every call that reaches the sentry, and of execs, signals and deaths."""
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


def make_trace(kind: str, write: Callable[[str], None], monotonic_ns: Callable[[], int]) -> Strace:
    """A tracer that writes lines like strace's (``strace``) or events (``json``)."""
    if kind == "strace":
        return Strace(write)
    from sentry.trace.events import EventTrace

    start_ns = monotonic_ns()
    return EventTrace(write, lambda: (monotonic_ns() - start_ns) / _NS_PER_SECOND)


def count_calls(dispatcher: "Dispatcher", table: "Sequence[Entry | None]", monotonic_ns: Callable[[], int]) -> Census:
    """Count every call of the guests, also those that the platform lets through itself."""
    census = Census(monotonic_ns)
    calls = list(dispatcher.calls)
    for number, entry in enumerate(table):
        call = calls[number]
        if entry is not None and call is not None:
            calls[number] = census.trace(entry, call)
        elif number in NAMES:
            calls[number] = _absent(census, NAMES[number])
        masked = dispatcher.masked.get(number)
        if entry is not None and masked is not None:
            dispatcher.masked[number] = census.trace(entry, masked)
    dispatcher.calls = calls
    run_exec = dispatcher.exec_request

    def exec_request(context: "Context", nr: int, *registers: int) -> None:
        census.count(NAMES[nr], registers)
        run_exec(context, nr, *registers)

    def proceeded(context: "Context", nr: int, *registers: int) -> None:
        census.count(NAMES[nr], registers)

    dispatcher.exec_request, dispatcher.proceeded = exec_request, proceeded  # type: ignore[method-assign,assignment]
    return census


def _absent(census: Census, name: str) -> Callable[..., int]:
    def absent(task: object, *registers: int) -> int:
        census.missing(name, registers, ENOSYS)
        return -ENOSYS

    return absent


def _trace_events(dispatcher: Any, table: "Sequence[Entry | None]", strace: Strace) -> None:
    run_exec, run_exited, run_signalled = dispatcher.exec_request, dispatcher.thread_exited, dispatcher.signalled

    def exec_request(context: "Context", nr: int, *registers: int) -> None:
        entry = table[nr]
        if entry is not None:
            strace.on_exec(context.data, entry, registers)  # type: ignore[arg-type]
        run_exec(context, nr, *registers)

    def thread_exited(context: "Context", wait_status: int) -> None:
        if context.data is not None:
            strace.ended(context.data, wait_status)  # type: ignore[arg-type]
        run_exited(context, wait_status)

    def signalled(context: "Context", signal: int) -> None:
        strace.on_signal(context.data, signal)  # type: ignore[arg-type]
        run_signalled(context, signal)

    dispatcher.exec_request, dispatcher.thread_exited, dispatcher.signalled = exec_request, thread_exited, signalled
