"""Time-outs in guest memory: read, checked, and written back with what is left."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.kernel.timeout import Timeout, to_nanoseconds
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import Fault, SyscallError
from syscalls.abi.time import TIMESPEC, TIMEVAL

AT = 0x1000
SECOND = 1_000_000_000


class Guest:
    """A task whose memory is one structure and whose clock the test moves."""

    def __init__(self, layout: Any, seconds: int, fraction: int) -> None:
        self.now = 7 * SECOND
        self.stored: tuple[int, ...] | None = None
        self.is_read_only = False
        self.layout = layout
        self.value = (seconds, fraction)
        memory = SimpleNamespace(read_struct=lambda layout, addr: self.value, write=self._write)
        kernel = SimpleNamespace(runner=SimpleNamespace(monotonic_ns=lambda: self.now))
        self.task: Any = SimpleNamespace(memory=memory, kernel=kernel)

    def _write(self, addr: int, data: bytes) -> None:
        assert addr == AT
        if self.is_read_only:
            raise Fault
        self.stored = self.layout.unpack(data)


@pytest.mark.parametrize(
    ("seconds", "fraction", "unit", "expected"),
    [
        (0, 0, 1, 0),
        (1, 5, 1, SECOND + 5),
        (1, 5, 1000, SECOND + 5000),
        (0, 999_999_999, 1, 999_999_999),
        (2, 999_999, 1000, 2 * SECOND + 999_999_000),
    ],
)
def test_times(seconds: int, fraction: int, unit: int, expected: int) -> None:
    assert to_nanoseconds(seconds, fraction, unit) == expected


@pytest.mark.parametrize(("seconds", "fraction", "unit"), [(-1, 0, 1), (0, -1, 1), (0, SECOND, 1), (0, 1_000_000, 1000)])
def test_bad_times(seconds: int, fraction: int, unit: int) -> None:
    with pytest.raises(SyscallError) as caught:
        to_nanoseconds(seconds, fraction, unit)
    assert caught.value.errno == EINVAL


def test_a_time_beyond_all_clocks_is_bounded() -> None:
    assert (1 << 62) < to_nanoseconds((1 << 63) - 1, 0) < 1 << 63


@pytest.mark.parametrize(
    ("layout", "value", "passed_ns", "left"),
    [
        (TIMESPEC, (3, 500), 1 * SECOND, (2, 500)),
        (TIMESPEC, (3, 500), 2 * SECOND + 501, (0, 999_999_999)),
        (TIMEVAL, (3, 500), 1 * SECOND, (2, 500)),
        (TIMEVAL, (0, 2_500_000), 1 * SECOND, (1, 500_000)),
        (TIMEVAL, (1, 0), 1_999, (0, 999_998)),
        (TIMESPEC, (1, 0), 5 * SECOND, (0, 0)),
    ],
)
def test_the_rest_is_stored(layout: Any, value: tuple[int, int], passed_ns: int, left: tuple[int, int]) -> None:
    guest = Guest(layout, *value)
    timeout = Timeout(guest.task, AT, layout)
    guest.now += passed_ns
    timeout.store_rest()
    assert guest.stored == left


def test_for_ever_and_not_at_all() -> None:
    guest = Guest(TIMESPEC, 0, 0)
    for_ever = Timeout(guest.task, 0, TIMESPEC)
    assert for_ever.deadline_ns is None
    assert not for_ever.is_zero
    at_once = Timeout(guest.task, AT, TIMESPEC)
    assert (at_once.deadline_ns, at_once.is_zero) == (guest.now, True)
    for_ever.store_rest()
    at_once.store_rest()
    assert guest.stored is None


def test_an_unwritable_place_is_no_error() -> None:
    guest = Guest(TIMESPEC, 1, 0)
    guest.is_read_only = True
    Timeout(guest.task, AT, TIMESPEC).store_rest()
    assert guest.stored is None
