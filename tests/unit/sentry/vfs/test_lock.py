"""Locks and leases: who is woken, what is left of a range, and what happens when a lease's time is over."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.vfs.lease import BREAK_TIME_NS, break_leases, drop_lease, lease_of, set_lease
from sentry.vfs.lock import END, RECORDS_MAX, FileLocks, Record
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_RDLCK, F_UNLCK, F_WRLCK

ONE, TWO = object(), object()


class Description:
    """What locks need of an open file."""

    def __init__(self) -> None:
        self.lock_owner: object = None
        self.owner: object = "somebody"
        self.owner_signal = 9


def file() -> Any:
    return Description()


def refused(errno: int, act: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(SyscallError) as caught:
        act(*args, **kwargs)
    assert caught.value.errno == errno


class Queue:
    """Counts the wake-ups."""

    def __init__(self) -> None:
        self.woken = 0

    def __bool__(self) -> bool:
        return True

    def wake(self, *_: object) -> None:
        self.woken += 1

    def taken(self) -> bool:
        woken, self.woken = self.woken, 0
        return woken > 0


@pytest.fixture
def locks() -> Any:
    made = FileLocks()
    made.queue = Queue()  # type: ignore[assignment]
    return made


def ranges(locks: FileLocks, owner: object = ONE) -> list[tuple[int, int, int]]:
    return [(one.start, one.end, one.kind) for one in locks.records() if one.owner is owner]


def put(locks: FileLocks, start: int, end: int, kind: int, owner: object = ONE) -> bool:
    return locks.try_record(Record(start, end, kind, owner, 7))


@pytest.mark.parametrize(
    ("start", "end", "kind", "left"),
    [
        (0, 3, F_UNLCK, [(10, 19, F_RDLCK)]),
        (5, 9, F_UNLCK, [(10, 19, F_RDLCK)]),
        (5, 10, F_UNLCK, [(11, 19, F_RDLCK)]),
        (12, 15, F_UNLCK, [(10, 11, F_RDLCK), (16, 19, F_RDLCK)]),
        (19, 25, F_UNLCK, [(10, 18, F_RDLCK)]),
        (20, 25, F_UNLCK, [(10, 19, F_RDLCK)]),
        (10, 19, F_UNLCK, []),
        (0, END, F_UNLCK, []),
        (5, 9, F_RDLCK, [(5, 19, F_RDLCK)]),
        (5, 8, F_RDLCK, [(5, 8, F_RDLCK), (10, 19, F_RDLCK)]),
        (20, 22, F_RDLCK, [(10, 22, F_RDLCK)]),
        (21, 22, F_RDLCK, [(10, 19, F_RDLCK), (21, 22, F_RDLCK)]),
        (12, 13, F_RDLCK, [(10, 19, F_RDLCK)]),
        (5, 9, F_WRLCK, [(5, 9, F_WRLCK), (10, 19, F_RDLCK)]),
        (5, 10, F_WRLCK, [(5, 10, F_WRLCK), (11, 19, F_RDLCK)]),
        (12, 13, F_WRLCK, [(10, 11, F_RDLCK), (12, 13, F_WRLCK), (14, 19, F_RDLCK)]),
        (10, 19, F_WRLCK, [(10, 19, F_WRLCK)]),
    ],
)
def test_an_owner_s_ranges_split_and_join(
    locks: FileLocks, start: int, end: int, kind: int, left: list[tuple[int, int, int]]
) -> None:
    assert put(locks, 10, 19, F_RDLCK)
    assert put(locks, start, end, kind)
    assert ranges(locks) == left


@pytest.mark.parametrize(
    ("start", "end", "kind", "is_free"),
    [(0, 9, F_WRLCK, True), (0, 10, F_WRLCK, False), (0, 10, F_RDLCK, True), (19, 30, F_WRLCK, False), (20, 30, F_WRLCK, True)],
)
def test_others_keep_off(locks: FileLocks, start: int, end: int, kind: int, is_free: bool) -> None:
    put(locks, 10, 19, F_RDLCK)
    assert put(locks, start, end, kind, TWO) is is_free
    assert bool(ranges(locks, TWO)) is is_free


def test_there_are_only_so_many_records(locks: FileLocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentry.vfs.lock.RECORDS_MAX", 3)
    assert RECORDS_MAX == 65_536
    for number in range(3):
        put(locks, number * 10, number * 10, F_WRLCK)
    refused(e.ENOLCK, put, locks, 100, 100, F_WRLCK)


def test_who_is_woken(locks: Any) -> None:
    a, b = file(), file()
    assert locks.try_flock(a, is_exclusive=True)
    assert not locks.queue.taken()
    assert locks.try_flock(a, is_exclusive=True)
    assert not locks.try_flock(b, is_exclusive=False)
    assert locks.try_flock(a, is_exclusive=False)
    assert locks.queue.taken()  # a conversion lets go first
    assert locks.try_flock(b, is_exclusive=False)
    assert not locks.try_flock(b, is_exclusive=True)
    assert locks.flocks() == [(False, 0)]  # and is lost if it fails
    locks.queue.taken()
    locks.unflock(b)
    assert not locks.queue.taken()
    locks.unflock(a)
    assert locks.queue.taken()
    assert locks.flocks() == []
    put(locks, 0, 5, F_WRLCK)
    locks.queue.taken()
    locks.release_posix(TWO)
    assert not locks.queue.taken()
    locks.release_posix(ONE)
    assert locks.queue.taken()
    assert locks.records() == []


def test_the_last_close_gives_everything_back(locks: Any) -> None:
    a = file()
    locks.try_flock(a, is_exclusive=True, pid=5)
    put(locks, 0, 5, F_WRLCK, a)
    put(locks, 8, 9, F_WRLCK, ONE)
    set_lease(locks, a, F_RDLCK, lambda: None)
    assert a.lock_owner is a
    assert locks.flocks() == [(True, 5)]
    locks.queue.taken()
    locks.release_file(a)
    assert locks.queue.taken()
    assert (locks.flocks(), ranges(locks, a), locks.leases, ranges(locks)) == ([], [], [], [(8, 9, F_WRLCK)])


def test_leases_stand_in_each_other_s_way(locks: Any) -> None:
    a, b = file(), file()
    set_lease(locks, a, F_RDLCK, lambda: None)
    refused(e.EAGAIN, set_lease, locks, b, F_WRLCK, lambda: None)
    set_lease(locks, b, F_RDLCK, lambda: None, 3)
    refused(e.EAGAIN, set_lease, locks, a, F_WRLCK, lambda: None)
    assert lease_of(locks, b).pid == 3  # type: ignore[union-attr]
    locks.queue.taken()
    drop_lease(locks, b)
    assert locks.queue.taken()
    assert (b.owner, b.owner_signal) == (None, 0)
    refused(e.EAGAIN, drop_lease, locks, b)
    refused(e.EAGAIN, drop_lease, None, b)
    set_lease(locks, a, F_WRLCK, lambda: None)
    assert locks.queue.taken()
    refused(e.EAGAIN, set_lease, locks, b, F_RDLCK, lambda: None)


class Desk:
    """A clock, a runner and somebody who opens the file."""

    def __init__(self, locks: FileLocks) -> None:
        self.now = 5
        self.runner = Runner(lambda: self.now)
        self.inode: Any = SimpleNamespace(locks=locks)
        self.told = 0

    def tell(self) -> None:
        self.told += 1

    def open(self, *, is_write: bool, nowait: bool = False) -> list[object]:
        result: list[object] = []
        fiber = Fiber(self.runner, lambda value: result.append("done"), result.append)
        task: Any = SimpleNamespace(kernel=SimpleNamespace(runner=self.runner), fiber=fiber)
        fiber.start(break_leases(task, self.inode, is_write=is_write, nowait=nowait))
        return result

    def pass_time(self, count: int) -> None:
        self.now += count
        self.runner.run_ready()


@pytest.mark.parametrize(
    ("kind", "is_write", "waits", "left"),
    [(F_RDLCK, False, False, F_RDLCK), (F_RDLCK, True, True, None), (F_WRLCK, False, True, F_RDLCK), (F_WRLCK, True, True, None)],
)
def test_a_lease_holds_an_opener_up_for_its_time(kind: int, is_write: bool, waits: bool, left: int | None) -> None:
    locks = FileLocks()
    desk, holder = Desk(locks), file()
    set_lease(locks, holder, kind, desk.tell)
    refusal = desk.open(is_write=is_write, nowait=True)
    assert [getattr(one, "errno", one) for one in refusal] == ([e.EAGAIN] if waits else ["done"])
    result = desk.open(is_write=is_write)
    assert desk.told == (1 if waits else 0)
    assert bool(result) is not waits
    if not waits:
        return
    target = F_UNLCK if is_write else F_RDLCK
    assert lease_of(locks, holder).target == target  # type: ignore[union-attr]
    refused(e.EAGAIN, set_lease, locks, holder, F_WRLCK, desk.tell)
    desk.pass_time(BREAK_TIME_NS - 1)
    assert not result
    desk.pass_time(1)
    assert result == ["done"]
    lease = lease_of(locks, holder)
    assert (lease.kind if lease is not None else None) == left
    if lease is not None:
        assert lease.target is None


def test_giving_way_lets_the_opener_in() -> None:
    locks = FileLocks()
    desk, holder = Desk(locks), file()
    set_lease(locks, holder, F_WRLCK, desk.tell)
    reader, writer = desk.open(is_write=False), desk.open(is_write=True)
    assert desk.told == 2  # a writer wants more than the reader did
    refused(e.EAGAIN, set_lease, locks, holder, F_RDLCK, desk.tell)
    drop_lease(locks, holder)
    desk.runner.run_ready()
    assert (reader, writer) == (["done"], ["done"])
    set_lease(locks, holder, F_WRLCK, desk.tell)
    reader = desk.open(is_write=False)
    set_lease(locks, holder, F_RDLCK, desk.tell)
    desk.runner.run_ready()
    assert reader == ["done"]
