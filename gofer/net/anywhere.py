"""A stack that stands for the world: whatever address a guest sends to is taken as one of its own.

The link's network is not the world: of it only the gateway and the name server exist. Nor are groups, broadcasts and what would
be this host itself (0.0.0.0/8, 127.0.0.0/8; ``0.0.0.0`` connects to loopback on Linux).
"""

from collections.abc import Callable

from sentry.netstack.interface import Limits
from sentry.netstack.stack import Stack

_GROUPS_FIRST = 224


class Anywhere(dict[bytes, int]):
    """What ``Stack.local`` is asked: the assigned addresses, and every unicast address of IPv4 outside of ``network``."""

    def __init__(self, assigned: dict[bytes, int], network: bytes, prefix: int) -> None:
        super().__init__(assigned)
        self._shift = 32 - prefix
        self._network = int.from_bytes(network, "big") >> self._shift

    def __contains__(self, address: object) -> bool:
        if super().__contains__(address):
            return True
        if not isinstance(address, bytes) or len(address) != 4:
            return False
        is_outside = int.from_bytes(address, "big") >> self._shift != self._network
        return is_outside and address[0] not in (0, 127) and address[0] < _GROUPS_FIRST


def world(entropy: Callable[[int], bytes], limits: Limits, now: int, network: bytes, prefix: int) -> Stack:
    """A stack with every address; its device, gateway and name server are added as to any other."""
    stack = Stack(entropy, limits, now)
    stack.local = Anywhere(stack.local, network, prefix)
    return stack
