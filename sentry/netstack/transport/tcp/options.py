"""What a program sets on a TCP socket (tcp(7)); a listener's are copied to its connections."""

from dataclasses import dataclass

from sentry.netstack.interface import MILLISECOND, SECOND


@dataclass(slots=True)
class TcpOptions:
    """Times are nanoseconds, sizes bytes. A buffer size that a program sets is no longer tuned.

    ``rcvbuf`` is at least 2304 (SOCK_MIN_RCVBUF): less would be a window of 0 once it is scaled.
    """

    no_delay: bool = False
    cork: bool = False
    keepalive: bool = False
    keep_idle: int = 7200 * SECOND
    keep_interval: int = 75 * SECOND
    keep_count: int = 9
    user_timeout: int = 0
    linger: int | None = None  # seconds; 0: close resets the connection
    mss: int = 0  # TCP_MAXSEG
    ttl: int = 64
    tos: int = 0
    sndbuf: int = 87_040
    rcvbuf: int = 131_072
    is_sndbuf_fixed: bool = False
    is_rcvbuf_fixed: bool = False
    congestion: str = "cubic"
    quick_ack: bool = False
    syn_retries: int = 6
    retries: int = 15
    fin_timeout: int = 60 * SECOND
    device: int = 0


RCVBUF_MAX, SNDBUF_MAX = 6 << 20, 4 << 20  # net.ipv4.tcp_rmem[2], tcp_wmem[2]
WINDOW_SCALE = 7  # what RCVBUF_MAX needs (RFC 7323 section 2.3)
DELAYED_ACK = 40 * MILLISECOND  # below the half second of RFC 9293 MUST-59
CORK_TIME = 200 * MILLISECOND
TIME_WAIT = 60 * SECOND  # Linux: TCP_TIMEWAIT_LEN for 2 MSL
PERSIST_MAX = 120 * SECOND
