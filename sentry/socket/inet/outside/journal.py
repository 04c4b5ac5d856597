"""``--network-log``: what the sandbox said to whom outside, one entry per connection when it is over.

UDP, ICMP and raw packets have no connections: those between the same ends are one until nothing was said for two minutes.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sentry.netstack.egress.policy import QUESTION, TCP, Decision
from sentry.netstack.interface import SECOND
from sentry.netstack.wire.dns import Name, text

if TYPE_CHECKING:
    from sentry.netstack.egress.policy import EgressPolicy
    from sentry.netstack.transport.tcp.connection import Connection
    from sentry.sched.runner import Runner

FLOWS_MAX: Final = 4096
IDLE: Final = 120 * SECOND
_SWEEP: Final = 30 * SECOND

Key = tuple[int, int, bytes, int, bool]


class Flow:
    """Datagrams between two ends; ``sent`` and ``received`` are [packets, bytes]."""

    __slots__ = ("began", "is_in", "last", "name", "reason", "received", "sent")

    def __init__(self, began: int, name: Name | None, reason: str, *, is_in: bool) -> None:
        self.began = self.last = began
        self.name, self.reason, self.is_in = name, reason, is_in
        self.sent, self.received = [0, 0], [0, 0]


class Journal:
    """``write`` gets the fields of an entry; ``now`` is the wall clock, the runner's is the one that deadlines are told in."""

    def __init__(
        self, write: Callable[[dict[str, Any]], None], policy: "EgressPolicy", runner: "Runner", now: Callable[[], int]
    ) -> None:
        self._write = write
        self._policy = policy
        self._runner = runner
        self._now = now
        self._connections: dict[Connection, tuple[int, Name | None]] = {}
        self._flows: OrderedDict[Key, Flow] = OrderedDict()
        self._is_sweeping = False

    # --- TCP -----------------------------------------------------------------------------------------------------------------

    def began(self, c: "Connection") -> None:
        """A connection is in the stack's table."""
        self._connections[c] = self._now(), self._policy.names.name_of(c.remote)

    def ended(self, c: "Connection") -> None:
        """A connection is over, though it may still be in TIME_WAIT. One from outside that was never established is none."""
        known = self._connections.pop(c, None)
        is_in = c.binding is None
        if known is None or (is_in and c.snd_una == c.iss):
            return
        began, name = known
        is_fin_seen = c.fin_sent and c.snd_una == c.snd_nxt
        entry = self._entry(began, "allowed", TCP, c.local, c.port, c.remote, c.remote_port, name)
        entry["direction"] = "in" if is_in else "out"
        entry["sent"] = max(c.snd_una - c.iss - 1 - is_fin_seen, 0)
        entry["received"] = max(c.rcv_nxt - c.irs - 1 - c.has_fin, 0) if c.irs else 0
        if c.error:
            entry["errno"] = c.error
        self._write(entry)

    # --- datagrams -----------------------------------------------------------------------------------------------------------

    def sent(self, protocol: int, local_port: int, remote: bytes, port: int, size: int) -> None:
        """A packet has left; port -1: of a protocol without."""
        self._count(self._flow((protocol, local_port, remote, port, True), "", is_in=False).sent, size)

    def received(self, protocol: int, local_port: int, remote: bytes, port: int, size: int) -> None:
        """A packet has come to a socket."""
        self._count(self._flow((protocol, local_port, remote, port, True), "", is_in=True).received, size)

    def decided(self, decision: Decision) -> None:
        """The policy has decided: what is denied is an entry of its own, or one of many such packets."""
        if decision.is_allowed:
            return
        if decision.protocol == TCP or decision.reason == QUESTION:
            now = self._now()
            entry = self._entry(now, "denied", decision.protocol, b"", -1, decision.address, decision.port, decision.name)
            self._write({**entry, "direction": "out", "reason": decision.reason})
            return
        key = decision.protocol, -1, decision.address, decision.port, False
        self._count(self._flow(key, decision.reason, is_in=False).sent, 0)

    @staticmethod
    def _count(side: list[int], size: int) -> None:
        side[0] += 1
        side[1] += size

    def _flow(self, key: Key, reason: str, *, is_in: bool) -> Flow:
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = Flow(self._now(), self._policy.names.name_of(key[2]), reason, is_in=is_in)
            if len(self._flows) > FLOWS_MAX:
                self._end(*self._flows.popitem(last=False))
            if not self._is_sweeping:
                self._is_sweeping = True
                self._runner.call_at(self._runner.monotonic_ns() + _SWEEP, self._sweep)
        else:
            self._flows.move_to_end(key)
        flow.last = self._now()
        return flow

    def _sweep(self) -> None:
        limit = self._now() - IDLE
        while self._flows and next(iter(self._flows.values())).last <= limit:
            self._end(*self._flows.popitem(last=False))
        self._is_sweeping = bool(self._flows)
        if self._is_sweeping:
            self._runner.call_at(self._runner.monotonic_ns() + _SWEEP, self._sweep)

    def _end(self, key: Key, flow: Flow) -> None:
        protocol, local_port, remote, port, is_allowed = key
        verdict = "allowed" if is_allowed else "denied"
        entry = self._entry(flow.began, verdict, protocol, b"", local_port, remote, port, flow.name)
        entry["end"] = flow.last
        entry["direction"] = "in" if flow.is_in else "out"
        if is_allowed:
            entry["sent"], entry["received"] = flow.sent[1], flow.received[1]
            entry["packets_sent"], entry["packets_received"] = flow.sent[0], flow.received[0]
        else:
            entry["packets_denied"], entry["reason"] = flow.sent[0], flow.reason
        self._write(entry)

    def _entry(
        self, began: int, verdict: str, protocol: int, local: bytes, local_port: int, remote: bytes, port: int, name: Name | None
    ) -> dict[str, Any]:
        entry = {"start": began, "end": self._now(), "verdict": verdict, "protocol": protocol, "address": remote}
        for key, value in (("port", port), ("local_port", local_port)):
            if value >= 0:
                entry[key] = value
        if local:
            entry["local_address"] = local
        if name is not None:
            entry["name"] = text(name)
        return entry

    def close(self) -> None:
        """The sandbox ends: what is open is an entry as it is now."""
        for c in tuple(self._connections):
            self.ended(c)
        while self._flows:
            self._end(*self._flows.popitem(last=False))
