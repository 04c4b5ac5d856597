"""The retransmission timeout (RFC 6298) in nanoseconds; its minimum is Linux's 200 ms instead of a second."""

from sentry.netstack.interface import MILLISECOND, SECOND

MIN, MAX, INITIAL = 200 * MILLISECOND, 120 * SECOND, SECOND


class RoundTrip:
    """``srtt`` is 0 before the first sample; ``backoff`` doubles the timeout as often."""

    __slots__ = ("backoff", "smallest", "srtt", "variation")

    def __init__(self) -> None:
        self.srtt = 0
        self.variation = 0
        self.backoff = 0
        self.smallest = 0

    def sample(self, rtt: int) -> None:
        """Take a measurement of a segment that was sent once (Karn's algorithm, RFC 6298 sections 2 and 3)."""
        rtt = max(rtt, 1)
        self.smallest = min(self.smallest or rtt, rtt)
        if not self.srtt:
            self.srtt, self.variation = rtt, rtt // 2
        else:
            self.variation += (abs(self.srtt - rtt) - self.variation) >> 2
            self.srtt += (rtt - self.srtt) >> 3
        self.backoff = 0

    def timeout(self) -> int:
        """The timeout now, with backoff (RFC 6298 sections 2.4 and 5.5)."""
        base = max(self.srtt + max(4 * self.variation, MIN), MIN) if self.srtt else INITIAL
        return min(base << min(self.backoff, 16), MAX)
