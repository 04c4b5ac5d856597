"""A device: a link with its addresses, groups and counters. Index 1 is the loopback device."""

from dataclasses import dataclass

from sentry.netstack.iface import address as addresses
from sentry.netstack.interface import Link

LOOPBACK_INDEX = 1
LOOPBACK_MTU = 65536


@dataclass(slots=True)
class Assigned:
    """An address of a device; ``is_tentative`` until no one else on the link has claimed it (RFC 4862 section 5.4)."""

    address: bytes
    prefix: int
    is_tentative: bool = False


class LoopbackLink:
    """The link of ``lo``: what is sent there never becomes a frame (see ``Ip.output``)."""

    name = "lo"
    mac = b""
    mtu = LOOPBACK_MTU
    cuts_segments = False

    def transmit(self, frame: bytes) -> None:
        """Drop it: nothing is behind this link."""


class Device:
    """``groups`` counts the joins of each multicast address."""

    __slots__ = ("addresses", "broadcasts", "groups", "index", "is_up", "link", "received", "sent")

    def __init__(self, index: int, link: Link) -> None:
        self.index = index
        self.link = link
        self.is_up = True
        self.addresses: list[Assigned] = []
        self.broadcasts: set[bytes] = set()
        self.groups: dict[bytes, int] = {}
        self.received = [0, 0]  # packets, bytes
        self.sent = [0, 0]

    def transmit(self, frame: bytes) -> None:
        """Hand a frame to the link."""
        sent = self.sent
        sent[0] += 1
        sent[1] += len(frame)
        self.link.transmit(frame)

    def find(self, address: bytes) -> Assigned | None:
        """The entry of an address."""
        return next((one for one in self.addresses if one.address == address), None)

    def source_for(self, destination: bytes) -> bytes | None:
        """The address to send from (RFC 6724 section 5: scope, then the longest common prefix)."""
        best, best_rank = None, (-1, -1)
        wants_link_local = addresses.is_link_local(destination) or (len(destination) == 16 and destination[:2] == b"\xff\x02")
        for one in self.addresses:
            if len(one.address) != len(destination) or one.is_tentative:
                continue
            is_scope = addresses.is_link_local(one.address) == wants_link_local
            rank = (int(is_scope), addresses.common_prefix(one.address, destination))
            if rank > best_rank:
                best, best_rank = one.address, rank
        return best
