"""The route family of netlink: what the namespace's devices, addresses, routes and rules look like (rtnetlink(7))."""

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Final

from sentry.kernel.net_devices import LOOPBACK_INDEX
from sentry.socket.netlink.message import Request, attribute, attributes, fixed
from syscalls.abi import netlink as nl
from syscalls.abi.errno import EINVAL, ENETUNREACH, ENODEV, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_INET, AF_INET6, AF_UNSPEC

if TYPE_CHECKING:
    from sentry.kernel.net_devices import DeviceAddress, DeviceNeighbour, DeviceRoute, NetDevice, NetDevices

#: struct rtnl_link_stats and rtnl_link_stats64: rx_packets tx_packets rx_bytes tx_bytes, and counters of what never happens
_STATS: Final = Struct("<4I80x")
_STATS64: Final = Struct("<4Q168x")
_WORD_MASK: Final = 0xFFFFFFFF
_NULL_BROADCAST: Final = bytes(6)
_BROADCAST: Final = b"\xff" * 6
_FOREVER: Final = 0xFFFFFFFF
_LINK_CHANGE: Final = 0
_POINT_TO_POINT: Final = 31  # a prefix without a broadcast address (RFC 3021)
_LOOPBACK4: Final = bytes((127, 0, 0, 1))
_LOOPBACK6: Final = bytes(15) + b"\x01"
_RULES4: Final = ((0, nl.RT_TABLE_LOCAL), (32_766, nl.RT_TABLE_MAIN), (32_767, nl.RT_TABLE_DEFAULT))
_RULES6: Final = _RULES4[:2]

Body = tuple[int, bytes]


def dump(devices: "NetDevices", request: Request, *, is_strict: bool) -> list[Body]:
    """All entries that a dump asks for, as (message type, body). Errors: EOPNOTSUPP no such table."""
    make = _DUMPS.get(request.type)
    if make is None:
        raise SyscallError(EOPNOTSUPP)
    return make(devices, request, is_strict)


def get(devices: "NetDevices", request: Request, uid: int) -> Body:
    """One entry, for the user ``uid``. Errors: ENODEV, ENETUNREACH, EINVAL, EOPNOTSUPP."""
    if request.type == nl.RTM_GETLINK:
        return nl.RTM_NEWLINK, _link(_find_device(devices, request))
    if request.type == nl.RTM_GETROUTE:
        return nl.RTM_NEWROUTE, _route_to(devices, request, uid)
    raise SyscallError(EOPNOTSUPP)


def _find_device(devices: "NetDevices", request: Request) -> "NetDevice":
    _, _, index, _, _ = fixed(nl.IFINFOMSG, request.body)
    name = attributes(request.body[nl.IFINFOMSG.size :]).get(nl.IFLA_IFNAME)
    if index <= 0 and name is None:
        raise SyscallError(EINVAL)
    found = devices.by_index(index) if index > 0 else devices.by_name((name or b"").rstrip(b"\0"))
    if found is None:
        raise SyscallError(ENODEV)
    return found


def _link(device: "NetDevice") -> bytes:
    state = nl.IF_OPER_UNKNOWN
    if not device.is_loopback:
        state = nl.IF_OPER_UP if device.flags & nl.IFF_LOWER_UP else nl.IF_OPER_DOWN
    counts = (device.received[0], device.sent[0], device.received[1], device.sent[1])
    return b"".join((
        nl.IFINFOMSG.pack(AF_UNSPEC, device.type, device.index, device.flags, _LINK_CHANGE),
        attribute(nl.IFLA_IFNAME, device.name + b"\0"),
        attribute(nl.IFLA_TXQLEN, device.queue_length),
        attribute(nl.IFLA_OPERSTATE, bytes((state,))),
        attribute(nl.IFLA_LINKMODE, b"\0"),
        attribute(nl.IFLA_MTU, device.mtu),
        attribute(nl.IFLA_MIN_MTU, 0),
        attribute(nl.IFLA_MAX_MTU, 0),
        attribute(nl.IFLA_GROUP, 0),
        attribute(nl.IFLA_PROMISCUITY, 0),
        attribute(nl.IFLA_NUM_TX_QUEUES, 1),
        attribute(nl.IFLA_NUM_RX_QUEUES, 1),
        attribute(nl.IFLA_CARRIER, bytes((bool(device.flags & nl.IFF_LOWER_UP),))),
        attribute(nl.IFLA_QDISC, b"noqueue\0"),
        attribute(nl.IFLA_ADDRESS, device.hardware),
        attribute(nl.IFLA_BROADCAST, _NULL_BROADCAST if device.is_loopback else _BROADCAST),
        attribute(nl.IFLA_STATS64, _STATS64.pack(*counts)),
        attribute(nl.IFLA_STATS, _STATS.pack(*(count & _WORD_MASK for count in counts))),
    ))  # fmt: skip


def _links(devices: "NetDevices", request: Request, is_strict: bool) -> list[Body]:
    return [(nl.RTM_NEWLINK, _link(device)) for device in devices.all()]


def _last(entry: "DeviceAddress") -> bytes:
    """The directed broadcast address of an IPv4 entry's network."""
    return (int.from_bytes(entry.address, "big") | ~int.from_bytes(entry.netmask, "big") & 0xFFFFFFFF).to_bytes(4, "big")


def _address(device: "NetDevice", entry: "DeviceAddress") -> bytes:
    head = nl.IFADDRMSG.pack(entry.family, entry.prefix, nl.IFA_F_PERMANENT, entry.scope, device.index)
    parts = [head, attribute(nl.IFA_ADDRESS, entry.address)]
    if entry.family == AF_INET:
        parts.append(attribute(nl.IFA_LOCAL, entry.address))
        if not device.is_loopback and entry.prefix < _POINT_TO_POINT:
            parts.append(attribute(nl.IFA_BROADCAST, _last(entry)))
        parts.append(attribute(nl.IFA_LABEL, device.name + b"\0"))
    elif device.is_loopback:
        parts.append(attribute(nl.IFA_PROTO, bytes((nl.IFAPROT_KERNEL_LO,))))
    parts.append(attribute(nl.IFA_FLAGS, nl.IFA_F_PERMANENT))
    parts.append(attribute(nl.IFA_CACHEINFO, nl.IFA_CACHEINFO_STRUCT.pack(_FOREVER, _FOREVER, 0, 0)))
    return b"".join(parts)


def _addresses(devices: "NetDevices", request: Request, is_strict: bool) -> list[Body]:
    family, _, _, _, index = fixed(nl.IFADDRMSG, request.body)
    return [
        (nl.RTM_NEWADDR, _address(device, entry))
        for wanted in (AF_INET, AF_INET6)
        for device in devices.all()
        for entry in device.addresses
        if entry.family == wanted and family in (AF_UNSPEC, wanted) and (not is_strict or index in (0, device.index))
    ]


def _route(
    family: int, prefix: int, table: int, scope: int, kind: int, parts: list[bytes], protocol: int = nl.RTPROT_KERNEL
) -> bytes:
    head = nl.RTMSG.pack(family, prefix, 0, 0, table, protocol, scope, kind, 0)
    return b"".join((head, attribute(nl.RTA_TABLE, table), *parts))


def _routes_of(device: "NetDevice", entry: "DeviceAddress") -> list[bytes]:
    """What an address of a device puts into the local table (Linux: fib_add_ifaddr(), addrconf's host routes)."""
    out = attribute(nl.RTA_OIF, device.index)
    if entry.family == AF_INET6:
        parts = [
            attribute(nl.RTA_DST, entry.address),
            attribute(nl.RTA_PRIORITY, 0),
            out,
            attribute(nl.RTA_CACHEINFO, nl.RTA_CACHEINFO_STRUCT.pack(*(0,) * 8)),
            attribute(nl.RTA_PREF, b"\0"),
        ]
        prefix = entry.prefix if device.is_loopback else 128
        return [_route(AF_INET6, prefix, nl.RT_TABLE_LOCAL, nl.RT_SCOPE_UNIVERSE, nl.RTN_LOCAL, parts)]
    mask = int.from_bytes(entry.netmask, "big")
    number = int.from_bytes(entry.address, "big")
    source = attribute(nl.RTA_PREFSRC, entry.address)
    wishes = [
        (number & mask, entry.prefix, nl.RT_SCOPE_HOST, nl.RTN_LOCAL),
        (number, 32, nl.RT_SCOPE_HOST, nl.RTN_LOCAL),
        (number | ~mask & 0xFFFFFFFF, 32, nl.RT_SCOPE_LINK, nl.RTN_BROADCAST),
    ]
    if not device.is_loopback:
        wishes = wishes[1:] if entry.prefix < _POINT_TO_POINT else wishes[1:2]
    return [
        _route(AF_INET, prefix, nl.RT_TABLE_LOCAL, scope, kind, [attribute(nl.RTA_DST, to.to_bytes(4, "big")), source, out])
        for to, prefix, scope, kind in wishes
    ]


def _main_route(entry: "DeviceRoute") -> bytes:
    """A route of the main table (Linux: fib_dump_info(), rt6_fill_node())."""
    parts = [attribute(nl.RTA_DST, entry.destination)] if entry.prefix else []
    if entry.metric or entry.family == AF_INET6:
        parts.append(attribute(nl.RTA_PRIORITY, entry.metric))
    if entry.gateway:
        parts.append(attribute(nl.RTA_GATEWAY, entry.gateway))
    if entry.source and entry.family == AF_INET:
        parts.append(attribute(nl.RTA_PREFSRC, entry.source))
    parts.append(attribute(nl.RTA_OIF, entry.index))
    if entry.family == AF_INET6:
        parts.append(attribute(nl.RTA_CACHEINFO, nl.RTA_CACHEINFO_STRUCT.pack(*(0,) * 8)))
        parts.append(attribute(nl.RTA_PREF, b"\0"))
    is_link = entry.family == AF_INET and not entry.gateway
    scope = nl.RT_SCOPE_LINK if is_link else nl.RT_SCOPE_UNIVERSE
    protocol = nl.RTPROT_KERNEL if entry.source else nl.RTPROT_BOOT
    return _route(entry.family, entry.prefix, nl.RT_TABLE_MAIN, scope, nl.RTN_UNICAST, parts, protocol)


def _routes(devices: "NetDevices", request: Request, is_strict: bool) -> list[Body]:
    family, *_ = fixed(nl.RTMSG, request.body)
    wanted = int.from_bytes(attributes(request.body[nl.RTMSG.size :]).get(nl.RTA_TABLE, b""), "little") if is_strict else 0
    bodies: list[Body] = []
    for version in (AF_INET, AF_INET6):
        if family not in (AF_UNSPEC, version):
            continue
        if wanted in (0, nl.RT_TABLE_MAIN):
            bodies += [(nl.RTM_NEWROUTE, _main_route(entry)) for entry in devices.routes if entry.family == version]
        if wanted in (0, nl.RT_TABLE_LOCAL):
            bodies += [
                (nl.RTM_NEWROUTE, body)
                for device in devices.all()
                for entry in device.addresses
                if entry.family == version
                for body in _routes_of(device, entry)
            ]
    return bodies


def _route_abroad(devices: "NetDevices", family: int, to: bytes, uid: int) -> bytes:
    """The route to an address that is not this host's: the longest prefix, then the smallest metric. Errors: ENETUNREACH."""
    bits = len(to) * 8
    fitting = [
        route
        for route in devices.routes
        if route.family == family
        and int.from_bytes(to, "big") >> bits - route.prefix == int.from_bytes(route.destination, "big") >> bits - route.prefix
    ]
    if not fitting:
        raise SyscallError(ENETUNREACH)
    route = max(fitting, key=lambda one: (one.prefix, -one.metric))
    device = devices.by_index(route.index)
    own = next((entry.address for entry in device.addresses if entry.family == family), b"") if device is not None else b""
    flags = nl.RTM_F_CLONED if family == AF_INET else 0
    head = nl.RTMSG.pack(family, bits, 0, 0, nl.RT_TABLE_MAIN, 0, nl.RT_SCOPE_UNIVERSE, nl.RTN_UNICAST, flags)
    parts = [head, attribute(nl.RTA_TABLE, nl.RT_TABLE_MAIN), attribute(nl.RTA_DST, to)]
    if route.gateway:
        parts.append(attribute(nl.RTA_GATEWAY, route.gateway))
    parts.append(attribute(nl.RTA_OIF, route.index))
    if source := route.source or own:
        parts.append(attribute(nl.RTA_PREFSRC, source))
    parts.append(attribute(nl.RTA_UID, uid))
    parts.append(attribute(nl.RTA_CACHEINFO, nl.RTA_CACHEINFO_STRUCT.pack(*(0,) * 8)))
    return b"".join(parts)


def _route_to(devices: "NetDevices", request: Request, uid: int) -> bytes:
    """RTM_GETROUTE of one destination. Errors: EINVAL, ENETUNREACH."""
    family, length, *_ = fixed(nl.RTMSG, request.body)
    to = attributes(request.body[nl.RTMSG.size :]).get(nl.RTA_DST, b"")
    bits = {AF_INET: 32, AF_INET6: 128}.get(family)
    if bits is None or len(to) * 8 != bits or length not in (0, bits):
        raise SyscallError(EINVAL)
    is_own = any(entry.address == to for device in devices.all() for entry in device.addresses)
    if not (is_own or to == _LOOPBACK6 or (family == AF_INET and to[0] == _LOOPBACK4[0])):
        return _route_abroad(devices, family, to, uid)
    cache = attribute(nl.RTA_CACHEINFO, nl.RTA_CACHEINFO_STRUCT.pack(*(0,) * 8))
    out = attribute(nl.RTA_OIF, LOOPBACK_INDEX)
    if family == AF_INET:  # Linux: rt_fill_info() names the main table unless RTM_F_LOOKUP_TABLE is set
        flags = nl.RTM_F_CLONED | nl.RTCF_LOCAL
        head = nl.RTMSG.pack(family, bits, 0, 0, nl.RT_TABLE_MAIN, 0, nl.RT_SCOPE_UNIVERSE, nl.RTN_LOCAL, flags)
        parts = [attribute(nl.RTA_TABLE, nl.RT_TABLE_MAIN), attribute(nl.RTA_DST, to), out]
        source = attribute(nl.RTA_PREFSRC, to if is_own else _LOOPBACK4)
        return b"".join([head, *parts, source, attribute(nl.RTA_UID, uid), cache])
    head = nl.RTMSG.pack(family, bits, bits, 0, nl.RT_TABLE_LOCAL, nl.RTPROT_KERNEL, nl.RT_SCOPE_UNIVERSE, nl.RTN_LOCAL, 0)
    parts = [attribute(nl.RTA_DST, to), attribute(nl.RTA_SRC, bytes(16)), attribute(nl.RTA_TABLE, nl.RT_TABLE_LOCAL), out]
    parts += [attribute(nl.RTA_PREFSRC, to), attribute(nl.RTA_PRIORITY, 0), cache, attribute(nl.RTA_PREF, b"\0")]
    return b"".join([head, *parts])


def _neighbours(devices: "NetDevices", request: Request, is_strict: bool) -> list[Body]:
    """Nobody is asked for a hardware address on a loopback device, so these are of links."""
    family, *_ = fixed(nl.NDMSG, request.body)
    return [
        (nl.RTM_NEWNEIGH, _neighbour(version, one))
        for one in devices.neighbours()
        if family in (AF_UNSPEC, version := AF_INET if len(one.address) == 4 else AF_INET6)
    ]


def _neighbour(version: int, one: "DeviceNeighbour") -> bytes:
    parts = [nl.NDMSG.pack(version, one.device, one.state, 0, nl.RTN_UNICAST), attribute(nl.NDA_DST, one.address)]
    if one.mac:
        parts.append(attribute(nl.NDA_LLADDR, one.mac))
    return b"".join(parts)


def _rules(devices: "NetDevices", request: Request, is_strict: bool) -> list[Body]:
    family, *_ = fixed(nl.RTMSG, request.body)
    bodies: list[Body] = []
    for version, rules in ((AF_INET, _RULES4), (AF_INET6, _RULES6)):
        if family not in (AF_UNSPEC, version):
            continue
        for priority, table in rules:
            parts = [
                nl.RTMSG.pack(version, 0, 0, 0, table, 0, 0, nl.FR_ACT_TO_TBL, 0),
                attribute(nl.FRA_TABLE, table),
                attribute(nl.FRA_SUPPRESS_PREFIXLEN, _FOREVER),
                attribute(nl.FRA_PROTOCOL, bytes((nl.RTPROT_KERNEL,))),
            ]
            if priority:
                parts.append(attribute(nl.FRA_PRIORITY, priority))
            bodies.append((nl.RTM_NEWRULE, b"".join(parts)))
    return bodies


_DUMPS: Final[dict[int, Callable[["NetDevices", Request, bool], list[Body]]]] = {
    nl.RTM_GETLINK: _links,
    nl.RTM_GETADDR: _addresses,
    nl.RTM_GETROUTE: _routes,
    nl.RTM_GETNEIGH: _neighbours,
    nl.RTM_GETRULE: _rules,
}
