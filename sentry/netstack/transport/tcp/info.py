"""TCP_INFO: what a connection tells of itself (tcp(7); the fields' names are struct tcp_info's)."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection

OPTION_TIMESTAMPS, OPTION_SACK, OPTION_WSCALE = 1, 2, 4
OPEN, DISORDER, RECOVERY, LOSS = 0, 1, 3, 4  # TCP_CA_*


class TcpInfo(NamedTuple):
    """Times are microseconds, windows and counts segments where struct tcp_info says so."""

    state: int
    ca_state: int
    retransmits: int
    probes: int
    backoff: int
    options: int
    snd_wscale: int
    rcv_wscale: int
    rto: int
    snd_mss: int
    rcv_mss: int
    unacked: int
    sacked: int
    lost: int
    pmtu: int
    rtt: int
    rttvar: int
    snd_ssthresh: int
    snd_cwnd: int
    rcv_space: int


def info(c: "Connection") -> TcpInfo:
    """The values now."""
    mss, board = c.mss, c.board
    ca_state = OPEN
    if c.recover is not None:
        ca_state = LOSS if c.is_loss else RECOVERY
    elif c.duplicates or board.sacked:
        ca_state = DISORDER
    options = OPTION_TIMESTAMPS * c.has_stamps | OPTION_SACK * c.has_sack | OPTION_WSCALE * (c.rcv_scale > 0)
    return TcpInfo(
        c.state, ca_state, c.retries, c.probes, c.rtt.backoff, options, c.snd_scale, c.rcv_scale, c.rtt.timeout() // 1000,
        mss, min(c.peer_mss, mss), len(board.records), -(-board.sacked // mss), -(-board.lost // mss), c.mtu,
        c.rtt.srtt // 1000, c.rtt.variation // 1000, c.congestion.threshold // mss,
        max(c.congestion.window // mss, 1), c.options.rcvbuf,
    )  # fmt: skip
