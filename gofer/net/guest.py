"""The guest at the other end of the link: its addresses, and who it sees when the outside comes to a published port."""

from gofer.net.anywhere import is_of_the_world
from sentry.netstack.stack import Stack


class Guest:
    """One address and gateway of each version that the link has; IPv4 is always there."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        """``pairs`` of address and gateway."""
        self._by_size = {len(address): (address, gateway) for address, gateway in pairs}

    def seen_from(self, stack: Stack, peer: bytes) -> tuple[bytes, bytes]:
        """The guest's address for ``peer``, and where it will see the peer: itself if it can answer there, else the gateway."""
        address, gateway = self._by_size.get(len(peer)) or self._by_size[4]
        is_seen = len(peer) == len(address) and is_of_the_world(peer) and stack.is_local(peer)
        return address, peer if is_seen else gateway

    def gateway_of(self, address: bytes) -> bytes:
        """The gateway beside one of the guest's addresses."""
        return self._by_size[len(address)][1]
