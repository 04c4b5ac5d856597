"""A network namespace (network_namespaces(7)): the devices, the abstract UNIX names and the ports of TCP, UDP and netlink."""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, WeakValueDictionary

from sentry.kernel.net_devices import NetDevices

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack
    from sentry.vfs.file import FileDescription

AUTOBIND_MAX = 1 << 20


class NetNamespace:
    """``abstract`` maps an abstract socket name (without its leading NUL) to the socket that is bound to it.

    ``in_flight`` counts, by user, the descriptors that sit in messages (unix(7), SCM_RIGHTS): they are limited, so that sockets
    that hold each other in a circle cost a bounded amount.

    ``stack`` is there with a link to the outside (``sentry/boot/network.py``); ``outside`` is how sockets reach it, ``policy``
    says where they may go.
    """

    __slots__ = (
        "_doomed",
        "_is_releasing",
        "_next_autobind",
        "abstract",
        "cookies",
        "devices",
        "in_flight",
        "multicast",
        "netlink_ports",
        "outside",
        "ping_ports",
        "policy",
        "raw_sockets",
        "stack",
        "tcp_ports",
        "udp_ports",
        "unix_sockets",
    )

    def __init__(self) -> None:
        self.devices = NetDevices()
        self.stack: Stack | None = None
        self.outside: Any = None  # sentry.socket.inet.outside.Outside
        self.policy: Any = None
        self.cookies = 0  # how many sockets were asked for theirs (SO_COOKIE)
        self.netlink_ports: dict[int, Any] = {}  # the sockets by nl_pid
        self.multicast: dict[bytes, int] = {}  # how many sockets have joined a group
        self.raw_sockets: WeakSet[Any] = WeakSet()
        self.unix_sockets: WeakSet[Any] = WeakSet()
        self.tcp_ports: Any = None  # sentry.socket.inet.ports.PortTable, made with the first socket
        self.udp_ports: Any = None
        self.ping_ports: Any = None
        self.abstract: WeakValueDictionary[bytes, Any] = WeakValueDictionary()
        self.in_flight: dict[int, int] = {}
        self._next_autobind = 0
        self._doomed: deque[FileDescription] = deque()
        self._is_releasing = False

    def autobind_name(self) -> bytes | None:
        """A free name of five hexadecimal digits (unix(7), "Autobind feature"), None if all 2^20 are taken."""
        for _ in range(AUTOBIND_MAX):
            name = b"%05x" % self._next_autobind
            self._next_autobind = (self._next_autobind + 1) % AUTOBIND_MAX
            if name not in self.abstract:
                return name
        return None

    def release(self, files: "Iterable[FileDescription]") -> None:
        """Drop a reference of each; one after the other, however deep sockets are nested in messages of sockets."""
        self._doomed.extend(files)
        if self._is_releasing:
            return
        self._is_releasing = True
        try:
            while self._doomed:
                self._doomed.popleft().release()
        finally:
            self._is_releasing = False
