"""A stack that stands for the world: whatever address a guest sends to is taken as one of its own.

The link's networks are not the world: of them only the gateway and the name server exist. Nor are groups, broadcasts, link-local
addresses of IPv6, and what would be this host itself (0.0.0.0/8, 127.0.0.0/8, ::1; ``0.0.0.0`` and ``::`` connect to loopback on
Linux), also where an address of IPv6 carries it (``::ffff:127.0.0.1``).
"""

from collections.abc import Callable, Iterable

from sentry.netstack.egress.rules import Network, carried
from sentry.netstack.iface import address as addresses
from sentry.netstack.interface import Limits
from sentry.netstack.stack import Stack

_GROUPS_FIRST = 224
_MAPPED = bytes(10) + b"\xff\xff"
_COMPATIBLE = bytes(12)


def is_of_the_world(address: bytes) -> bool:
    """Whether a packet to an address may leave for the outside at all."""
    if len(address) == 4:
        return address[0] not in (0, 127) and address[0] < _GROUPS_FIRST
    if address.startswith((_MAPPED, _COMPATIBLE)) or addresses.is_multicast(address) or addresses.is_link_local(address):
        return False
    return all(is_of_the_world(inner) for inner in carried(address)[1:])


class Anywhere(dict[bytes, int]):
    """What ``Stack.local`` is asked: the assigned addresses, and every unicast address outside of ``networks``."""

    def __init__(self, assigned: dict[bytes, int], networks: Iterable[Network]) -> None:
        super().__init__(assigned)
        self._networks = tuple(networks)

    def __contains__(self, address: object) -> bool:
        if super().__contains__(address):
            return True
        return isinstance(address, bytes) and is_of_the_world(address) and not any(one.has(address) for one in self._networks)


def world(entropy: Callable[[int], bytes], limits: Limits, now: int, networks: Iterable[Network]) -> Stack:
    """A stack with every address; its device, gateways and name server are added as to any other."""
    stack = Stack(entropy, limits, now)
    stack.local = Anywhere(stack.local, networks)
    return stack
