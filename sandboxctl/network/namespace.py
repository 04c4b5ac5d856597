"""``--network ns:PATH``, and the namespace that an engine hands to the OCI runtime: its interface becomes the sandbox's.

The addresses move to the sandbox's own stack: the kernel keeps the interface, gives its frames to a packet socket, and no longer
answers for it. When the sandbox ends, the addresses and routes are put back, unless the namespace is gone by then.
"""

import contextlib
import ctypes
import ipaddress
import os
import socket
import threading
from errno import EPERM
from typing import Final

from sandboxctl.config import Network
from sandboxctl.errors import SandboxError
from sandboxctl.network import rtnetlink
from sandboxctl.network.rtnetlink import Item, Netlink

_CLONE_NEWNET: Final = 0x40000000
_ETH_P_ALL: Final = 3
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_SO_RCVBUFFORCE: Final = 33
#: bytes that wait for the sentry: a peer sends a whole window of large segments at once
_RCVBUF: Final = 8 << 20
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_ARPHRD_ETHER: Final = 1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU = 1, 3, 4
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY = 1, 4, 5, 6
_RT_TABLE_MAIN, _RTN_UNICAST, _RTPROT_KERNEL, _RTM_F_CLONED = 254, 1, 2, 0x200
_MTU_MAX: Final = 65_520


class Namespace:
    """A namespace that is taken over; ``link_fd`` is a packet socket on its interface, -1 if it has none but lo."""

    def __init__(self, path: str) -> None:
        """Raises SandboxError; then the namespace is as it was."""
        self._path = path
        self.link_fd = -1
        self.name, self.mac, self.mtu = "", "", 0
        self.addresses: list[str] = []
        self.routes: list[dict[str, object]] = []
        self._taken: list[tuple[int, Item]] = []
        self._ipv6_fd = -1
        self._netlink: Netlink | None = None
        failed: list[BaseException] = []
        thread = threading.Thread(target=self._take, args=(failed,))
        thread.start()
        thread.join()
        if failed:
            self.stop()
            error = failed[0]
            if isinstance(error, OSError):
                raise SandboxError(f"cannot take over the network namespace {path}: {(error.strerror or '').lower()}") from None
            raise error

    def message(self, network: Network) -> dict[str, object]:
        """The part ``network`` of the sentry's configuration."""
        return {
            "kind": "packet",
            "name": self.name,
            "mac": self.mac,
            "mtu": self.mtu,
            "addresses": self.addresses,
            "routes": self.routes,
            **network.policy_message(),
        }

    # --- in a thread of its own, which is in the namespace ---------------------------------------------------------------------

    def _take(self, failed: list[BaseException]) -> None:
        try:
            self._enter()
            self._netlink = netlink = Netlink()
            link = self._interface(netlink)
            if link is not None:
                self._take_link(netlink, link)
        except BaseException as error:  # to the thread that waits for this one
            failed.append(error)

    def _enter(self) -> None:
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for own in ("/proc/self/ns/net", "/proc/1/ns/net"):
                with contextlib.suppress(OSError):
                    if os.path.samestat(os.fstat(fd), os.stat(own)):
                        raise SandboxError(f"{self._path} is the host's own network, which the guest never uses")
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(fd, _CLONE_NEWNET):
                number = ctypes.get_errno()
                if number == EPERM:
                    raise SandboxError(f"taking over {self._path} needs root (CAP_SYS_ADMIN); use --network user")
                raise OSError(number, os.strerror(number))
        finally:
            os.close(fd)

    def _interface(self, netlink: Netlink) -> Item | None:
        having = {_int(item.head[4:8]) for item in netlink.dump(rtnetlink.RTM_GETADDR)}
        found = []
        for link in netlink.dump(rtnetlink.RTM_GETLINK):
            flags = _int(link.head[8:12])
            if flags & _IFF_UP and not flags & _IFF_LOOPBACK and _int(link.head[4:8]) in having:
                found.append(link)
        if len(found) > 1:
            names = ", ".join(sorted(_name(link) for link in found))
            raise SandboxError(f"{self._path} has {len(found)} interfaces with addresses ({names}); only one can be taken over")
        if found and _int(found[0].head[2:4]) != _ARPHRD_ETHER:
            raise SandboxError(f"{_name(found[0])} in {self._path} carries no Ethernet frames")
        return found[0] if found else None

    def _take_link(self, netlink: Netlink, link: Item) -> None:
        index = _int(link.head[4:8])
        self.name, self.mac = _name(link), ":".join(f"{octet:02x}" for octet in link.attributes[_IFLA_ADDRESS])
        self.mtu = min(_int(link.attributes[_IFLA_MTU]), _MTU_MAX)
        addresses = [item for item in netlink.dump(rtnetlink.RTM_GETADDR) if _int(item.head[4:8]) == index]
        routes = [item for item in netlink.dump(rtnetlink.RTM_GETROUTE) if _is_route_of(item, index)]
        self.addresses = [f"{_text(_local(item))}/{item.head[1]}" for item in addresses]
        self.routes = [_route(item) for item in routes if item.head[5] != _RTPROT_KERNEL]
        frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0)
        self.link_fd = frames.detach()
        with socket.socket(fileno=os.dup(self.link_fd)) as bound:
            bound.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RCVBUF)
            with contextlib.suppress(OSError):  # without CAP_NET_ADMIN it stays at net.core.rmem_max
                bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RCVBUF)
            bound.bind((self.name, _ETH_P_ALL))
        self._taken = [(rtnetlink.RTM_NEWADDR, item) for item in addresses]
        self._taken += [(rtnetlink.RTM_NEWROUTE, item) for item in routes if item.head[5] != _RTPROT_KERNEL]
        for item in addresses:
            netlink.remove(rtnetlink.RTM_DELADDR, item)
        with contextlib.suppress(
            OSError
        ):  # no IPv6 here, or /proc/sys cannot be written: then the kernel may give itself an address
            self._ipv6_fd = os.open(f"/proc/sys/net/ipv6/conf/{self.name}/disable_ipv6", os.O_WRONLY | os.O_CLOEXEC)
            os.pwrite(self._ipv6_fd, b"1", 0)

    # --- the end ---------------------------------------------------------------------------------------------------------------

    def close_link(self) -> None:
        """The sentry has it."""
        if self.link_fd >= 0:
            os.close(self.link_fd)
            self.link_fd = -1

    def stop(self) -> None:
        """Put addresses and routes back."""
        self.close_link()
        if self._ipv6_fd >= 0:
            with contextlib.suppress(OSError):
                os.pwrite(self._ipv6_fd, b"0", 0)
            os.close(self._ipv6_fd)
            self._ipv6_fd = -1
        if self._netlink is not None:
            for kind, item in self._taken:
                with contextlib.suppress(OSError):  # the namespace's owner has taken the interface away
                    self._netlink.restore(kind, item)
            self._netlink.close()
            self._netlink = None


def name_servers(path: str) -> tuple[str, ...]:
    """Those of the namespace (ip-netns(8)), else the host's, but for such as listen on the host's own lo."""
    named = f"/etc/netns/{os.path.basename(path)}/resolv.conf"
    lines: list[str] = []
    for file in (named, "/etc/resolv.conf"):
        with contextlib.suppress(OSError), open(file, encoding="utf-8", errors="replace") as text:
            lines = text.read(1 << 16).splitlines()
            break
    found = []
    for words in map(str.split, lines):
        if len(words) > 1 and words[0] == "nameserver":
            with contextlib.suppress(ValueError):
                address = ipaddress.ip_address(words[1])
                if not address.is_loopback:
                    found.append(str(address))
    return tuple(found)


def _int(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _name(link: Item) -> str:
    return link.attributes[_IFLA_IFNAME].rstrip(b"\0").decode(errors="replace")


def _text(address: bytes) -> str:
    return str(ipaddress.ip_address(address))


def _local(item: Item) -> bytes:
    return item.attributes.get(_IFA_LOCAL) or item.attributes[_IFA_ADDRESS]


def _is_route_of(item: Item, index: int) -> bool:
    is_plain = item.head[4] == _RT_TABLE_MAIN and item.head[7] == _RTN_UNICAST and not _int(item.head[8:12]) & _RTM_F_CLONED
    return is_plain and _int(item.attributes.get(_RTA_OIF, b"")) == index


def _route(item: Item) -> dict[str, object]:
    size = 4 if item.head[0] == socket.AF_INET else 16
    gateway = item.attributes.get(_RTA_GATEWAY)
    return {
        "to": f"{_text(item.attributes.get(_RTA_DST, bytes(size)))}/{item.head[1]}",
        "via": _text(gateway) if gateway else "",
        "metric": _int(item.attributes.get(_RTA_PRIORITY, b"")),
    }
