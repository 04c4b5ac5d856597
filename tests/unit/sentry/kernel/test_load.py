"""Load averages are made from processor time when somebody looks."""

import pytest

from sentry.kernel.load import LoadAverages

SECOND = 1_000_000_000


def test_two_busy_processors_for_a_long_time_are_two():
    load = LoadAverages()
    assert load.read(7200 * SECOND, 14400 * SECOND) == pytest.approx((2, 2, 2), abs=0.01)


def test_the_short_average_moves_first_and_forgets_first():
    load = LoadAverages()
    one, five, fifteen = load.read(60 * SECOND, 60 * SECOND)
    assert one == pytest.approx(0.632, abs=0.001)
    assert one > five > fifteen > 0
    later = load.read(120 * SECOND, 60 * SECOND)
    assert later[0] == pytest.approx(one * 0.368, abs=0.001)
    assert later[2] > fifteen * 0.9


def test_time_that_was_lost_with_an_orphan_is_not_negative():
    load = LoadAverages()
    before = load.read(60 * SECOND, 60 * SECOND)
    assert load.read(60 * SECOND, 0) == before
    assert all(0 <= average <= old for average, old in zip(load.read(70 * SECOND, 0), before, strict=True))
