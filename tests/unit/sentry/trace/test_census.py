"""Counting calls: results, commands, waiting, and bounds on what a guest can make the sentry remember."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.sched.wait import Interrupted
from sentry.trace import census as module
from sentry.trace.census import Census
from syscalls.abi.errors import SyscallError


class Memory:
    """A guest whose addresses are indexes of strings."""

    def __init__(self, *strings: bytes) -> None:
        self.strings = strings

    def read_string(self, addr: int, limit: int) -> bytes | None:
        if addr > len(self.strings):
            raise SyscallError(14)
        return self.strings[addr - 1]


def entry(name: str, *kinds: str) -> Any:
    return SimpleNamespace(name=name, arguments=[SimpleNamespace(kind=SimpleNamespace(name=kind)) for kind in kinds])


def task(*strings: bytes) -> Any:
    return SimpleNamespace(memory=SimpleNamespace(guest=Memory(*strings)))


@pytest.fixture
def census() -> Census:
    ticks = iter(range(0, 10**9, 10))
    return Census(lambda: next(ticks))


def finish(coro: Any) -> Any:
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


def use(census: Census, name: str, *values: int) -> tuple[int, dict[int, int]]:
    found = census.uses[name, values]
    return found.count, found.errors


def test_results_are_kept_by_command(census: Census) -> None:
    def prctl(_: Any, option: int, *_rest: int) -> int:
        if option == 99:
            raise SyscallError(22)
        return -1 if option == 98 else 0

    counted = census.trace(entry("prctl", "int"), prctl)
    assert counted(task(), 15) == 0
    assert counted(task(), 15) == 0
    assert counted(task(), 98) == -1
    with pytest.raises(SyscallError):
        counted(task(), 99)
    assert use(census, "prctl", 15) == (2, {})
    assert use(census, "prctl", 98) == (1, {1: 1})
    assert use(census, "prctl", 99) == (1, {22: 1})
    assert census.uses["prctl", (15,)].ns == 20


def test_a_call_that_waits_counts_when_it_ends(census: Census) -> None:
    async def read(_: Any, outcome: object) -> int:
        if isinstance(outcome, BaseException):
            raise outcome
        assert isinstance(outcome, int)
        return outcome

    counted = census.trace(entry("read", "fd"), read)
    assert finish(counted(task(), 7)) == 7
    with pytest.raises(SyscallError):
        finish(counted(task(), SyscallError(9)))
    with pytest.raises(Interrupted):
        finish(counted(task(), Interrupted(512)))
    assert use(census, "read") == (3, {4: 1, 9: 1})


def test_files_of_proc_without_process_numbers(census: Census) -> None:
    counted = census.trace(entry("openat", "fd", "path", "int"), lambda *_: 3)
    strings = (b"/proc/12/task/34/stat", b"/etc/passwd", b"/proc/99/task/1/stat", b"/sys/fs/cgroup", b"/proc/self/fd/1")
    for addr in (0, 1, 2, 3, 4, 5, 77):
        counted(task(*strings), 1, addr, 0)
    assert census.files == {b"/proc/N/task/N/stat": 2, b"/sys/fs/cgroup": 1, b"/proc/self/fd/N": 1}


def test_what_a_guest_can_fill_is_bounded(census: Census, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MAX", 3)
    monkeypatch.setattr(module, "FILES_MAX", 2)
    counted = census.trace(entry("ioctl", "fd", "ulong"), lambda *_: 0)
    for request in range(10):
        counted(task(), 0, request)
    assert use(census, "ioctl") == (7, {})
    assert len(census.uses) == 4
    opened = census.trace(entry("stat", "path"), lambda *_: 0)
    for number in range(5):
        opened(task(b"/proc/%s" % bytes([97 + number])), 1)
    assert len(census.files) == 2


def test_report_is_plain_data(census: Census) -> None:
    census.missing("io_setup", (1, 2, 3, 4, 5, 6), 38)
    assert census.report() == {"uses": [["io_setup", [], 1, 10, [[38, 1]]]], "files": []}
