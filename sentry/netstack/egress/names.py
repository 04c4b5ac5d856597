"""What names were answered with: the addresses by which a program may then go to them, as long as their TTL says.

A TTL below a minute counts as one, for a program looks up first and connects later; one above a day counts as a day.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sentry.netstack.interface import SECOND
from sentry.netstack.wire.dns import Address, Name

TTL_MIN, TTL_MAX = 60, 86_400
ADDRESSES_MAX: Final = 4096
#: names of one address: a content network has many behind one
NAMES_MAX: Final = 16


class Meaning(NamedTuple):
    """``ports`` at which ``name`` may be reached there, until ``expires`` (nanoseconds)."""

    ports: frozenset[int]
    expires: int


class ObservedNames:
    """Bounded: beyond ``ADDRESSES_MAX`` the address that was told the longest ago is forgotten."""

    def __init__(self) -> None:
        self._addresses: dict[bytes, dict[Name, Meaning]] = {}

    def learn(self, name: Name, ports: frozenset[int], addresses: Sequence[Address], now: int) -> None:
        """An answer for a name."""
        for address, ttl in addresses:
            names = self._addresses.pop(address, {})
            self._addresses[address] = names
            old = names.pop(name, None)
            expires = now + min(max(ttl, TTL_MIN), TTL_MAX) * SECOND
            names[name] = Meaning(ports, expires if old is None else max(expires, old.expires))
            if len(names) > NAMES_MAX:
                del names[next(iter(names))]
        while len(self._addresses) > ADDRESSES_MAX:
            del self._addresses[next(iter(self._addresses))]

    def meant(self, address: bytes, ports: frozenset[int], now: int) -> Name | None:
        """The name for which an address may be reached now at one of ``ports``; None: there is none."""
        for name, meaning in self._addresses.get(address, {}).items():
            if meaning.expires > now and meaning.ports & ports:
                return name
        return None

    def name_of(self, address: bytes) -> Name | None:
        """The name that was last answered with an address, for people to read."""
        return next(reversed(self._addresses.get(address, {})), None)
