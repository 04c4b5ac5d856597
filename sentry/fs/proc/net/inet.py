"""/proc/net/{tcp,tcp6,udp,udp6,raw,raw6}: a line a socket (proc_pid_net(5)). Linux: get_tcp4_sock(), udp4_format_sock()."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from syscalls.abi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.kernel.socket_row import InetRow
    from sentry.kernel.task import Task

_TCP: Final = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    b"                                                     \n"
)
_TCP6: Final = (
    b"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when"
    b" retrnsmt   uid  timeout inode\n"
)
_UDP: Final = (
    b"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
    b"            \n"
)
_RAW: Final = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
)
_UDP6: Final = (
    b"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when"
    b" retrnsmt   uid  timeout inode ref pointer drops\n"
)
_LISTEN: Final = 10
_CLOSED: Final = 7
_TCP4_WIDTH: Final = 149
_UDP4_WIDTH: Final = 127
_Text = Callable[["Task | None"], bytes]


def _address(address: bytes, port: int, family: int) -> bytes:
    """The words of the address as the processor holds them, and the port."""
    data = address[12:] if family == AF_INET else address
    words = b"".join(b"%08X" % int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4))
    return words + b":%04X" % port


def _columns(number: int, width: int, row: "InetRow") -> bytes:
    local, remote = (_address(*end, row.family) for end in (row.local, row.remote))
    return b"%*d: %b %b %02X %08X:%08X 00:00000000 00000000 %5d %8d %d" % (
        width, number, local, remote, row.state, row.unsent, row.unread, row.uid, 0, row.ino,
    )  # fmt: skip


def _rows(net: "NetNamespace", table: str, family: int) -> "Iterator[InetRow]":
    ports = getattr(net, table)
    if ports is not None:
        rows: Iterator[InetRow] = (socket.row() for socket in ports)
        yield from sorted((row for row in rows if row.family == family), key=lambda row: (row.state != _LISTEN, row.local))


def tcp(family: int) -> _Text:
    """The text of tcp or tcp6; sockets that neither listen nor are connected are in no table."""

    def text(viewer: "Task | None") -> bytes:
        if viewer is None:
            return b""
        lines = [_TCP if family == AF_INET else _TCP6]
        shown = (row for row in _rows(viewer.kernel.net, "tcp_ports", family) if row.state != _CLOSED)
        for number, row in enumerate(shown):
            tail = b"100 0 0 10 0" if row.state == _LISTEN else b"20 4 30 10 -1"
            line = b"%b %d %016x %b" % (_columns(number, 4, row), row.references, 0, tail)
            lines.append((line.ljust(_TCP4_WIDTH) if family == AF_INET else line) + b"\n")
        return b"".join(lines)

    return text


def datagrams(table: str, family: int) -> _Text:
    """The text of udp, udp6, raw or raw6: the sockets in ``table`` of the namespace."""
    is_udp = table == "udp_ports"
    head = _UDP6 if family == AF_INET6 else _UDP if is_udp else _RAW

    def text(viewer: "Task | None") -> bytes:
        if viewer is None:
            return b""
        lines = [head]
        for number, row in enumerate(_rows(viewer.kernel.net, table, family)):
            line = b"%b %d %016x %d" % (_columns(number, 5 if is_udp else 4, row), row.references, 0, row.drops)
            lines.append((line.ljust(_UDP4_WIDTH) if family == AF_INET and is_udp else line) + b"\n")
        return b"".join(lines)

    return text
