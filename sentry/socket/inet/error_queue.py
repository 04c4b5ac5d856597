"""The error queue of a datagram socket: what ICMP reported, with the datagram that caused it (ip(7), IP_RECVERR)."""

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from sentry.socket.inet import address as addresses
from sentry.socket.inet.address import Endpoint
from syscalls.abi import socket as abi
from syscalls.abi.errors import SyscallError, WouldBlock

if TYPE_CHECKING:
    from sentry.socket.inet.datagram import DatagramSocket
    from sentry.socket.socket import Receipt
    from sentry.vfs.io import Sink

#: struct sock_extended_err: errno origin type code pad info data
_EXTENDED: Final = Struct("<I4BII")
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_PORT_UNREACHABLE4, _PORT_UNREACHABLE6 = (3, 3), (1, 4)
_OVERHEAD: Final = 768


class Report(NamedTuple):
    """One error: its number, the datagram and its destination; the ICMP message's type (-1: this host's own), code and word."""

    errno: int
    data: bytes
    destination: Endpoint
    type: int = -1
    code: int = 0
    info: int = 0
    offender: Endpoint | None = None


def wants_reports(socket: "DatagramSocket", destination: Endpoint) -> bool:
    """IP_RECVERR, or IPV6_RECVERR, for the family of ``destination``."""
    key = (abi.IPPROTO_IP, abi.IP_RECVERR) if destination.is_v4 else (abi.IPPROTO_IPV6, abi.IPV6_RECVERR)
    return bool(socket.values.get(key))


def add(socket: "DatagramSocket", report: Report) -> None:
    """Queue ``report``; without room it is lost, as is the datagram."""
    size = len(report.data) + _OVERHEAD
    if socket.used + size > socket.rcvbuf:
        return
    try:
        socket.kernel.limits.charge(size)
    except SyscallError:
        return
    socket.used += size
    socket.reports.append(report)


def take(socket: "DatagramSocket", sink: "Sink", receipt: "Receipt") -> int:
    """recvmsg(2) with MSG_ERRQUEUE; never waits. Errors: EAGAIN."""
    if not socket.reports:
        raise WouldBlock
    report = socket.reports[0]
    length = len(report.data)
    count = sink.put(report.data[: sink.remaining]) if sink.remaining and length else 0
    socket.reports.popleft()
    release(socket, report)
    socket.error = socket.reports[0].errno if socket.reports else 0
    receipt.flags |= abi.MSG_ERRQUEUE | (abi.MSG_TRUNC if count < length else 0)
    receipt.length = length
    receipt.is_complete = True
    receipt.address = addresses.encode(report.destination, socket.family)
    is_v4 = report.destination.is_v4
    origin = _ORIGIN_ICMP if is_v4 else _ORIGIN_ICMP6
    kind, code = (_PORT_UNREACHABLE4 if is_v4 else _PORT_UNREACHABLE6) if report.type < 0 else (report.type, report.code)
    offender = addresses.encode(report.offender or Endpoint(report.destination.address, 0), socket.family)
    level, name = (abi.IPPROTO_IP, abi.IP_RECVERR) if socket.family == abi.AF_INET else (abi.IPPROTO_IPV6, abi.IPV6_RECVERR)
    receipt.control.append((level, name, _EXTENDED.pack(report.errno, origin, kind, code, 0, report.info, 0) + offender))
    return count


def release(socket: "DatagramSocket", report: Report) -> None:
    """Give the memory of ``report`` back."""
    size = len(report.data) + _OVERHEAD
    socket.used -= size
    socket.kernel.limits.uncharge(size)
