"""Options of IP, IPv6, TCP and UDP (ip(7), ipv6(7), tcp(7), udp(7)).

Those that steer packets are kept and told back: nothing on loopback depends on them. Linux: do_ip_setsockopt(),
do_tcp_setsockopt().
"""

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from syscalls.abi import socket as abi
from syscalls.abi.errno import EINVAL, ENODEV, ENOENT, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, EPERM
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
_DEFER_TIMES_MAX: Final = 255
_DEFER_PERIOD_MAX: Final = 120  # TCP_RTO_MAX
_WINDOW_CLAMP_MIN: Final = 1152  # SOCK_MIN_RCVBUF / 2


class Known(NamedTuple):
    """An option: its value until it is set, and the range that it accepts; a boolean turns everything but 0 into 1."""

    default: int
    least: int = 0
    most: int = 1
    is_boolean: bool = False
    is_clamped: bool = False  # what is above the range becomes its end


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
    abi.IP_MULTICAST_ALL: Known(1),
    abi.IP_PASSSEC: _switch(),
    abi.IP_RECVERR_RFC4884: Known(0),
}
_MULTICAST_ALL: Final = (abi.IPPROTO_IP, abi.IP_MULTICAST_ALL)
_NOT_OF_STREAMS: Final = {
    (abi.IPPROTO_IP, abi.IP_MULTICAST_TTL): EINVAL,
    (abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_HOPS): ENOPROTOOPT,
}
#: no byte at all is a zero to the others (Linux: do_ip_setsockopt())
_NEEDS_A_BYTE: Final = (
    abi.IP_TTL, abi.IP_MINTTL, abi.IP_FREEBIND, abi.IP_MULTICAST_TTL, abi.IP_MULTICAST_LOOP, abi.IP_MULTICAST_ALL,
)  # fmt: skip
_IPV6: Final = {
    abi.IPV6_V6ONLY: _switch(),
    abi.IPV6_UNICAST_HOPS: Known(64, -1, 255),
    abi.IPV6_MULTICAST_HOPS: Known(1, -1, 255),
    abi.IPV6_MULTICAST_LOOP: Known(1),
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
    abi.TCP_LINGER2: Known(60, -(1 << 31), 120, is_clamped=True),
    abi.TCP_DEFER_ACCEPT: Known(0, -(1 << 31), (1 << 31) - 1),
    abi.TCP_WINDOW_CLAMP: Known(0, -(1 << 31), (1 << 31) - 1),
    abi.TCP_THIN_LINEAR_TIMEOUTS: Known(0),
    abi.TCP_THIN_DUPACK: Known(0),
    abi.TCP_REPAIR: Known(0),
    abi.TCP_USER_TIMEOUT: Known(0, 0, (1 << 31) - 1),
    abi.TCP_NOTSENT_LOWAT: Known(0, -(1 << 31), (1 << 31) - 1),
    abi.TCP_FASTOPEN: Known(0, 0, 4096, is_clamped=True),
    abi.TCP_FASTOPEN_CONNECT: Known(0, 0, 1),
}
#: there are no protocols above (TLS in the kernel), and no connection is repaired
_TCP_REFUSED: Final = {abi.TCP_ULP: ENOENT, abi.TCP_REPAIR: EPERM}
_UDP: Final = {abi.UDP_CORK: _switch()}
_NUMBERS_ONLY: Final = (abi.IPPROTO_TCP, abi.IPPROTO_UDP)
_LEVELS: Final = {abi.IPPROTO_IP: _IP, abi.IPPROTO_IPV6: _IPV6, abi.IPPROTO_TCP: _TCP, abi.IPPROTO_UDP: _UDP}


def _deferred(seconds: int) -> int:
    """TCP_DEFER_ACCEPT in whole retransmissions of a SYN-ACK, as seconds (Linux: secs_to_retrans(), retrans_to_secs())."""
    period = times = 0
    while period < seconds and times < _DEFER_TIMES_MAX:
        period += min(1 << times, _DEFER_PERIOD_MAX)
        times += 1
    return period


_TCP_ADJUST: Final[dict[int, Callable[[int], int]]] = {
    abi.TCP_DEFER_ACCEPT: _deferred,
    abi.TCP_MAXSEG: lambda number: number or _TCP[abi.TCP_MAXSEG].default,
    abi.TCP_THIN_DUPACK: lambda number: 0 if number == 1 else number,  # Linux no longer has it, and still takes it
    abi.TCP_LINGER2: lambda number: max(number, -1) or _TCP[abi.TCP_LINGER2].default,
    abi.TCP_WINDOW_CLAMP: lambda number: number and max(number, _WINDOW_CLAMP_MIN),
}


def _find(socket: "InetSocket", level: int, name: int) -> Known:
    is_tcp, is_v6 = socket.protocol == abi.IPPROTO_TCP, socket.family == abi.AF_INET6
    known = _LEVELS.get(level, {}).get(name)
    is_udp = socket.protocol == abi.IPPROTO_UDP and socket.type == abi.SOCK_DGRAM
    is_foreign = (level == abi.IPPROTO_TCP and not is_tcp) or (level == abi.IPPROTO_IPV6 and not is_v6)
    if known is None or is_foreign or (level == abi.IPPROTO_UDP and not is_udp):
        raise SyscallError(ENOPROTOOPT)
    return known


def check_level(socket: "InetSocket", level: int, *, is_get: bool) -> None:
    """Whether the socket's protocols have options at ``level``. Errors: EOPNOTSUPP getsockopt(2) of IPv4, else ENOPROTOOPT."""
    is_known = level in (abi.IPPROTO_IP, socket.protocol) or (level == abi.IPPROTO_IPV6 and socket.family == abi.AF_INET6)
    if not (is_known or (level == abi.SOL_RAW and socket.type == abi.SOCK_RAW)):
        raise SyscallError(EOPNOTSUPP if is_get and socket.family == abi.AF_INET else ENOPROTOOPT)


def get_option(socket: "InetSocket", level: int, name: int) -> bytes:
    """The option's value. Errors: ENOPROTOOPT, ENOTCONN for the path's MTU without one."""
    if level == abi.IPPROTO_TCP and socket.protocol == abi.IPPROTO_TCP:
        if name == abi.TCP_INFO:
            return _info(socket)
        if name == abi.TCP_CONGESTION:
            return _CONGESTION.ljust(_CONGESTION_SIZE, b"\0")
        if name == abi.TCP_ULP:
            return b""
        if name == abi.TCP_MAXSEG and socket.remote is not None:
            return _MSS4.to_bytes(_WORD, "little")
    if (level, name) in ((abi.IPPROTO_IP, abi.IP_MTU), (abi.IPPROTO_IPV6, abi.IPV6_MTU)):
        if socket.remote is None:
            raise SyscallError(ENOTCONN)
        outside = socket.kernel.net.outside
        if outside is not None and not socket.is_local(socket.remote.address):
            path: int = outside.mtu(socket.remote.address, socket.device)
            return path.to_bytes(_WORD, "little")
        return _MTU.to_bytes(_WORD, "little")
    if (level, name) == (abi.IPPROTO_IP, abi.IP_PROTOCOL):
        number = socket.protocol if socket.type == abi.SOCK_RAW else socket.local.port  # Linux: inet_num is both
        return number.to_bytes(_WORD, "little")
    known = _find(socket, level, name)
    if name == abi.IPV6_V6ONLY and level == abi.IPPROTO_IPV6:
        value = int(socket.is_v6only)
    else:
        value = socket.values.get((level, name), known.default)
        if (level, name) == _MULTICAST_ALL and socket.family == abi.AF_INET6 and _MULTICAST_ALL not in socket.values:
            value = 0  # IPv4's is off in a socket of IPv6
    return (value & 0xFFFFFFFF).to_bytes(_WORD, "little")


def set_option(socket: "InetSocket", level: int, name: int, value: bytes) -> None:
    """Change an option. Errors: ENOPROTOOPT, EINVAL out of range or too short, ENOENT no such congestion control."""
    if level == abi.IPPROTO_TCP and name == abi.TCP_CONGESTION and socket.protocol == abi.IPPROTO_TCP:
        if not value:
            raise SyscallError(EINVAL)
        if value.split(b"\0", 1)[0] != _CONGESTION:
            raise SyscallError(ENOENT)
        return
    if len(value) < (1 if (level, name) == (abi.IPPROTO_TCP, abi.TCP_ULP) else _WORD) and level in _NUMBERS_ONLY:
        raise SyscallError(EINVAL)
    if level == abi.IPPROTO_TCP and name in _TCP_REFUSED:
        raise SyscallError(_TCP_REFUSED[name])
    known = _find(socket, level, name)
    if socket.is_stream and (level, name) in _NOT_OF_STREAMS:
        raise SyscallError(_NOT_OF_STREAMS[level, name])
    number = _in_range(known, level, name, _number(level, name, value))
    if level == abi.IPPROTO_IPV6 and name == abi.IPV6_V6ONLY:
        if socket.local.port:
            raise SyscallError(EINVAL)
        socket.is_v6only = bool(number)
        return
    if level == abi.IPPROTO_IP and name == abi.IP_TOS:
        number &= 0xFC if socket.protocol == abi.IPPROTO_TCP else 0xFF
    if level == abi.IPPROTO_IPV6 and name == abi.IPV6_TCLASS and socket.protocol == abi.IPPROTO_TCP:
        number &= 0xFC  # congestion's two bits are TCP's own
    socket.values[level, name] = int(bool(number)) if known.is_boolean else number


def _number(level: int, name: int, value: bytes) -> int:
    if len(value) >= _WORD:
        return int.from_bytes(value[:_WORD], "little", signed=True)
    if level == abi.IPPROTO_IP and (value or name not in _NEEDS_A_BYTE):
        return value[0] if value else 0  # Linux: ip(7) options take a byte as well
    if (level, name) == (abi.IPPROTO_IPV6, abi.IPV6_DONTFRAG):
        return 0  # Linux: do_ipv6_setsockopt() has no check there
    raise SyscallError(EINVAL)


def _in_range(known: Known, level: int, name: int, number: int) -> int:
    """The value that a wish leads to. Errors: EINVAL."""
    if known.is_clamped:
        number = min(number, known.most)
    if level == abi.IPPROTO_TCP and name in _TCP_ADJUST:
        number = _TCP_ADJUST[name](number)
    if not known.least <= number <= known.most or (number == 0 and name == abi.IP_TTL and level == abi.IPPROTO_IP):
        raise SyscallError(EINVAL)
    return known.default if number == -1 and known.least == -1 else number


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
