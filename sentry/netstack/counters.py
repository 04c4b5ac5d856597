"""The counters of /proc/net/snmp, snmp6 and netstat: a dictionary by Linux's names, written by whoever drops or sends."""

from collections import Counter


class Counters:
    """Counts by Linux's names; ``drop`` has what the stack threw away, by reason."""

    __slots__ = ("drop", "icmp", "ip", "ip6", "tcp", "udp")

    def __init__(self) -> None:
        self.ip: Counter[str] = Counter()
        self.ip6: Counter[str] = Counter()
        self.icmp: Counter[str] = Counter()
        self.tcp: Counter[str] = Counter()
        self.udp: Counter[str] = Counter()
        self.drop: Counter[str] = Counter()
