"""Path MTUs that routers told of (RFC 1191, RFC 8201); an entry lasts ten minutes (RFC 1191 section 6.3)."""

from sentry.netstack.interface import SECOND

LIFETIME = 600 * SECOND
MIN4, MIN6 = 552, 1280  # Linux's net.ipv4.route.min_pmtu: a smaller claim is an attack; RFC 8200 section 5


class PathMtus:
    """What is known of each destination, at most ``limit`` of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: dict[bytes, tuple[int, int]] = {}

    def lower(self, destination: bytes, mtu: int, current: int, now: int) -> int | None:
        """Note what a router told; returns the MTU from now on, None where the claim is not lower than ``current``."""
        mtu = max(mtu, MIN4 if len(destination) == 4 else MIN6)
        if mtu >= current:
            return None
        if len(self._entries) >= self.limit and destination not in self._entries:
            self._entries.pop(next(iter(self._entries)))
        self._entries[destination] = (mtu, now + LIFETIME)
        return mtu

    def get(self, destination: bytes, link_mtu: int, now: int) -> int:
        """The MTU towards ``destination``."""
        if not self._entries:
            return link_mtu
        entry = self._entries.get(destination)
        if entry is None:
            return link_mtu
        if entry[1] <= now:
            del self._entries[destination]
            return link_mtu
        return min(entry[0], link_mtu)
