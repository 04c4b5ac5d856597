"""/proc/net/{arp,dev,if_inet6,ipv6_route,unix,netlink,sockstat,sockstat6,snmp} (proc_pid_net(5))."""

from typing import TYPE_CHECKING, Final

from syscalls.abi.netlink import ARPHRD_ETHER, IFA_F_PERMANENT, NUD_VALID, RT_SCOPE_HOST, RT_SCOPE_LINK
from syscalls.abi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from sentry.kernel.net_namespace import NetNamespace
    from sentry.kernel.task import Task

_DEV: Final = (
    b"Inter-|   Receive                                                |  Transmit\n"
    b" face |bytes    packets errs drop fifo frame compressed multicast"
    b"|bytes    packets errs drop fifo colls carrier compressed\n"
)
_ARP: Final = b"IP address       HW type     Flags       HW address            Mask     Device\n"
_ATF_COM: Final = 2
#: on loopback, streams and datagrams are handed over as buffers: lo counts none
_DEV_LINE: Final = (
    b"%6s: %7d %7d    0    0    0     0          0         0 %8d %7d    0    0    0     0       0          0\n"
)
_ROUTE: Final = b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
_SCOPES6: Final = {RT_SCOPE_HOST: 0x10, RT_SCOPE_LINK: 0x20}
#: destination, its prefix, no source, next hop, metric, references, uses, flags, device
_ROUTE6: Final = b"%s %02x " + b"0" * 32 + b" 00 %s %08x %08x 00000000 %08x %8s\n"
_NOBODY6: Final = b"0" * 32
_UP6, _GATEWAY6 = 0x1, 0x2  # RTF_*
_ACCEPTCON: Final = 0x10000
_ESTABLISHED: Final = 1
_SNMP: Final = (
    (b"Ip", b"Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers "
     b"OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates"),
    (b"Tcp", b"RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs "
     b"RetransSegs InErrs OutRsts InCsumErrors"),
    (b"Udp", b"InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors"),
)  # fmt: skip
_SNMP_FIXED: Final = {b"Forwarding": 2, b"DefaultTTL": 64, b"RtoAlgorithm": 1, b"RtoMin": 200, b"RtoMax": 120_000, b"MaxConn": -1}


def dev(viewer: "Task | None") -> bytes:
    """The devices with their counters."""
    devices = viewer.kernel.net.devices.all() if viewer is not None else []
    return _DEV + b"".join(
        _DEV_LINE % (device.name, device.received[1], device.received[0], device.sent[1], device.sent[0]) for device in devices
    )


def arp(viewer: "Task | None") -> bytes:
    """The neighbours of IPv4. Linux: arp_format_neigh_entry()."""
    lines = [_ARP]
    devices = viewer.kernel.net.devices if viewer is not None else None
    for one in devices.neighbours() if devices is not None else ():
        device = devices.by_index(one.device) if devices is not None else None
        if device is not None and len(one.address) == 4:
            address = ".".join(map(str, one.address)).encode()
            flags = _ATF_COM if one.state & NUD_VALID else 0
            mac = (one.mac or bytes(6)).hex(":").encode()
            lines.append(b"%-16s 0x%-10x0x%-10x%-17s     *        %s\n" % (address, ARPHRD_ETHER, flags, mac, device.name))
    return b"".join(lines)


def route(viewer: "Task | None") -> bytes:
    """The main table (route(8)); numbers are as the processor holds them. Linux: fib_route_seq_show()."""
    lines = [_ROUTE.ljust(127)]
    if viewer is not None:
        devices = viewer.kernel.net.devices
        for entry in devices.routes:
            device = devices.by_index(entry.index)
            if entry.family != AF_INET or device is None:
                continue
            to, by = (int.from_bytes(one.ljust(4, b"\0"), "little") for one in (entry.destination, entry.gateway))
            mask = int.from_bytes(((1 << 32) - (1 << 32 - entry.prefix)).to_bytes(4, "big"), "little")
            flags = 1 | 2 * bool(entry.gateway) | 4 * (entry.prefix == 32)
            text = b"%b\t%08X\t%08X\t%04X\t0\t0\t%d\t%08X\t0\t0\t0" % (device.name, to, by, flags, entry.metric, mask)
            lines.append(text.ljust(127))
    return b"".join(line + b"\n" for line in lines)


def if_inet6(viewer: "Task | None") -> bytes:
    """The IPv6 addresses."""
    if viewer is None:
        return b""
    return b"".join(
        b"%b %02x %02x %02x %02x %8s\n"
        % (entry.address.hex().encode(), device.index, entry.prefix, _SCOPES6.get(entry.scope, 0), IFA_F_PERMANENT, device.name)
        for device in viewer.kernel.net.devices.all()
        for entry in device.addresses
        if entry.family == AF_INET6
    )


def ipv6_route(viewer: "Task | None") -> bytes:
    """The main table, the unreachable default and the local addresses (Linux: the null entry is there twice)."""
    if viewer is None:
        return b""
    devices = viewer.kernel.net.devices
    null = _ROUTE6 % (_NOBODY6, 0, _NOBODY6, 0xFFFFFFFF, 1, 0x00200200, b"lo")
    main = []
    for route in devices.routes:
        out = devices.by_index(route.index)
        if route.family == AF_INET6 and out is not None:
            hop = route.gateway.hex().encode() or _NOBODY6
            flags = _UP6 | _GATEWAY6 * bool(route.gateway)
            main.append(_ROUTE6 % (route.destination.hex().encode(), route.prefix, hop, route.metric, 1, flags, out.name))
    local = [
        _ROUTE6 % (entry.address.hex().encode(), prefix, _NOBODY6, 0, 2, 0x80200001, device.name)
        for device in devices.all()
        for entry in device.addresses
        if entry.family == AF_INET6
        for prefix in (entry.prefix if device.is_loopback else 128,)
    ]
    return b"".join((*main, null, *local, null))


def unix(viewer: "Task | None") -> bytes:
    """The UNIX sockets."""
    lines = [b"Num       RefCount Protocol Flags    Type St Inode Path\n"]
    if viewer is None:
        return lines[0]
    sockets = viewer.kernel.net.unix_sockets
    for row in sorted((socket.row() for socket in sockets if not socket.is_closed), key=lambda row: row.ino):
        name = row.name.replace(b"\0", b"@")
        flags, state = (_ACCEPTCON, 1) if row.is_listening else (0, 3 if row.is_connected else 1)
        columns = (0, row.references, 0, flags, row.type, state, row.ino)
        lines.append(b"%016x: %08X %08X %08X %04X %02X %5d" % columns + (b" " + name if name else b"") + b"\n")
    return b"".join(lines)


def netlink(viewer: "Task | None") -> bytes:
    """The netlink sockets that have a number."""
    lines = [b"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"]
    for socket in viewer.kernel.net.netlink_ports.values() if viewer is not None else ():
        row = socket.row()
        lines.append(
            b"%016x %-3d %-10d %08x %-8d %-8d %-5d %-8d %-8d %-8d\n"
            % (0, row.protocol, row.port, row.groups & 0xFFFFFFFF, row.unread, 0, 0, 2, 0, row.ino)
        )
    return b"".join(lines)


def _count(net: "NetNamespace", table: str, family: int) -> int:
    ports = getattr(net, table)
    return 0 if ports is None else sum(1 for socket in ports if socket.family == family)


def sockstat(viewer: "Task | None") -> bytes:
    """How many sockets of IPv4 there are; nobody is in TIME_WAIT, because loopback loses nothing."""
    if viewer is None:
        return b""
    net = viewer.kernel.net
    tcp, udp, raw = (_count(net, table, AF_INET) for table in ("tcp_ports", "udp_ports", "raw_sockets"))
    tcp6, udp6 = (_count(net, table, AF_INET6) for table in ("tcp_ports", "udp_ports"))
    used = tcp + udp + raw + tcp6 + udp6 + len(net.unix_sockets) + len(net.netlink_ports)
    return (
        b"sockets: used %d\nTCP: inuse %d orphan 0 tw 0 alloc %d mem 0\nUDP: inuse %d mem 0\n" % (used, tcp, tcp + tcp6, udp)
        + b"UDPLITE: inuse 0\nRAW: inuse %d\nFRAG: inuse 0 memory 0\n" % raw
    )


def sockstat6(viewer: "Task | None") -> bytes:
    """How many sockets of IPv6 there are."""
    if viewer is None:
        return b""
    counts = tuple(_count(viewer.kernel.net, table, AF_INET6) for table in ("tcp_ports", "udp_ports", "raw_sockets"))
    return b"TCP6: inuse %d\nUDP6: inuse %d\nUDPLITE6: inuse 0\nRAW6: inuse %d\nFRAG6: inuse 0 memory 0\n" % counts


def snmp(viewer: "Task | None") -> bytes:
    """The counters of RFC 1213: those of the stack, if there is one. Buffers that are handed over are no packets."""
    ports = viewer.kernel.net.tcp_ports if viewer is not None else None
    established = sum(1 for socket in ports if socket.state_number() == _ESTABLISHED) if ports is not None else 0
    values = {**_SNMP_FIXED, b"CurrEstab": established}
    stack = viewer.kernel.net.stack if viewer is not None else None
    counted: dict[bytes, Counter[str]] = {}
    if stack is not None:
        counted = {b"Ip": stack.counters.ip, b"Tcp": stack.counters.tcp, b"Udp": stack.counters.udp}
    lines = b""
    for head, names in _SNMP:
        counts: Mapping[str, int] = counted.get(head, {})
        numbers = b" ".join(b"%d" % values.get(name, counts.get(name.decode(), 0)) for name in names.split())
        lines += head + b": " + names + b"\n" + head + b": " + numbers + b"\n"
    return lines
