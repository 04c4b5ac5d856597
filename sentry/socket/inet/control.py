"""Control messages of datagram sockets (ip(7), ipv6(7), socket(7)): where a datagram went, its TTL, when it came.

Linux: net/ipv4/ip_sockglue.c, ip_cmsg_send(), ip_cmsg_recv(); net/ipv6/datagram.c.
"""

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from sentry.kernel.net_devices import LOOPBACK_INDEX
from sentry.socket.inet.address import MAPPED, Endpoint, is_loopback
from syscalls.abi import socket as abi
from syscalls.abi.errno import EINVAL, ENETUNREACH, ENODEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import NSEC_PER_SEC, NSEC_PER_USEC, TIMEVAL

if TYPE_CHECKING:
    from sentry.socket.inet.base import InetSocket
    from sentry.socket.socket import Envelope, Receipt

#: struct in_pktinfo: ifindex spec_dst addr
_PKTINFO4: Final = Struct("<i4s4s")
#: struct in6_pktinfo: addr ifindex
_PKTINFO6: Final = Struct("<16sI")
_WORD: Final = Struct("<i")
_BYTE_MAX: Final = 255
TTL_DEFAULT: Final = 64


class Datagram(NamedTuple):
    """One datagram: its bytes, who sent it, to which address, with what in its header; ``time_ns`` is the wall clock's."""

    data: bytes
    source: Endpoint
    destination: Endpoint
    ttl: int = TTL_DEFAULT
    tos: int = 0
    time_ns: int = 0
    interface: int = LOOPBACK_INDEX


class Header(NamedTuple):
    """What a sender may choose: a source address (None: by the route), TTL and TOS (None: as the socket's options say)."""

    source: bytes | None = None
    ttl: int | None = None
    tos: int | None = None


PLAIN: Final = Header()


def read_header(socket: "InetSocket", envelope: "Envelope") -> Header:
    """What the control messages of a send choose. Errors: EINVAL malformed or unknown, ENODEV."""
    header = PLAIN
    for level, kind, data in envelope.control or ():
        if level == abi.IPPROTO_IPV6 and socket.family == abi.AF_INET6:
            header = _read6(socket, header, kind, data)
        elif level == abi.IPPROTO_IP:
            header = _read4(socket, header, kind, data)
        elif level in (abi.IPPROTO_UDP, abi.IPPROTO_IPV6):
            raise SyscallError(EINVAL)
    return header


def _number(data: bytes) -> int:
    if len(data) != _WORD.size:
        raise SyscallError(EINVAL)
    (value,) = _WORD.unpack(data)
    return int(value)


def _check_device(socket: "InetSocket", index: int) -> None:
    if index and socket.kernel.net.devices.by_index(index) is None:
        raise SyscallError(ENODEV)


def _check_source(socket: "InetSocket", address: bytes, errno: int) -> bytes:
    if not socket.is_local(address):
        raise SyscallError(errno)
    return address


def _read4(socket: "InetSocket", header: Header, kind: int, data: bytes) -> Header:
    if kind == abi.IP_PKTINFO and len(data) == _PKTINFO4.size:
        index, source, _ = _PKTINFO4.unpack(data)
        _check_device(socket, index)
        return header._replace(source=_check_source(socket, MAPPED + source, ENETUNREACH)) if any(source) else header
    if kind == abi.IP_TTL:
        ttl = _number(data)
        if not 1 <= ttl <= _BYTE_MAX:
            raise SyscallError(EINVAL)
        return header._replace(ttl=ttl)
    if kind == abi.IP_TOS and len(data) in (1, _WORD.size):
        tos = data[0] if len(data) == 1 else _number(data)
        if not 0 <= tos <= _BYTE_MAX:
            raise SyscallError(EINVAL)
        return header._replace(tos=tos)
    raise SyscallError(EINVAL)


def _read6(socket: "InetSocket", header: Header, kind: int, data: bytes) -> Header:
    if kind == abi.IPV6_PKTINFO and len(data) >= _PKTINFO6.size:
        source, index = _PKTINFO6.unpack_from(data)
        _check_device(socket, index)
        return header._replace(source=_check_source(socket, source, EINVAL)) if any(source) else header
    if kind in (abi.IPV6_HOPLIMIT, abi.IPV6_TCLASS):
        value = _number(data)
        if not -1 <= value <= _BYTE_MAX:
            raise SyscallError(EINVAL)
        chosen = None if value == -1 else value
        return header._replace(ttl=chosen) if kind == abi.IPV6_HOPLIMIT else header._replace(tos=chosen)
    raise SyscallError(EINVAL)


def wants_time(socket: "InetSocket") -> bool:
    """Whether received datagrams are stamped."""
    flags = socket.flags_set
    return abi.SO_TIMESTAMP in flags or abi.SO_TIMESTAMPNS in flags


def describe(socket: "InetSocket", datagram: Datagram, receipt: "Receipt") -> None:
    """Put what the socket's options ask for into ``receipt``, in Linux's order."""
    control = receipt.control
    if wants_time(socket):
        time_ns = datagram.time_ns or socket.kernel.realtime_ns()
        seconds, rest = divmod(time_ns, NSEC_PER_SEC)
        if abi.SO_TIMESTAMPNS in socket.flags_set:
            control.append((abi.SOL_SOCKET, abi.SCM_TIMESTAMPNS, TIMEVAL.pack(seconds, rest)))
        else:
            control.append((abi.SOL_SOCKET, abi.SCM_TIMESTAMP, TIMEVAL.pack(seconds, rest // NSEC_PER_USEC)))
    values = socket.values
    if not values:
        return
    if socket.family == abi.AF_INET6:
        _describe6(values, datagram, receipt)
    if datagram.destination.is_v4:
        _describe4(socket, values, datagram, receipt)


def _describe4(socket: "InetSocket", values: dict[tuple[int, int], int], datagram: Datagram, receipt: "Receipt") -> None:
    level, control = abi.IPPROTO_IP, receipt.control
    if values.get((level, abi.IP_PKTINFO)):
        to = datagram.destination.address[12:]
        control.append((level, abi.IP_PKTINFO, _PKTINFO4.pack(datagram.interface, _local(socket, datagram), to)))
    if values.get((level, abi.IP_RECVTTL)):
        control.append((level, abi.IP_TTL, _WORD.pack(datagram.ttl)))
    if values.get((level, abi.IP_RECVTOS)):
        control.append((level, abi.IP_TOS, bytes((datagram.tos,))))


def _local(socket: "InetSocket", datagram: Datagram) -> bytes:
    """The local address that a reply would come from: of a group or broadcast the device's own."""
    to = datagram.destination.address
    device = socket.kernel.net.devices.by_index(datagram.interface)
    if datagram.interface != LOOPBACK_INDEX and device is not None:
        own = [entry.address for entry in device.addresses if entry.family == abi.AF_INET]
        return to[12:] if to[12:] in own or not own else own[0]
    return to[12:] if is_loopback(to) and to != BROADCAST else bytes((127, 0, 0, 1))


def _describe6(values: dict[tuple[int, int], int], datagram: Datagram, receipt: "Receipt") -> None:
    level, control = abi.IPPROTO_IPV6, receipt.control
    if values.get((level, abi.IPV6_RECVPKTINFO)):
        control.append((level, abi.IPV6_PKTINFO, _PKTINFO6.pack(datagram.destination.address, datagram.interface)))
    if datagram.destination.is_v4:
        return
    if values.get((level, abi.IPV6_RECVHOPLIMIT)):
        control.append((level, abi.IPV6_HOPLIMIT, _WORD.pack(datagram.ttl)))
    if values.get((level, abi.IPV6_RECVTCLASS)):
        control.append((level, abi.IPV6_TCLASS, _WORD.pack(datagram.tos)))


#: of 127.0.0.0/8
BROADCAST: Final = MAPPED + bytes((127, 255, 255, 255))
