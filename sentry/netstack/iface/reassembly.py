"""Joining fragments (RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722: overlaps end the datagram), within limits."""

from typing import TYPE_CHECKING

from sentry.netstack.interface import SECOND
from sentry.netstack.timer import Timer
from sentry.netstack.wire.packet import Packet

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack

TIMEOUT = {4: 30 * SECOND, 16: 60 * SECOND}
_DATAGRAM_MAX = 65535
_OVERHEAD = 64  # bytes that a part costs beside its data
Key = tuple[bytes, bytes, int, int]


class Partial:
    """A datagram of which parts are here: (start, data) in order, without overlap."""

    __slots__ = ("first", "is_dead", "parts", "size", "timer", "total")

    def __init__(self, timer: Timer) -> None:
        self.timer = timer
        self.parts: list[tuple[int, bytes]] = []
        self.size = 0
        self.total: int | None = None
        self.first: Packet | None = None
        self.is_dead = False  # had an overlap: what follows of it is dropped too


class Reassembler:
    """All partial datagrams, the oldest first; ``size`` is what they cost."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.partials: dict[Key, Partial] = {}
        self.size = 0

    def add(self, packet: Packet) -> Packet | None:
        """Take a fragment; returns the whole packet when it was the last that was missing."""
        assert packet.fragment is not None
        identification, offset, more = packet.fragment
        key = (packet.source, packet.destination, identification, packet.protocol if len(packet.source) == 4 else 0)
        partial = self.partials.get(key)
        if partial is None:
            partial = self._start(key)
        if partial.is_dead:
            self.stack.counters.drop["fragment overlap"] += 1
            return None
        end = offset + len(packet.payload)
        if not self._fits(partial, offset, end, more):
            self._kill(partial)
            return None
        if not more:
            partial.total = end
        if not self._insert(partial, offset, packet.payload):
            return None
        if offset == 0:
            partial.first = packet
        if partial.total is not None and partial.first is not None and partial.size == partial.total:
            return self._join(key, partial, partial.first)
        self._shrink()
        return None

    def _start(self, key: Key) -> Partial:
        partial = Partial(Timer(self.stack.timers, lambda now: self._expire(key)))
        self.partials[key] = partial
        self.size += _OVERHEAD
        partial.timer.set(self.stack.now + TIMEOUT[len(key[0])])
        return partial

    def _fits(self, partial: Partial, offset: int, end: int, more: bool) -> bool:
        if end > _DATAGRAM_MAX or len(partial.parts) >= self.stack.limits.reassembly_parts:
            return False
        if end == offset or (more and end % 8):
            return False
        if partial.total is not None and (end > partial.total or (not more and end != partial.total)):
            return False
        return more or not partial.parts or partial.parts[-1][0] + len(partial.parts[-1][1]) <= end

    def _insert(self, partial: Partial, offset: int, data: bytes) -> bool:
        """Put a part in its place; an exact repeat is ignored, an overlap kills the datagram (RFC 5722 section 4)."""
        at = len(partial.parts)
        while at and partial.parts[at - 1][0] >= offset:
            at -= 1
        if at < len(partial.parts):
            start, there = partial.parts[at]
            if start == offset and there == data:
                return False
            if offset + len(data) > start:
                self._kill(partial)
                return False
        if at and partial.parts[at - 1][0] + len(partial.parts[at - 1][1]) > offset:
            self._kill(partial)
            return False
        partial.parts.insert(at, (offset, data))
        partial.size += len(data)
        self.size += len(data) + _OVERHEAD
        return True

    def _kill(self, partial: Partial) -> None:
        self.stack.counters.drop["fragment overlap"] += 1
        self.size -= partial.size + _OVERHEAD * len(partial.parts)
        partial.parts, partial.size, partial.first, partial.is_dead = [], 0, None, True

    def _join(self, key: Key, partial: Partial, first: Packet) -> Packet:
        self._remove(key)
        payload = b"".join(part for _, part in partial.parts)
        whole = Packet(first.source, first.destination, first.protocol, payload, first.ttl, first.tos)
        whole.raw, whole.header_size, whole.interface = first.raw, first.header_size, first.interface
        self.stack.counters.ip["ReasmOKs"] += 1
        return whole

    def _remove(self, key: Key) -> None:
        partial = self.partials.pop(key)
        partial.timer.cancel()
        self.size -= partial.size + _OVERHEAD * (len(partial.parts) + 1)

    def _shrink(self) -> None:
        while self.size > self.stack.limits.reassembly_bytes:
            self.stack.counters.ip["ReasmFails"] += 1
            self._remove(next(iter(self.partials)))

    def _expire(self, key: Key) -> None:
        partial = self.partials.get(key)
        if partial is None:
            return
        self._remove(key)
        self.stack.counters.ip["ReasmFails"] += 1
        if partial.first is not None:
            self.stack.icmp.send_reassembly_timeout(partial.first)
