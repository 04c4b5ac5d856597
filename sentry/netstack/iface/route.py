"""The routing table: longest prefix, then smallest metric, then the oldest (Linux: net/ipv4/fib_trie.c, one table)."""

from dataclasses import dataclass

from sentry.netstack.iface.device import Device

_CACHE_MAX = 1024


@dataclass(frozen=True, slots=True)
class Route:
    """``destination``/``prefix`` through ``device`` (an index), by ``gateway`` unless that is empty."""

    destination: bytes
    prefix: int
    device: int
    gateway: bytes = b""
    metric: int = 0
    source: bytes = b""

    def matches(self, address: bytes) -> bool:
        """Whether ``address`` lies in the destination."""
        if len(address) != len(self.destination):
            return False
        shift = len(address) * 8 - self.prefix
        return int.from_bytes(address, "big") >> shift == int.from_bytes(self.destination, "big") >> shift


class Path:
    """Where a packet goes: the device, the neighbour and the source address unless the sender chose one."""

    __slots__ = ("device", "next_hop", "source")

    def __init__(self, device: Device, next_hop: bytes, source: bytes) -> None:
        self.device = device
        self.next_hop = next_hop
        self.source = source


class RouteTable:
    """Routes, and a cache of lookups that every change empties."""

    def __init__(self, devices: dict[int, Device], limit: int) -> None:
        self.devices = devices
        self.limit = limit
        self.routes: list[Route] = []
        self._cache: dict[tuple[bytes, int], Path | None] = {}

    def add(self, route: Route) -> bool:
        """Add a route; False: the table is full or has it."""
        if len(self.routes) >= self.limit or route in self.routes:
            return False
        self.routes.append(route)
        self.routes.sort(key=lambda one: (-one.prefix, one.metric))
        self.changed()
        return True

    def remove(self, route: Route) -> bool:
        """Remove a route; False: not there."""
        if route not in self.routes:
            return False
        self.routes.remove(route)
        self.changed()
        return True

    def changed(self) -> None:
        """Forget what was looked up: a route, an address or a device changed."""
        self._cache.clear()

    def lookup(self, destination: bytes, device: int = 0) -> Path | None:
        """The way to ``destination``, through ``device`` only if that is not 0; None: unreachable."""
        key = (destination, device)
        try:
            return self._cache[key]
        except KeyError:
            pass
        if len(self._cache) >= _CACHE_MAX:
            self._cache.clear()
        path = self._cache[key] = self._find(destination, device)
        return path

    def _find(self, destination: bytes, device: int) -> Path | None:
        for route in self.routes:
            if (device and route.device != device) or not route.matches(destination):
                continue
            out = self.devices.get(route.device)
            if out is None or not out.is_up:
                continue
            source = route.source or out.source_for(destination)
            if source:
                return Path(out, route.gateway or destination, source)
        return None
