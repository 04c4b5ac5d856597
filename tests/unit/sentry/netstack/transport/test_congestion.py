"""Windows and timeouts by the formulas of RFC 5681, RFC 9438 and RFC 6298, with numbers worked out by hand."""

import pytest

from sentry.netstack.transport.tcp.congestion import ALGORITHMS, Cubic, NewReno
from sentry.netstack.transport.tcp.rtt import RoundTrip

MSS = 1000
SECOND, MS = 1_000_000_000, 1_000_000


@pytest.mark.parametrize("name", ["reno", "cubic"])
def test_slow_start(name: str) -> None:
    control = ALGORITHMS[name](MSS)
    assert control.name == name
    assert control.window == 10 * MSS  # RFC 6928
    control.on_ack(500, 0, MS)
    assert control.window == 10_500
    control.on_ack(2 * MSS, 0, MS)
    assert control.window == 12_500
    control.on_ack(9 * MSS, 0, MS)
    assert control.window == 21_500  # RFC 9406 section 4.2: an acknowledgement counts whole
    for _ in range(600_000):
        if control.window == 1 << 30:
            break
        control.window = max(control.window, (1 << 30) - 1500)
        control.on_ack(2 * MSS, 0, MS)
    assert control.window == 1 << 30


@pytest.mark.parametrize(("flight", "half"), [(20_000, 10_000), (20_001, 10_000), (4000, 2000), (3000, 2000), (0, 2000)])
def test_reno_halves(flight: int, half: int) -> None:
    control = NewReno(MSS)
    control.on_loss(flight, 0)
    assert (control.window, control.threshold) == (half, half)
    control = NewReno(MSS)
    control.on_timeout(flight, 0)
    assert (control.window, control.threshold) == (MSS, half)


def test_reno_adds_a_segment_for_each_window() -> None:
    control = NewReno(MSS)
    control.on_loss(8 * MSS, 0)
    for _ in range(3):
        control.on_ack(MSS, 0, MS)
    assert control.window == 4 * MSS
    control.on_ack(MSS, 0, MS)
    assert control.window == 5 * MSS
    for _ in range(4):
        control.on_ack(MSS, 0, MS)
    assert control.window == 5 * MSS
    control.on_ack(MSS, 0, MS)
    assert control.window == 6 * MSS


@pytest.mark.parametrize(("flight", "left"), [(20_000, 14_000), (100_000, 70_000), (2000, 2000), (0, 2000)])
def test_cubic_shrinks_by_three_tenths(flight: int, left: int) -> None:
    control = Cubic(MSS)
    control.on_loss(flight, 0)
    assert (control.window, control.threshold) == (left, left)
    control = Cubic(MSS)
    control.on_timeout(flight, 0)
    assert (control.window, control.threshold) == (MSS, left)


def test_cubic_comes_back_to_where_it_lost_after_k_seconds() -> None:
    """RFC 9438 section 4.2: W(t) = C (t - K)^3 + W_max, K = cbrt((W_max - cwnd) / C); here 100, 70 segments: K = 4.217 s."""
    control = Cubic(MSS)
    control.window = 100 * MSS
    control.on_loss(100 * MSS, 0)
    assert control.window == 70 * MSS
    now, rtt = 0, SECOND // 10
    seen: dict[int, int] = {}
    for step in range(1, 100):
        for _ in range(control.window // MSS):
            control.on_ack(MSS, now, rtt)
        now += rtt
        seen[step] = control.window // MSS
    assert seen[1] < 75  # W(0.1) = 72.1
    assert 85 <= seen[15] <= 93  # W(1.5) = 92.0
    assert 97 <= seen[42] <= 101  # W(4.2) = 100.0
    assert 100 <= seen[60] <= 104  # W(6) = 102.3
    assert 125 <= seen[90] <= 145  # W(9) = 143.7
    assert list(seen.values()) == sorted(seen.values())


def test_cubic_is_never_slower_than_reno_would_be() -> None:
    """RFC 9438 section 4.3: with a small window and a short trip W_est decides; it grows by 3 (1 - b) / (1 + b) a window."""
    control = Cubic(MSS)
    control.window = 10 * MSS
    control.on_loss(10 * MSS, 0)
    assert control.window == 7 * MSS
    for _ in range(20):
        for _ in range(control.window // MSS):
            control.on_ack(MSS, 0, MS)
    assert 16 <= control.window // MSS <= 19  # 7 + 20 * 0.53


def test_cubic_gives_way_when_it_loses_again_below_its_maximum() -> None:
    """RFC 9438 section 4.7: the maximum is set to cwnd (1 + b) / 2."""
    control = Cubic(MSS)
    control.window = 100 * MSS
    control.on_loss(100 * MSS, 0)
    assert control.maximum == 100
    control.on_loss(70 * MSS, 0)
    assert control.maximum == pytest.approx(59.5)


def test_the_timeout_starts_at_a_second() -> None:
    trip = RoundTrip()
    assert trip.timeout() == SECOND
    trip.backoff = 1
    assert trip.timeout() == 2 * SECOND
    trip.backoff = 6
    assert trip.timeout() == 64 * SECOND
    trip.backoff = 7
    assert trip.timeout() == 120 * SECOND
    trip.backoff = 60
    assert trip.timeout() == 120 * SECOND


def test_samples_are_smoothed() -> None:
    """RFC 6298 section 2: SRTT = R, RTTVAR = R/2; then beta = 1/4 before alpha = 1/8."""
    trip = RoundTrip()
    trip.backoff = 3
    trip.sample(400 * MS)
    assert (trip.srtt, trip.variation, trip.backoff, trip.smallest) == (400 * MS, 200 * MS, 0, 400 * MS)
    assert trip.timeout() == 1200 * MS
    trip.sample(800 * MS)
    assert (trip.srtt, trip.variation, trip.smallest) == (450 * MS, 250 * MS, 400 * MS)
    assert trip.timeout() == 1450 * MS
    trip.sample(50 * MS)
    assert (trip.srtt, trip.variation, trip.smallest) == (400 * MS, 287_500_000, 50 * MS)


def test_a_steady_path_keeps_the_least_timeout() -> None:
    trip = RoundTrip()
    for _ in range(100):
        trip.sample(MS)
    assert trip.timeout() == 201 * MS  # the variation adds 200 ms at least, as on Linux
    trip.sample(0)
    assert trip.smallest == 1
