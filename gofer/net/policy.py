"""Where the network gofer goes on behalf of a guest: checked here as well, whatever the sentry has let pass.

Names are the sentry's business, as it sees the answers of name servers first. Where a name is allowed, only what is denied and
what is reserved is refused here; else the rules hold in full.
"""

from collections.abc import Sequence

from gofer.net.sockets import binary
from sentry.netstack.egress.rules import Network, Rules, has_any

_DNS = 53


class Destinations:
    """``find`` gives the host's address for a guest's: the name server is one of the host's own, gateways are none."""

    def __init__(
        self, rules: Rules, *, has_names: bool, gateways: Sequence[bytes], name_server: bytes, resolver: str
    ) -> None:
        self._rules = rules
        self._denies_by_default = rules.denies_by_default and not has_names
        self._gateways = frozenset(gateways)
        self._name_server = name_server
        self._resolver = binary(resolver) if resolver else b""

    def find(self, address: bytes, port: int | None) -> bytes:
        """Return the host's address, or nothing if there is none; ``port`` None: an echo request."""
        if address == self._name_server:
            return self._resolver if port == _DNS else b""
        return address if address not in self._gateways and self._may(address, port) else b""

    def _may(self, address: bytes, port: int | None) -> bool:
        rules = self._rules
        if has_any(rules.denied, address):
            return False
        if rules.allows(address, port):
            return True
        return not self._denies_by_default and not has_any(rules.reserved, address)


def rules_of(allowed: Sequence[tuple[str, int]], denied: Sequence[str], reserved: Sequence[str]) -> tuple[Rules, bool]:
    """The rules of the caller's words, and whether names are among what is allowed. Raises ValueError, OSError."""
    networks = tuple(_network(text, port) for text, port in allowed if "/" in text)
    others = (tuple(_network(text, 0) for text in texts) for texts in (denied, reserved))
    return Rules(networks, (), *others), any("/" not in text for text, _ in allowed)


def _network(text: str, port: int) -> Network:
    address, _, prefix = text.partition("/")
    return Network(binary(address), int(prefix), port)
