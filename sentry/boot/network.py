"""A link to the outside: the stack, its device with addresses and routes, and what drives it. Only where there is one.

The configuration is ``config["network"]``: ``kind`` (passt, packet), ``name``, ``mac``, ``mtu``, ``addresses``, ``routes``,
and what ``sentry/boot/egress.py`` reads.
"""

import logging
from _socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING, Any, Final

from sentry.boot import egress
from sentry.boot.address import binary, prefixed
from sentry.boot.journal_lines import journal_lines
from sentry.boot.link_driver import LinkDriver
from sentry.host import clock, entropy
from sentry.host.link.capture import Capture
from sentry.host.link.packet import PacketLink
from sentry.host.link.stream import StreamLink
from sentry.host.record_file import RecordFile
from sentry.kernel.net_devices import DeviceAddress, DeviceNeighbour, DeviceRoute, NetDevice
from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.route import Route
from sentry.netstack.interface import Limits
from sentry.netstack.stack import Stack
from sentry.platform.interface import PlatformError
from sentry.socket.inet.outside.journal import Journal
from sentry.socket.inet.outside.outside import Outside
from syscalls.abi import netlink as nl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentry.host.regular_file import HostFd
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.platform.interface import Platform
    from sentry.sched.runner import Runner
    from sentry.trace.strace import Strace

log = logging.getLogger(__name__)

_KINDS: Final[dict[str, type[StreamLink] | type[PacketLink]]] = {"passt": StreamLink, "packet": PacketLink}
_MTU_MIN, _MTU_MAX = 1280, 65_520
_MAC_SIZE: Final = 6
#: bytes of --network-log and --network-pcap; what comes later is not written
LOG_MAX, PCAP_MAX = 64 << 20, 1 << 30
#: what one sandbox may hold; the stack drops the newest beyond it
LIMITS: Final = Limits(connections=2048, time_wait=1024, tuned_bytes=64 << 20)


def attach(net: "NetNamespace", platform: "Platform", runner: "Runner", config: dict[str, Any], fd: "HostFd") -> LinkDriver:
    """Give ``net`` a stack with a device over the descriptor ``fd``, which it owns from now on. Raises PlatformError."""
    link = None
    try:
        mac = bytes.fromhex(config["mac"].replace(":", ""))
        mtu = int(config["mtu"])
        if len(mac) != _MAC_SIZE or mac[0] & 1 or not _MTU_MIN <= mtu <= _MTU_MAX:
            raise ValueError(f"mac {config['mac']} mtu {mtu}")
        link = _KINDS[config["kind"]](fd, config.get("name") or "eth0", mac, mtu)
        return attach_link(net, platform, runner, config, link)
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        if link is not None:
            link.close()
        raise PlatformError(f"the sandbox's network cannot be set up: {error!r}") from error


def attach_link(
    net: "NetNamespace", platform: "Platform", runner: "Runner", config: dict[str, Any], link: StreamLink | PacketLink
) -> LinkDriver:
    """As ``attach``, for a link that is there. Raises ValueError, OSError, KeyError."""
    stack = Stack(entropy.urandom, LIMITS, runner.monotonic_ns())
    index = stack.add_link(link)
    for text in config["addresses"]:
        address, prefix = prefixed(text)
        stack.add_address(index, address, prefix)
    if all(len(one.address) == 4 or not addresses.is_link_local(one.address) for one in stack.devices[index].addresses) and any(
        len(one.address) == 16 for one in stack.devices[index].addresses
    ):
        stack.add_address(index, _link_local(link.mac), 64)
    for route in config["routes"]:
        to, prefix = prefixed(route["to"])
        gateway = binary(route["via"]) if route.get("via") else b""
        if not stack.add_route(Route(to, prefix, index, gateway, int(route.get("metric") or 0))):
            raise ValueError(f"route to {route['to']}")
    net.stack = stack
    net.policy = egress.policy(config, runner.monotonic_ns)
    net.outside = Outside(net, stack, runner.monotonic_ns, is_near=isinstance(link, StreamLink))
    _show(net, stack, index)
    driver = LinkDriver(net, platform, runner, index, link)
    driver.start()
    return driver


def record(net: "NetNamespace", driver: LinkDriver, runner: "Runner", fds: "Mapping[str, int]") -> None:
    """``--network-log`` and ``--network-pcap``: the descriptors ``log`` and ``pcap``, where they are."""
    if "pcap" in fds:
        driver.link.tap = Capture(RecordFile(fds["pcap"], PCAP_MAX), clock.time_ns)
    if "log" in fds:
        write = journal_lines(RecordFile(fds["log"], LOG_MAX))
        net.outside.journal = journal = Journal(write, net.policy, runner, clock.time_ns)
        net.policy.listeners.append(journal.decided)
        net.outside.stack.tcp.observer = journal


def trace(net: "NetNamespace", strace: "Strace") -> None:
    """Let a trace hear of each decision about where packets go."""
    net.policy.listeners.append(lambda decision: strace.on_network(egress.described(decision)))


def _link_local(mac: bytes) -> bytes:
    """fe80:: with the modified EUI-64 of an Ethernet address (RFC 4291, appendix A)."""
    return b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def _show(net: "NetNamespace", stack: Stack, index: int) -> None:
    """Enter the stack's device and routes into what netlink, /proc and ioctl(2) tell."""
    device = stack.devices[index]
    flags = nl.IFF_UP | nl.IFF_BROADCAST | nl.IFF_RUNNING | nl.IFF_MULTICAST | nl.IFF_LOWER_UP
    shown = NetDevice(index, device.link.name.encode(), nl.ARPHRD_ETHER, flags, device.link.mtu, device.link.mac)
    shown.received, shown.sent = device.received, device.sent
    for one in device.addresses:
        family = AF_INET if len(one.address) == 4 else AF_INET6
        is_link = family == AF_INET6 and addresses.is_link_local(one.address)
        scope = nl.RT_SCOPE_LINK if is_link else nl.RT_SCOPE_UNIVERSE
        shown.addresses.append(DeviceAddress(int(family), one.address, one.prefix, scope))
    net.devices.add(shown)
    for route in stack.routes.routes:
        metric = route.metric or (256 if len(route.destination) == 16 and route.source else 0)
        entry = DeviceRoute(route.destination, route.prefix, route.device, route.gateway, route.source, metric)
        net.devices.routes.append(entry)
    net.devices.neighbours = lambda: [
        DeviceNeighbour(number, hop, entry.mac, stack.neighbours.state(entry, net.outside.clock()))
        for (number, hop), entry in stack.neighbours.entries.items()
    ]
    net.devices.routes.sort(key=lambda entry: entry.prefix)
