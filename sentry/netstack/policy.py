"""Which addresses a sandbox may send to. Enforced below the sockets, so no guest gets around it."""

from collections.abc import Iterable


class DeniedNetworks:
    """Everything is allowed but some networks: (address, prefix length) each, of 4 or 16 bytes."""

    def __init__(self, networks: Iterable[tuple[bytes, int]]) -> None:
        self._denied = [(len(address), self._prefix(address, prefix), prefix) for address, prefix in networks]

    @staticmethod
    def _prefix(address: bytes, prefix: int) -> int:
        return int.from_bytes(address, "big") >> len(address) * 8 - prefix

    def may_connect(self, protocol: int, address: bytes, port: int) -> bool:
        """Whether a packet of ``protocol`` may leave for ``address`` and ``port``."""
        size = len(address)
        return not any(size == length and self._prefix(address, prefix) == value for length, value, prefix in self._denied)

    def heard(self, address: bytes, port: int, payload: bytes) -> None:
        """A name server has answered: no rule here is about names."""
