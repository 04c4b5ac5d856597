"""Options of IP, IPv6, TCP and UDP (ip(7), ipv6(7), tcp(7), udp(7)).

Those that steer packets are kept and told back: nothing on loopback depends on them. Linux: do_ip_setsockopt(),
do_tcp_setsockopt().
"""

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from syscalls.abi import socket as abi
from syscalls.abi.errno import EINVAL, ENODEV, ENOENT, ENOPROTOOPT, ENOTCONN
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.socket.inet.base import InetSocket

_WORD: Final = 4
_CONGESTION: Final = b"cubic"
_CONGESTION_SIZE: Final = 16
_MTU: Final = 65_536
_MSS4: Final = 65_483
#: struct tcp_info up to tcpi_total_retrans: eight bytes, then words
_INFO = Struct("<8B24I")


class Known(NamedTuple):
    """An option: its value until it is set, and the range that it accepts; a boolean turns everything but 0 into 1."""

    default: int
    least: int = 0
    most: int = 1
    is_boolean: bool = False


def _switch(default: int = 0) -> Known:
    return Known(default, -(1 << 31), (1 << 31) - 1, is_boolean=True)


_IP: Final = {
    abi.IP_TOS: Known(0, -(1 << 31), (1 << 31) - 1),
    abi.IP_TTL: Known(64, -1, 255),
    abi.IP_PKTINFO: _switch(),
    abi.IP_MTU_DISCOVER: Known(1, 0, 5),
    abi.IP_RECVERR: _switch(),
    abi.IP_RECVTTL: _switch(),
    abi.IP_RECVTOS: _switch(),
    abi.IP_RECVOPTS: _switch(),
    abi.IP_RETOPTS: _switch(),
    abi.IP_FREEBIND: _switch(),
    abi.IP_BIND_ADDRESS_NO_PORT: _switch(),
    abi.IP_MINTTL: Known(0, 0, 255),
    abi.IP_MULTICAST_TTL: Known(1, -1, 255),
    abi.IP_MULTICAST_LOOP: _switch(1),
    abi.IP_MULTICAST_ALL: _switch(1),
}
_IPV6: Final = {
    abi.IPV6_V6ONLY: _switch(),
    abi.IPV6_UNICAST_HOPS: Known(64, -1, 255),
    abi.IPV6_MULTICAST_HOPS: Known(1, -1, 255),
    abi.IPV6_MULTICAST_LOOP: _switch(1),
    abi.IPV6_MULTICAST_ALL: _switch(1),
    abi.IPV6_MTU_DISCOVER: Known(1, 0, 5),
    abi.IPV6_RECVERR: _switch(),
    abi.IPV6_RECVPKTINFO: _switch(),
    abi.IPV6_RECVHOPLIMIT: _switch(),
    abi.IPV6_RECVTCLASS: _switch(),
    abi.IPV6_TCLASS: Known(0, -1, 255),
    abi.IPV6_DONTFRAG: _switch(),
    abi.IPV6_FREEBIND: _switch(),
}
_TCP: Final = {
    abi.TCP_NODELAY: _switch(),
    abi.TCP_CORK: _switch(),
    abi.TCP_QUICKACK: _switch(1),
    abi.TCP_MAXSEG: Known(536, 88, 32_767),
    abi.TCP_KEEPIDLE: Known(7200, 1, 32_767),
    abi.TCP_KEEPINTVL: Known(75, 1, 32_767),
    abi.TCP_KEEPCNT: Known(9, 1, 127),
    abi.TCP_SYNCNT: Known(6, 1, 127),
    abi.TCP_LINGER2: Known(60, -1, 120),
    abi.TCP_DEFER_ACCEPT: Known(0, 0, (1 << 31) - 1),
    abi.TCP_USER_TIMEOUT: Known(0, 0, (1 << 31) - 1),
    abi.TCP_NOTSENT_LOWAT: Known(0, -(1 << 31), (1 << 31) - 1),
    abi.TCP_FASTOPEN: Known(0, 0, 4096),
    abi.TCP_FASTOPEN_CONNECT: Known(0, 0, 1),
}
_UDP: Final = {abi.UDP_CORK: _switch()}
_LEVELS: Final = {abi.IPPROTO_IP: _IP, abi.IPPROTO_IPV6: _IPV6, abi.IPPROTO_TCP: _TCP, abi.IPPROTO_UDP: _UDP}


def _find(socket: "InetSocket", level: int, name: int) -> Known:
    is_tcp, is_v6 = socket.protocol == abi.IPPROTO_TCP, socket.family == abi.AF_INET6
    known = _LEVELS.get(level, {}).get(name)
    is_udp = socket.protocol == abi.IPPROTO_UDP and socket.type == abi.SOCK_DGRAM
    is_foreign = (level == abi.IPPROTO_TCP and not is_tcp) or (level == abi.IPPROTO_IPV6 and not is_v6)
    if known is None or is_foreign or (level == abi.IPPROTO_UDP and not is_udp):
        raise SyscallError(ENOPROTOOPT)
    return known


def get_option(socket: "InetSocket", level: int, name: int) -> bytes:
    """The option's value. Errors: ENOPROTOOPT, ENOTCONN for the path's MTU without one."""
    if level == abi.IPPROTO_TCP and socket.protocol == abi.IPPROTO_TCP:
        if name == abi.TCP_INFO:
            return _info(socket)
        if name == abi.TCP_CONGESTION:
            return _CONGESTION.ljust(_CONGESTION_SIZE, b"\0")
        if name == abi.TCP_MAXSEG and socket.remote is not None:
            return _MSS4.to_bytes(_WORD, "little")
    if (level, name) in ((abi.IPPROTO_IP, abi.IP_MTU), (abi.IPPROTO_IPV6, abi.IPV6_MTU)):
        if socket.remote is None:
            raise SyscallError(ENOTCONN)
        return _MTU.to_bytes(_WORD, "little")
    known = _find(socket, level, name)
    if name == abi.IPV6_V6ONLY and level == abi.IPPROTO_IPV6:
        value = int(socket.is_v6only)
    else:
        value = socket.values.get((level, name), known.default)
    return (value & 0xFFFFFFFF).to_bytes(_WORD, "little")


def set_option(socket: "InetSocket", level: int, name: int, value: bytes) -> None:
    """Change an option. Errors: ENOPROTOOPT, EINVAL out of range or too short, ENOENT no such congestion control."""
    if level == abi.IPPROTO_TCP and name == abi.TCP_CONGESTION and socket.protocol == abi.IPPROTO_TCP:
        if not value:
            raise SyscallError(EINVAL)
        if value.split(b"\0", 1)[0] != _CONGESTION:
            raise SyscallError(ENOENT)
        return
    known = _find(socket, level, name)
    if len(value) >= _WORD:
        number = int.from_bytes(value[:_WORD], "little", signed=True)
    elif value and level == abi.IPPROTO_IP:
        number = value[0]  # Linux: ip(7) options take a byte as well
    else:
        raise SyscallError(EINVAL)
    if not known.least <= number <= known.most or (number == 0 and name == abi.IP_TTL and level == abi.IPPROTO_IP):
        raise SyscallError(EINVAL)
    if number == -1 and known.least == -1:
        number = known.default
    if level == abi.IPPROTO_IPV6 and name == abi.IPV6_V6ONLY:
        if socket.local.port:
            raise SyscallError(EINVAL)
        socket.is_v6only = bool(number)
        return
    if level == abi.IPPROTO_IP and name == abi.IP_TOS:
        number &= 0xFC if socket.protocol == abi.IPPROTO_TCP else 0xFF
    socket.values[level, name] = int(bool(number)) if known.is_boolean else number


def _info(socket: "InetSocket") -> bytes:
    timers, sizes, times = (201_000, 40_000), (32_768, 32_768), (0,) * 9
    path = (65_535, 65_483, 20, 10, 0x7FFFFFFF, 10, _MSS4, 3, 0, 0, 0)  # pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, cwnd ...
    return _INFO.pack(socket.state_number(), 0, 0, 0, 0, 7, 0x77, 0, *timers, *sizes, *times, *path)


def get_device(socket: "InetSocket", name: int) -> bytes:
    """SO_BINDTODEVICE (the name, or nothing) and SO_BINDTOIFINDEX."""
    if name == abi.SO_BINDTOIFINDEX:
        return socket.device.to_bytes(_WORD, "little")
    device = socket.kernel.net.devices.by_index(socket.device)
    return device.name + b"\0" if device is not None else b""


def set_device(socket: "InetSocket", name: int, value: bytes) -> None:
    """Bind to a device by name or number (which Linux does not look up). Errors: ENODEV, EINVAL."""
    if name == abi.SO_BINDTOIFINDEX:
        index = int.from_bytes(value[:_WORD], "little", signed=True)
        if len(value) < _WORD or index < 0:
            raise SyscallError(EINVAL)
        socket.device = index
        return
    text = value[:15].split(b"\0", 1)[0]
    device = socket.kernel.net.devices.by_name(text)
    if device is None and text:
        raise SyscallError(ENODEV)
    socket.device = 0 if device is None else device.index
