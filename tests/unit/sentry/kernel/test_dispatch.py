"""The sink of the kernel: every way in which a handler can end reaches the guest once."""

from typing import Any

import pytest

from sentry.kernel.dispatch import Dispatcher
from sentry.sched.runner import Runner
from sentry.sched.wait import Restart, wait_until
from sentry.sched.waitqueue import WaitQueue
from syscalls.abi.errno import EBADF, ENOSYS
from syscalls.abi.errors import SyscallError


class RecordingContext:
    """A context that writes down its replies."""

    def __init__(self) -> None:
        self.data: Any = None
        self.log: list[tuple[str, int]] = []

    def reply(self, value: int) -> None:
        self.log.append(("reply", value))

    def proceed(self) -> None:
        self.log.append(("proceed", 0))

    def kick(self, restart: int) -> None:
        self.log.append(("kick", restart))


class StubGroup:
    signal_epoch = 0


class StubSignals:
    def __init__(self) -> None:
        self.rechecked: list[StubTask] = []

    def recheck(self, task: "StubTask") -> None:
        self.rechecked.append(task)


class StubKernel:
    def __init__(self) -> None:
        self.runner = Runner(lambda: 0)
        self.signals = StubSignals()


class StubTask:
    def __init__(self, kernel: StubKernel, context: RecordingContext) -> None:
        self.kernel, self.context = kernel, context
        self.trap: tuple[int, ...] = ()
        self.group = StubGroup()
        self.signal_epoch = 0
        self.rechecks: list[Any] = []
        self.fiber: Any = None
        context.data = self


class Bench:
    def __init__(self) -> None:
        self.queue = WaitQueue()
        self.box: list[int] = []
        self.proceed = object()
        self.fatal: list[str] = []
        calls = [self.plain, self.fails, self.lets_through, self.waits, self.broken, self.waits_then_fails, None]
        self.dispatcher = Dispatcher(calls, {}, self.proceed, self.fatal.append, lambda kernel: None)
        self.kernel = StubKernel()
        self.context = RecordingContext()
        self.task = StubTask(self.kernel, self.context)
        self.dispatcher.adopt(self.task)  # type: ignore[arg-type]

    def trap(self, nr: int) -> int | None:
        return self.dispatcher.syscall(self.context, nr, 0, 0, 0, 0, 0, 0)  # type: ignore[arg-type]

    def plain(self, task: Any, *args: int) -> int:
        return 42

    def fails(self, task: Any, *args: int) -> int:
        raise SyscallError(EBADF)

    def lets_through(self, task: Any, *args: int) -> object:
        return self.proceed

    async def waits(self, task: Any, *args: int) -> int:
        return await wait_until(task.fiber, lambda: self.box.pop() if self.box else None, [self.queue])

    def broken(self, task: Any, *args: int) -> int:
        raise KeyError("our bug")

    async def waits_then_fails(self, task: Any, *args: int) -> int:
        await self.waits(task)
        raise SyscallError(EBADF)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_plain_result_is_the_reply(bench: Bench) -> None:
    assert bench.trap(0) == 42
    assert bench.context.log == []


def test_an_errno_is_negated(bench: Bench) -> None:
    assert bench.trap(1) == -EBADF


@pytest.mark.parametrize("nr", [6, 7, 1 << 40])
def test_an_unknown_call_is_enosys(bench: Bench, nr: int) -> None:
    assert bench.trap(nr) == -ENOSYS


def test_a_call_that_is_let_through_is_counted(bench: Bench) -> None:
    assert bench.trap(2) is None
    assert bench.context.log == [("proceed", 0)]
    assert bench.dispatcher.proceeds[2] == 1


def test_a_coroutine_that_need_not_wait_replies_at_once(bench: Bench) -> None:
    bench.box.append(9)
    assert bench.trap(3) == 9
    assert bench.context.log == []


def test_a_late_result_is_replied_once(bench: Bench) -> None:
    assert bench.trap(3) is None
    bench.box.append(9)
    bench.queue.wake()
    bench.queue.wake()
    bench.kernel.runner.run_ready()
    bench.kernel.runner.run_ready()
    assert bench.context.log == [("reply", 9)]


def test_a_late_error_is_replied(bench: Bench) -> None:
    assert bench.trap(5) is None
    bench.box.append(1)
    bench.queue.wake()
    bench.kernel.runner.run_ready()
    assert bench.context.log == [("reply", -EBADF)]


def test_an_interrupted_call_is_kicked_with_its_restart_kind(bench: Bench) -> None:
    assert bench.trap(3) is None
    bench.task.fiber.interrupt()
    bench.kernel.runner.run_ready()
    assert bench.context.log == [("kick", Restart.SYS)]
    assert not bench.queue


def test_our_bug_stops_the_sandbox(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.trap(4)
    assert len(bench.fatal) == 1
    assert "our bug" in caplog.text


def test_a_thread_that_becomes_deaf_after_a_signal_was_sent_is_looked_at() -> None:
    bench = Bench()
    assert bench.trap(3) is None
    assert bench.kernel.signals.rechecked == []
    bench.box.append(1)
    bench.queue.wake()
    bench.kernel.runner.run_ready()
    bench.task.group.signal_epoch += 1
    assert bench.trap(3) is None
    assert bench.kernel.signals.rechecked == [bench.task]


def test_a_call_that_ends_at_once_needs_no_look_for_signals() -> None:
    bench = Bench()
    bench.task.group.signal_epoch += 1
    bench.box.append(1)
    assert bench.trap(3) == 1
    assert bench.kernel.signals.rechecked == []
