"""A socket's options as the stack's connections have them, and what a connection tells of itself (tcp(7))."""

from struct import Struct
from typing import TYPE_CHECKING, Final

from sentry.netstack.interface import MILLISECOND, SECOND
from sentry.netstack.transport.tcp.info import info
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.timers import start_keepalive
from sentry.socket.options import SOCK_RCVBUF_LOCK, SOCK_SNDBUF_LOCK
from syscalls.abi import socket as abi

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection
    from sentry.socket.inet.base import InetSocket
    from sentry.socket.inet.outside.outside import Outside

__all__ = ["fill", "is_corked", "of", "start_keepalive", "tell"]

_TCP: Final = abi.IPPROTO_TCP
_WORD: Final = 4
_MICROSECOND: Final = 1000
#: struct tcp_info up to tcpi_total_retrans: eight bytes, then words
_INFO: Final = Struct("<8B24I")
_REORDERING: Final = 3


def of(socket: "InetSocket", outside: "Outside") -> TcpOptions:
    """The options of a new connection or listener."""
    options = TcpOptions(is_rcvbuf_fixed=outside.is_near)
    fill(options, socket)
    return options


def is_corked(socket: "InetSocket") -> bool:
    """TCP_CORK."""
    return bool(socket.values.get((_TCP, abi.TCP_CORK)))


def fill(options: TcpOptions, socket: "InetSocket") -> None:
    """Change ``options`` to what the socket has set."""
    values = socket.values

    def value(name: int, default: int) -> int:
        return values.get((_TCP, name), default)

    options.no_delay = bool(value(abi.TCP_NODELAY, 0))
    options.cork = is_corked(socket)
    options.keepalive = abi.SO_KEEPALIVE in socket.flags_set
    options.keep_idle = value(abi.TCP_KEEPIDLE, 7200) * SECOND
    options.keep_interval = value(abi.TCP_KEEPINTVL, 75) * SECOND
    options.keep_count = value(abi.TCP_KEEPCNT, 9)
    options.user_timeout = value(abi.TCP_USER_TIMEOUT, 0) * MILLISECOND
    options.mss = value(abi.TCP_MAXSEG, 0)
    options.syn_retries = value(abi.TCP_SYNCNT, 6)
    options.fin_timeout = max(value(abi.TCP_LINGER2, 60), 0) * SECOND
    options.ttl = values.get((abi.IPPROTO_IP, abi.IP_TTL), values.get((abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS), 64))
    options.tos = values.get((abi.IPPROTO_IP, abi.IP_TOS), values.get((abi.IPPROTO_IPV6, abi.IPV6_TCLASS), 0)) & 0xFF
    options.device = socket.device
    if socket.buf_lock & SOCK_SNDBUF_LOCK:
        options.sndbuf, options.is_sndbuf_fixed = socket.sndbuf, True
    if socket.buf_lock & SOCK_RCVBUF_LOCK:
        options.rcvbuf, options.is_rcvbuf_fixed = socket.rcvbuf, True


def tell(connection: "Connection", level: int, name: int) -> bytes | None:
    """The value of an option that is the connection's own; None: it is the socket's."""
    if level == _TCP and name == abi.TCP_INFO:
        return _info(connection)
    if level == _TCP and name == abi.TCP_MAXSEG:
        return connection.mss.to_bytes(_WORD, "little")
    if (level, name) in ((abi.IPPROTO_IP, abi.IP_MTU), (abi.IPPROTO_IPV6, abi.IPV6_MTU)):
        return connection.mtu.to_bytes(_WORD, "little")
    return None


def _info(connection: "Connection") -> bytes:
    told = info(connection)
    now = connection.stack.now
    since_heard, since_data = ((now - at) // MILLISECOND & 0xFFFFFFFF for at in (connection.heard_at, connection.data_at or now))
    since_sent = (now - (connection.sent_at or now)) // MILLISECOND & 0xFFFFFFFF
    head = (told.state, told.ca_state, told.retransmits & 0xFF, told.probes & 0xFF, told.backoff & 0xFF, told.options)
    scales = told.snd_wscale | told.rcv_wscale << 4
    words = (
        told.rto, 40_000, told.snd_mss, told.rcv_mss, told.unacked, told.sacked, told.lost, 0, 0,
        since_sent, 0, since_data, since_heard, told.pmtu, told.rcv_space, told.rtt, told.rttvar,
        told.snd_ssthresh, told.snd_cwnd, told.snd_mss, _REORDERING, 0, told.rcv_space, 0,
    )  # fmt: skip
    return _INFO.pack(*head, scales, 0, *(min(max(word, 0), 0xFFFFFFFF) for word in words))
