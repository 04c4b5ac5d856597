"""System V segments: an attachment is a mapping, and a removed segment goes with the last of them (shmctl(2), IPC_RMID)."""

from typing import Any

import pytest

from sentry.ipc import shared_memory
from sentry.ipc.permission import IpcPerm
from sentry.ipc.shared_memory import Segment
from sentry.ipc.table import IdTable
from sentry.kernel.creds import Credentials
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import IPC_PRIVATE, SHM_DEST, SHM_LOCKED

ROOT = Credentials(0, 0, 0, 0, 0, 0, 0, 0)


class Memory:
    def __init__(self) -> None:
        self.is_freed = False

    def identity(self) -> tuple[int, int]:
        return 1, 2

    def free(self) -> None:
        assert not self.is_freed
        self.is_freed = True


class Process:
    def __init__(self, pid: int) -> None:
        self.tgid, self.host_pid = pid, 1000 + pid
        self.is_alive = True
        self.segments: set[Segment] = set()


class Bench:
    """A segment, and the host's table of mappings: how often each host process has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mapped: dict[int, int] = {}
        self.now = 100
        monkeypatch.setattr(shared_memory, "mappings_of", lambda pid, identity: [None] * self.mapped.get(pid, 0))
        self.table: IdTable[Segment] = IdTable()
        self.memory = Memory()
        memory: Any = self.memory
        self.segment = Segment(self.table, IpcPerm(7, 0o600, ROOT), memory, 5000, 3, lambda: self.now)
        self.id = self.table.add(self.segment, 10)

    def process(self, pid: int, mappings: int = 1) -> Any:
        group: Any = Process(pid)
        self.mapped[group.host_pid] = mappings
        self.segment.attach(group)
        return group

    @property
    def is_there(self) -> bool:
        try:
            return self.table.get(self.id) is self.segment
        except SyscallError as error:
            assert error.errno == EINVAL
            return False


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_a_new_segment(bench: Bench) -> None:
    segment = bench.segment
    assert (segment.atime, segment.dtime, segment.ctime, segment.maker_pid, segment.last_pid) == (0, 0, 100, 3, 0)
    assert (segment.pages, segment.count()) == (2, 0)
    assert segment.fields() == (7, 0, 0, 0, 0, 0o600, 0)


@pytest.mark.parametrize(("size", "pages"), [(1, 1), (4095, 1), (4096, 1), (4097, 2)])
def test_a_started_page_counts(bench: Bench, size: int, pages: int) -> None:
    bench.segment.size = size
    assert bench.segment.pages == pages


def test_attachments_are_counted_by_mapping(bench: Bench) -> None:
    one, two = bench.process(11, mappings=2), bench.process(12)
    assert bench.segment.count() == 3
    bench.mapped[1011] = 0  # it has called munmap(2): nobody was told
    assert bench.segment.count() == 1
    assert (bench.segment.attached, one.segments, two.segments) == ({two}, set(), {bench.segment})
    two.is_alive = False  # its number may mean another process by now
    assert bench.segment.count() == 0


def test_attaching_and_detaching_leave_time_and_number(bench: Bench) -> None:
    bench.now = 200
    one = bench.process(11)
    assert (bench.segment.atime, bench.segment.last_pid, bench.segment.dtime) == (200, 11, 0)
    bench.process(12)
    bench.now = 300
    bench.segment.detached(one)
    assert (bench.segment.atime, bench.segment.last_pid, bench.segment.dtime) == (200, 11, 300)


def test_an_unused_segment_goes_at_once(bench: Bench) -> None:
    bench.segment.doom()
    assert bench.memory.is_freed
    assert not bench.is_there


def test_a_removed_segment_lives_until_the_last_process_has_left(bench: Bench) -> None:
    one, two = bench.process(11), bench.process(12)
    bench.segment.doom()
    assert (bench.segment.mode, bench.segment.perm.key) == (0o600 | SHM_DEST, IPC_PRIVATE)
    bench.segment.left(one)
    assert bench.is_there
    assert not bench.memory.is_freed
    bench.mapped[1012] = 0
    bench.segment.detached(two)
    assert bench.memory.is_freed
    assert not bench.is_there
    bench.segment.sweep()


def test_leaving_alone_destroys_nothing(bench: Bench) -> None:
    bench.segment.left(bench.process(11))
    assert bench.is_there
    assert not bench.memory.is_freed


def test_an_attachment_under_way_keeps_a_removed_segment(bench: Bench) -> None:
    bench.segment.pins = 1
    bench.segment.doom()
    assert bench.is_there
    bench.segment.pins = 0
    bench.segment.sweep()
    assert not bench.is_there


def test_a_locked_segment_says_so(bench: Bench) -> None:
    bench.segment.is_locked = True
    assert bench.segment.mode == 0o600 | SHM_LOCKED
