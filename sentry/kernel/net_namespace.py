"""A network namespace (network_namespaces(7)): today the abstract UNIX names; the network stack joins it later."""

from typing import Any
from weakref import WeakValueDictionary

AUTOBIND_MAX = 1 << 20


class NetNamespace:
    """``abstract`` maps an abstract socket name (without its leading NUL) to the socket that is bound to it."""

    __slots__ = ("_next_autobind", "abstract")

    def __init__(self) -> None:
        self.abstract: WeakValueDictionary[bytes, Any] = WeakValueDictionary()
        self._next_autobind = 0

    def autobind_name(self) -> bytes | None:
        """A free name of five hexadecimal digits (unix(7), "Autobind feature"), None if all 2^20 are taken."""
        for _ in range(AUTOBIND_MAX):
            name = b"%05x" % self._next_autobind
            self._next_autobind = (self._next_autobind + 1) % AUTOBIND_MAX
            if name not in self.abstract:
                return name
        return None
