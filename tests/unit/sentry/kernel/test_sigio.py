"""Signal-driven I/O (fcntl(2), F_SETOWN, F_SETSIG): who is told what, and who may be."""

from typing import Any

import pytest

from sentry.kernel.sigio import Owner, set_async, tell_message
from sentry.platform.interface import SignalInfo
from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLIN, POLLOUT, READABLE, WRITABLE
from syscalls.abi.fcntl import F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID, O_ASYNC
from syscalls.abi.signal import POLL_HUP, POLL_IN, POLL_MSG, POLL_OUT, SIGIO, SIGUSR1
from tests.unit.syscalls.process_world import Process, World

NOBODY = 0x3FFFFFF0


class File:
    """A description whose readiness the test sets."""

    has_async = True

    def __init__(self) -> None:
        self.queue = WaitQueue()
        self.ready = 0
        self.flags = O_ASYNC
        self.owner: Owner | None = None
        self.owner_signal = 0
        self.stop_async: Any = None
        self.on_release: list[Any] | None = None

    def readiness(self) -> int:
        return self.ready

    def becomes(self, ready: int) -> None:
        self.ready = ready
        self.queue.wake(ready)


class Bench:
    def __init__(self) -> None:
        self.world = World("pidns")
        self.file: Any = File()
        self.reader = self.world.init.fork()
        self.switch(is_on=True)

    def switch(self, *, is_on: bool) -> None:
        set_async(self.world.init.task, self.file, 7, is_on=is_on)

    def own(self, kind: int, number: int, uid: int = 0, euid: int = 0) -> None:
        self.file.owner = Owner(kind, number, uid, euid)


def told(process: Process) -> list[int]:
    return [signal for signal, *_ in process.context.signals]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_without_f_setsig_the_signal_is_sigio_and_says_no_more(bench: Bench) -> None:
    bench.own(F_OWNER_PID, bench.reader.pid)
    bench.file.becomes(POLLIN)
    assert told(bench.reader) == [SIGIO]
    info = bench.reader.context.infos[0]
    assert info is not None
    assert not info.is_poll
    assert told(bench.world.init) == []


@pytest.mark.parametrize(
    ("ready", "reason", "band"),
    [
        (POLLIN, POLL_IN, READABLE),
        (POLLOUT, POLL_OUT, WRITABLE),
        (POLLIN | POLLOUT, POLL_IN, READABLE),
        (POLLIN | POLLHUP, POLL_HUP, POLLHUP | POLLERR),
        (POLLERR, POLL_HUP, POLLHUP | POLLERR),
    ],
)
def test_with_f_setsig_it_names_the_descriptor_and_what_happened(bench: Bench, ready: int, reason: int, band: int) -> None:
    bench.own(F_OWNER_PID, bench.reader.pid)
    bench.file.owner_signal = SIGUSR1
    bench.file.becomes(ready)
    assert told(bench.reader) == [SIGUSR1]
    assert bench.reader.context.infos == [SignalInfo(reason, 7, 0, band, is_poll=True)]


def test_only_what_woke_the_queue_and_holds_is_told(bench: Bench) -> None:
    bench.own(F_OWNER_PID, bench.reader.pid)
    bench.file.ready = POLLOUT
    bench.file.queue.wake(POLLIN)
    assert told(bench.reader) == []


def test_the_owner_is_a_thread_a_process_or_a_process_group(bench: Bench) -> None:
    thread, other = bench.reader.thread(), bench.world.init.fork()
    bench.own(F_OWNER_TID, thread.task.tid)
    bench.file.becomes(POLLIN)
    assert thread.context.signals[0][:2] == (SIGIO, True)
    bench.own(F_OWNER_PGRP, 1)
    bench.file.becomes(POLLIN)
    assert [told(process) for process in (bench.world.init, bench.reader, other)] == [[SIGIO]] * 3
    assert bench.reader.context.signals[0][:2] == (SIGIO, False)
    for kind in (F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP):
        bench.own(kind, NOBODY)
        bench.file.becomes(POLLIN)
    assert told(other) == [SIGIO]


@pytest.mark.parametrize(
    ("uid", "euid", "is_allowed"),
    [(1000, 1000, True), (1000, 5, True), (5, 1000, True), (5, 0, True), (5, 6, False), (0, 6, False)],
)
@pytest.mark.parametrize("kind", [F_OWNER_TID, F_OWNER_PID])
def test_who_said_so_must_be_allowed_to_signal_the_owner(bench: Bench, uid: int, euid: int, is_allowed: bool, kind: int) -> None:
    bench.reader.become(1000)
    bench.own(kind, bench.reader.pid, uid, euid)
    bench.file.becomes(POLLIN)
    assert told(bench.reader) == [SIGIO] * is_allowed


def test_it_ends_when_it_is_switched_off(bench: Bench) -> None:
    bench.own(F_OWNER_PID, bench.reader.pid)
    bench.switch(is_on=True)  # again: still one signal
    bench.file.becomes(POLLIN)
    assert told(bench.reader) == [SIGIO]
    bench.file.flags = 0
    bench.file.becomes(POLLIN)
    bench.switch(is_on=False)
    bench.file.flags = O_ASYNC
    bench.file.becomes(POLLIN)
    assert told(bench.reader) == [SIGIO]
    assert not bench.file.queue
    assert not bench.file.on_release
    bench.switch(is_on=False)


def test_it_ends_with_the_description(bench: Bench) -> None:
    (callback,) = bench.file.on_release
    callback()
    assert not bench.file.queue
    assert bench.file.stop_async is None


def test_files_without_it_are_left_alone(bench: Bench) -> None:
    file: Any = File()
    file.has_async = False
    set_async(bench.world.init.task, file, 7, is_on=True)
    assert not file.queue


def test_a_file_that_nobody_owns_tells_nobody(bench: Bench) -> None:
    bench.file.becomes(POLLIN)
    tell_message(bench.world.kernel, bench.file, 7)
    assert told(bench.world.init) == told(bench.reader) == []


def test_a_broken_lease_is_a_message(bench: Bench) -> None:
    """fcntl(2), "Leases": with F_SETSIG the si_code is POLL_MSG."""
    bench.own(F_OWNER_PID, bench.reader.pid)
    bench.file.owner_signal = SIGUSR1
    tell_message(bench.world.kernel, bench.file, 9)
    (info,) = bench.reader.context.infos
    assert info is not None
    assert (told(bench.reader), info.code, info.pid) == ([SIGUSR1], POLL_MSG, 9)
