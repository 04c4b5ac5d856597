"""Local ports of a transport: who is bound where, and who may share (bind(2), socket(7) SO_REUSEADDR, SO_REUSEPORT)."""

from collections.abc import Callable
from dataclasses import dataclass

EPHEMERAL_FIRST, EPHEMERAL_LAST = 32768, 60999


@dataclass(slots=True, eq=False)
class Binding:
    """A port that is taken; ``address`` is empty for "any", ``device`` 0 for all."""

    address: bytes
    port: int
    family: int  # the size of an address, 4 or 16; 0: both (dual stack)
    can_reuse: bool = False  # SO_REUSEADDR and not listening
    can_share: bool = False  # SO_REUSEPORT
    device: int = 0


def _conflicts(one: Binding, other: Binding) -> bool:
    if one.device and other.device and one.device != other.device:
        return False
    if one.family and other.family and one.family != other.family:
        return False
    if one.address and other.address and one.address != other.address:
        return False
    return not ((one.can_reuse and other.can_reuse) or (one.can_share and other.can_share))


class PortTable:
    """Bindings by port."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self.entropy = entropy
        self.bindings: dict[int, list[Binding]] = {}

    def take(self, binding: Binding) -> bool:
        """Take the port, a free one where it is 0 (random, RFC 6056 section 3.3.1). False: in use."""
        if not binding.port:
            return self._take_free(binding)
        there = self.bindings.setdefault(binding.port, [])
        if any(_conflicts(binding, other) for other in there):
            return False
        there.append(binding)
        return True

    def _take_free(self, binding: Binding) -> bool:
        count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1
        start = int.from_bytes(self.entropy(4), "big")
        for step in range(count):
            port = EPHEMERAL_FIRST + (start + step) % count
            if not self.bindings.get(port):
                binding.port = port
                self.bindings[port] = [binding]
                return True
        return False

    def release(self, binding: Binding) -> None:
        """Give the port back."""
        there = self.bindings.get(binding.port, [])
        if binding in there:
            there.remove(binding)
        if not there:
            self.bindings.pop(binding.port, None)
