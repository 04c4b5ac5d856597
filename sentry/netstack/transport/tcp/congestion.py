"""Congestion control: NewReno (RFC 5681, RFC 6582) and CUBIC (RFC 9438); windows are in bytes."""

from typing import Protocol

from sentry.netstack.interface import SECOND

INITIAL_SEGMENTS = 10  # RFC 6928
_BETA, _C = 0.7, 0.4  # RFC 9438 sections 4.6 and 4.1
_WINDOW_MAX = 1 << 30


class Congestion(Protocol):
    """``window`` and ``threshold`` (ssthresh) of one connection."""

    name: str
    window: int
    threshold: int

    def on_ack(self, acked: int, now: int, rtt: int) -> None:
        """Bytes were acknowledged while nothing was being recovered and the window was in use."""

    def on_loss(self, flight: int, now: int) -> None:
        """A loss was found by duplicates: the window of the recovery."""

    def on_timeout(self, flight: int, now: int) -> None:
        """The retransmission timer ran out (RFC 5681 section 3.1, equation 4)."""


class NewReno:
    """Slow start and congestion avoidance as in RFC 5681 section 3.1."""

    name = "reno"

    def __init__(self, mss: int) -> None:
        self.mss = mss
        self.window = INITIAL_SEGMENTS * mss
        self.threshold = _WINDOW_MAX
        self.credit = 0

    def on_ack(self, acked: int, now: int, rtt: int) -> None:
        """Grow by what was acknowledged, however much (RFC 9406 section 4.2), or by a segment each window."""
        if self.window < self.threshold:
            self.window = min(self.window + acked, _WINDOW_MAX)
            return
        self.credit += acked
        if self.credit >= self.window:
            self.credit -= self.window
            self.window = min(self.window + self.mss, _WINDOW_MAX)

    def on_loss(self, flight: int, now: int) -> None:
        """Halve."""
        self.threshold = max(flight // 2, 2 * self.mss)
        self.window = self.threshold

    def on_timeout(self, flight: int, now: int) -> None:
        """Begin again with one segment."""
        self.threshold = max(flight // 2, 2 * self.mss)
        self.window = self.mss


class Cubic:
    """RFC 9438 with fast convergence; in slow start it is NewReno."""

    name = "cubic"

    def __init__(self, mss: int) -> None:
        self.mss = mss
        self.window = INITIAL_SEGMENTS * mss
        self.threshold = _WINDOW_MAX
        self.maximum = 0.0  # W_max, in segments
        self.epoch: int | None = None
        self.origin = 0.0  # K, in seconds
        self.estimate = 0.0  # W_est, in segments
        self.credit = 0.0

    def on_ack(self, acked: int, now: int, rtt: int) -> None:
        """Follow the cubic function, or Reno's where that is more (RFC 9438 sections 4.2 to 4.5)."""
        if self.window < self.threshold:
            self.window = min(self.window + acked, _WINDOW_MAX)
            return
        segments = self.window / self.mss
        if self.epoch is None:
            self.epoch = now
            self.maximum = max(self.maximum, segments)
            self.origin = ((self.maximum - segments) / _C) ** (1 / 3)
            self.estimate = segments
        elapsed = (now - self.epoch + rtt) / SECOND
        target = _C * (elapsed - self.origin) ** 3 + self.maximum
        self.estimate += 3 * (1 - _BETA) / (1 + _BETA) * (acked / self.window)
        target = min(max(target, segments), 1.5 * segments)
        if self.estimate > target:
            self.window = max(self.window, int(self.estimate * self.mss))
            return
        self.credit += (target - segments) / segments * acked
        if self.credit >= 1:
            self.window = min(self.window + int(self.credit), _WINDOW_MAX)
            self.credit -= int(self.credit)

    def _reduce(self, flight: int) -> None:
        segments = self.window / self.mss
        self.maximum = segments * (1 + _BETA) / 2 if segments < self.maximum else segments  # fast convergence, section 4.7
        self.threshold = max(int(flight * _BETA), 2 * self.mss)
        self.epoch = None

    def on_loss(self, flight: int, now: int) -> None:
        """Shrink by the factor 0.7 (RFC 9438 section 4.6)."""
        self._reduce(flight)
        self.window = self.threshold

    def on_timeout(self, flight: int, now: int) -> None:
        """Begin again with one segment (RFC 9438 section 4.8)."""
        self._reduce(flight)
        self.window = self.mss


ALGORITHMS: dict[str, type[NewReno] | type[Cubic]] = {"reno": NewReno, "cubic": Cubic}
