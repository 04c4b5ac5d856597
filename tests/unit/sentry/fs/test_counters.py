"""eventfd and timerfd."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import Guest, World

from syscalls.abi.errno import EAGAIN, EBADF, ECANCELED, EINVAL, EPERM
from syscalls.abi.eventfd import EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE
from syscalls.abi.poll import POLLFD, POLLIN, POLLOUT
from syscalls.abi.time import CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, ITIMERSPEC
from syscalls.abi.timerfd import TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET

MAX = 0xFFFFFFFFFFFFFFFF


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def guest(world: World) -> Guest:
    return world.guest()


def word(value: int) -> bytes:
    return struct.pack("<Q", value)


def events(guest: Guest, fd: int) -> int:
    addr = guest.alloc(POLLFD.pack(fd, POLLIN | POLLOUT, 0))
    guest.poll(addr, 1, 0)
    return int(POLLFD.unpack(guest.peek(addr, POLLFD.size))[2])


def test_a_count_is_taken_whole(guest: Guest) -> None:
    fd = guest.eventfd2(3, EFD_NONBLOCK)
    assert guest.put(fd, word(4)) == 8
    assert guest.get(fd, 8) == word(7)
    assert guest.get(fd, 8) == -EAGAIN


def test_a_semaphore_is_taken_one_by_one(guest: Guest) -> None:
    fd = guest.eventfd2(2, EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC)
    assert [guest.get(fd, 8) for _ in range(3)] == [word(1), word(1), -EAGAIN]


def test_only_whole_words(guest: Guest) -> None:
    fd = guest.eventfd(0)
    assert guest.put(fd, b"1234567") == -EINVAL
    assert guest.get(fd, 7) == -EINVAL
    assert guest.put(fd, word(MAX)) == -EINVAL
    assert guest.eventfd2(0, 0x80) == -EINVAL


def test_a_write_waits_for_room(world: World, guest: Guest) -> None:
    fd = guest.eventfd2(0, 0)
    assert events(guest, fd) == POLLOUT
    assert guest.put(fd, word(MAX - 1)) == 8
    assert events(guest, fd) == POLLIN
    guest.begin("write", fd, guest.alloc(word(1)), 8)
    assert guest.is_waiting
    peer = world.guest()
    peer.task.fds = guest.task.fds
    assert peer.get(fd, 8) == word(MAX - 1)
    world.run()
    assert guest.outcomes == [8]
    assert peer.get(fd, 8) == word(1)


def set_timer(guest: Guest, fd: int, value_ns: int, interval_ns: int = 0, flags: int = 0) -> int:
    spec = ITIMERSPEC.pack(*divmod(interval_ns, 10**9), *divmod(value_ns, 10**9))
    return int(guest.timerfd_settime(fd, flags, guest.alloc(spec), 0))


def rest(guest: Guest, fd: int) -> tuple[int, int]:
    addr = guest.alloc(ITIMERSPEC.size)
    assert guest.timerfd_gettime(fd, addr) == 0
    interval_s, interval_ns, value_s, value_ns = ITIMERSPEC.unpack(guest.peek(addr, ITIMERSPEC.size))
    return value_s * 10**9 + value_ns, interval_s * 10**9 + interval_ns


def test_a_reader_sleeps_until_the_timer_expires(world: World, guest: Guest) -> None:
    fd = guest.timerfd_create(CLOCK_MONOTONIC, 0)
    set_timer(guest, fd, 500)
    addr = guest.alloc(8)
    guest.begin("read", fd, addr, 8)
    world.run(499)
    assert guest.is_waiting
    world.run(1)
    assert guest.outcomes == [8]
    assert guest.peek(addr, 8) == word(1)
    assert rest(guest, fd) == (0, 0)


def test_a_periodic_timer_counts_what_nobody_read_and_does_not_tick_meanwhile(world: World, guest: Guest) -> None:
    fd = guest.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)
    set_timer(guest, fd, 100, 10)
    assert guest.get(fd, 8) == -EAGAIN
    world.run(100)
    assert events(guest, fd) == POLLIN
    world.run(35)
    assert world.runner.next_deadline_ns() is None
    assert guest.get(fd, 8) == word(4)
    assert rest(guest, fd) == (5, 10)
    world.run(5)
    assert guest.get(fd, 8) == word(1)


def test_absolute_times_and_disarming(world: World, guest: Guest) -> None:
    fd = guest.timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK)
    now = world.kernel.realtime_ns()
    set_timer(guest, fd, now - 5, 0, TFD_TIMER_ABSTIME)
    assert guest.get(fd, 8) == word(1)
    set_timer(guest, fd, now + 50, 0, TFD_TIMER_ABSTIME)
    assert rest(guest, fd) == (50, 0)
    set_timer(guest, fd, 0)
    world.run(1000)
    assert guest.get(fd, 8) == -EAGAIN


def test_setting_the_clock_cancels_who_asked_for_it(world: World, guest: Guest) -> None:
    fd = guest.timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK)
    set_timer(guest, fd, world.kernel.realtime_ns() + 10**12, 0, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)
    assert guest.get(fd, 8) == -EAGAIN
    world.realtime_offset_ns += 10**10
    assert guest.get(fd, 8) == -ECANCELED
    assert guest.get(fd, 8) == -EAGAIN


def test_timer_errors(world: World, guest: Guest) -> None:
    fd = guest.timerfd_create(CLOCK_MONOTONIC, 0)
    assert guest.timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0) == -EINVAL
    assert world.guest(uid=1000).timerfd_create(CLOCK_BOOTTIME_ALARM, 0) == -EPERM
    assert guest.timerfd_create(CLOCK_MONOTONIC, 1) == -EINVAL
    assert guest.timerfd_settime(fd, 0, guest.alloc(ITIMERSPEC.pack(0, 0, 0, 10**9)), 0) == -EINVAL
    assert guest.timerfd_settime(99, 0, guest.alloc(ITIMERSPEC.size), 0) == -EBADF
    assert guest.timerfd_gettime(guest.eventfd(0), guest.alloc(32)) == -EINVAL
    assert guest.put(fd, word(1)) == -EINVAL
