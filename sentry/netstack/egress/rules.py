"""The rules of an egress policy as the caller gave them: networks and names, each with one port or all."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sentry.netstack.wire.dns import Name

ANY_PORT: Final = 0
#: prefixes whose addresses carry one of IPv4, with where it begins (RFC 6052, RFC 3056, RFC 4291 section 2.5.5)
_CARRIERS: Final = (
    (b"\x00\x64\xff\x9b" + bytes(8), 12), (b"\x20\x02", 2), (bytes(10) + b"\xff\xff", 12), (bytes(12), 12),
)  # fmt: skip


class Network:
    """The addresses with a prefix of ``prefix`` bits."""

    def __init__(self, address: bytes, prefix: int, port: int = ANY_PORT) -> None:
        self.size, self.prefix, self.port = len(address), prefix, port
        self._value = self._head(address)

    def _head(self, address: bytes) -> int:
        return int.from_bytes(address, "big") >> self.size * 8 - self.prefix

    def has(self, address: bytes) -> bool:
        """Whether an address is in it."""
        return len(address) == self.size and self._head(address) == self._value

    def is_within(self, other: "Network") -> bool:
        """Whether all of it is in ``other``."""
        if self.size != other.size or self.prefix < other.prefix:
            return False
        return self._value >> self.prefix - other.prefix == other._value


class NameRule(NamedTuple):
    """``labels`` of a name; with ``is_wildcard`` of what lies below it, at any depth, and not of itself."""

    labels: Name
    is_wildcard: bool
    port: int

    def matches(self, name: Name) -> bool:
        """Whether a name is meant."""
        if not self.is_wildcard:
            return name == self.labels
        count = len(self.labels)
        return len(name) > count and name[-count:] == self.labels


class Rules(NamedTuple):
    """``denied`` holds whatever else is said; ``reserved`` unless a network within it is in ``allowed``."""

    allowed: tuple[Network, ...] = ()
    names: tuple[NameRule, ...] = ()
    denied: tuple[Network, ...] = ()
    reserved: tuple[Network, ...] = ()

    @property
    def denies_by_default(self) -> bool:
        """Whether something is allowed, so that all the rest is not."""
        return bool(self.allowed or self.names)

    def ports_of(self, name: Name) -> frozenset[int]:
        """The ports at which a name may be reached; empty: it is not allowed."""
        return frozenset(rule.port for rule in self.names if rule.matches(name))

    def allows(self, address: bytes, port: int | None) -> bool:
        """Whether an address is allowed as such; port None: of a protocol without."""
        for rule in self.allowed:
            if rule.port in (ANY_PORT, port) and rule.has(address):
                guards = [one for one in self.reserved if one.has(address)]
                if all(rule.is_within(one) for one in guards):
                    return True
        return False


def carried(address: bytes) -> tuple[bytes, ...]:
    """The address, and the one of IPv4 that a translator on the way would make of it."""
    if len(address) == 16:
        for head, at in _CARRIERS:
            if address.startswith(head):
                return address, address[at : at + 4]
    return (address,)


def has_any(networks: Iterable[Network], address: bytes) -> bool:
    """Whether one of the networks has the address, or what it carries."""
    every = carried(address)
    return any(network.has(one) for network in networks for one in every)
