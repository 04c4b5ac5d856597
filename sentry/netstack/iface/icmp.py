"""ICMP and ICMPv6 as a host does them: answers echoes, tells of errors at a limited rate, hands errors to endpoints.

RFC 792, RFC 1122 section 3.2.2, RFC 4443 section 2.4.
"""

from errno import EACCES, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH, EMSGSIZE, ENETUNREACH, ENOPROTOOPT, EOPNOTSUPP, EPROTO
from typing import TYPE_CHECKING, NamedTuple

from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.device import Device
from sentry.netstack.interface import SECOND
from sentry.netstack.wire import icmp, ipv6
from sentry.netstack.wire.icmp import Message
from sentry.netstack.wire.packet import Packet

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack

_QUOTE4, _QUOTE6 = 576 - 28, 1280 - 48
_UNREACHABLE4: dict[int, tuple[int, bool]] = {  # code -> errno, whether a connection ends (Linux: icmp_err_convert)
    0: (ENETUNREACH, False), 1: (EHOSTUNREACH, False), 2: (ENOPROTOOPT, True), 3: (ECONNREFUSED, True), 4: (EMSGSIZE, False),
    5: (EOPNOTSUPP, False), 6: (ENETUNREACH, True), 7: (EHOSTDOWN, True), 9: (ENETUNREACH, True), 10: (EHOSTUNREACH, True),
    11: (ENETUNREACH, False), 12: (EHOSTUNREACH, False), 13: (EHOSTUNREACH, True), 14: (EHOSTUNREACH, True),
    15: (EHOSTUNREACH, True),
}  # fmt: skip
_UNREACHABLE6: dict[int, tuple[int, bool]] = {
    0: (ENETUNREACH, False), 1: (EACCES, True), 2: (EHOSTUNREACH, False), 3: (EHOSTUNREACH, False), 4: (ECONNREFUSED, True),
    5: (EACCES, True), 6: (EACCES, True),
}  # fmt: skip


class IcmpError(NamedTuple):
    """An error as an endpoint gets it; ``is_fatal`` ends a connection that is being opened."""

    errno: int
    is_fatal: bool
    type: int
    code: int
    mtu: int
    offender: bytes


class IcmpLayer:
    """``tokens`` is the bucket of the error rate limit, in billionths of an error."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.tokens = stack.limits.icmp_error_burst * SECOND
        self.filled_at = 0

    # --- receiving -----------------------------------------------------------------------------------------------------------

    def receive4(self, packet: Packet) -> None:
        """An ICMP packet for us."""
        counters = self.stack.counters.icmp
        counters["InMsgs"] += 1
        message = icmp.parse4(packet.payload)
        if message is None:
            counters["InErrors"] += 1
            return
        if message.type == icmp.ECHO:
            counters["InEchos"] += 1
            if not self.stack.is_local(packet.destination):
                return  # RFC 1122 section 3.2.2.6 allows silence to broadcasts (Linux: icmp_echo_ignore_broadcasts)
            counters["OutEchoReps"] += 1
            reply = icmp.emit4(message._replace(type=icmp.ECHO_REPLY))
            self.stack.ip.send(Packet(packet.destination, packet.source, icmp.PROTOCOL4, reply, tos=packet.tos))
        elif message.type == icmp.ECHO_REPLY:
            self.stack.raw.receive_echo_reply(packet, message)
        elif message.type in (icmp.UNREACHABLE, icmp.TIME_EXCEEDED, icmp.PARAMETER):
            self._receive_error4(packet, message)

    def _receive_error4(self, packet: Packet, message: Message) -> None:
        quote = message.body
        if len(quote) < 28 or quote[0] >> 4 != 4 or (quote[0] & 15) < 5 or int.from_bytes(quote[6:8], "big") & 0x1FFF:
            self.stack.counters.icmp["InErrors"] += 1
            return
        errno, is_fatal = EHOSTUNREACH, False
        if message.type == icmp.UNREACHABLE:
            errno, is_fatal = _UNREACHABLE4.get(message.code, (EHOSTUNREACH, False))
        elif message.type == icmp.PARAMETER:
            errno, is_fatal = EPROTO, True
        mtu = message.rest & 0xFFFF if errno == EMSGSIZE else 0
        error = IcmpError(errno, is_fatal, message.type, message.code, mtu, packet.source)
        self._deliver(quote[12:16], quote[16:20], quote[9], quote[(quote[0] & 15) * 4 :], error)

    def receive6(self, packet: Packet, device: Device) -> None:
        """An ICMPv6 packet for us."""
        counters = self.stack.counters.icmp
        counters["InMsgs"] += 1
        message = icmp.parse6(packet.source, packet.destination, packet.payload)
        if message is None:
            counters["InErrors"] += 1
        elif message.type in (icmp.SOLICITATION, icmp.ADVERTISEMENT):
            self.stack.neighbours.receive_ndp(device, packet, message)
        elif message.type == icmp.ECHO6:
            source = packet.destination if self.stack.is_local(packet.destination) else device.source_for(packet.source)
            if source is not None:
                reply = icmp.emit6(source, packet.source, message._replace(type=icmp.ECHO_REPLY6))
                self.stack.ip.send(Packet(source, packet.source, icmp.PROTOCOL6, reply, tos=packet.tos))
        elif message.type == icmp.ECHO_REPLY6:
            self.stack.raw.receive_echo_reply(packet, message)
        elif message.type in (icmp.UNREACHABLE6, icmp.TOO_BIG6, icmp.TIME_EXCEEDED6, icmp.PARAMETER6):
            self._receive_error6(packet, message)

    def _receive_error6(self, packet: Packet, message: Message) -> None:
        quote = message.body
        if len(quote) < 48 or quote[0] >> 4 != 6:
            self.stack.counters.icmp["InErrors"] += 1
            return
        protocol, at = quote[6], 40
        if protocol == ipv6.FRAGMENT:
            protocol, at = quote[40], 48
        errno, is_fatal, mtu = EHOSTUNREACH, False, 0
        if message.type == icmp.UNREACHABLE6:
            errno, is_fatal = _UNREACHABLE6.get(message.code, (EHOSTUNREACH, False))
        elif message.type == icmp.TOO_BIG6:
            errno, mtu = EMSGSIZE, message.rest
        elif message.type == icmp.PARAMETER6:
            errno, is_fatal = EPROTO, True
        error = IcmpError(errno, is_fatal, message.type, message.code, mtu, packet.source)
        self._deliver(quote[8:24], quote[24:40], protocol, quote[at:], error)

    def _deliver(self, local: bytes, remote: bytes, protocol: int, quoted: bytes, error: IcmpError) -> None:
        handler = self.stack.transports.get(protocol)
        if handler is not None and len(quoted) >= 8 and self.stack.is_local(local):
            handler.handle_error(local, remote, quoted, error)

    def report_unreachable(self, data: bytes) -> None:
        """A packet of ours could not be sent: nobody has its next hop's address."""
        if data[0] >> 4 == 4:
            error = IcmpError(EHOSTUNREACH, False, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, 0, data[12:16])
            self._deliver(data[12:16], data[16:20], data[9], data[20:], error)
        else:
            error = IcmpError(EHOSTUNREACH, False, icmp.UNREACHABLE6, icmp.ADDRESS_UNREACHABLE6, 0, data[8:24])
            self._deliver(data[8:24], data[24:40], data[6], data[40:], error)

    # --- sending -------------------------------------------------------------------------------------------------------------

    def _may_send(self) -> bool:
        limits, now = self.stack.limits, self.stack.now
        filled = self.tokens + (now - self.filled_at) * limits.icmp_errors_per_second
        self.tokens = min(filled, limits.icmp_error_burst * SECOND)
        self.filled_at = now
        if self.tokens < SECOND:
            self.stack.counters.drop["icmp rate limit"] += 1
            return False
        self.tokens -= SECOND
        return True

    def send_error(self, packet: Packet, type: int, code: int, rest: int = 0) -> None:
        """Tell the sender of ``packet`` what is wrong with it, unless it is one that no error may answer."""
        if addresses.is_multicast(packet.source) or addresses.is_any(packet.source) or packet.source == addresses.BROADCAST4:
            return
        is_group = not self.stack.is_local(packet.destination)
        raw = packet.raw or self.stack.ip.emit(packet)
        if len(packet.source) == 4:
            if is_group or (packet.protocol == icmp.PROTOCOL4 and packet.payload[:1] and packet.payload[0] in icmp.ERRORS4):
                return
            if self._may_send():
                message = icmp.emit4(Message(type, code, rest, raw[:_QUOTE4]))
                self.stack.ip.send(Packet(packet.destination, packet.source, icmp.PROTOCOL4, message, tos=packet.tos))
            return
        is_allowed_to_group = type == icmp.PARAMETER6 and code == ipv6.BAD_OPTION
        if (is_group and not is_allowed_to_group) or (packet.protocol == icmp.PROTOCOL6 and packet.payload[:1] < b"\x80"):
            return
        path = self.stack.routes.lookup(packet.source)
        source = path.source if is_group and path is not None else packet.destination
        if self._may_send() and not addresses.is_multicast(source):
            message = icmp.emit6(source, packet.source, Message(type, code, rest, raw[:_QUOTE6]))
            self.stack.ip.send(Packet(source, packet.source, icmp.PROTOCOL6, message))

    def send_unreachable(self, packet: Packet, code4: int, code6: int) -> None:
        """Destination unreachable, with the code of the packet's version."""
        if len(packet.source) == 4:
            self.send_error(packet, icmp.UNREACHABLE, code4)
        else:
            self.send_error(packet, icmp.UNREACHABLE6, code6)

    def send_reassembly_timeout(self, first: Packet) -> None:
        """The first fragment came, others did not (RFC 792, RFC 4443 section 3.3)."""
        self.send_error(first, icmp.TIME_EXCEEDED if len(first.source) == 4 else icmp.TIME_EXCEEDED6, 1)

    def send_neighbour(
        self, device: Device, type: int, source: bytes, destination: bytes, target: bytes, flags: int, mac: bytes
    ) -> None:
        """Send a solicitation or an advertisement; ``mac``: the neighbour is known and asked alone."""
        own = b"" if addresses.is_any(source) else device.link.mac
        message = Message(type, 0, flags, icmp.neighbour_body(type, target, own))
        data = icmp.emit6(source, destination, message)
        packet = Packet(source, destination, icmp.PROTOCOL6, data, ttl=255)
        if mac:
            self.stack.ip.transmit_to(device, mac, packet)
        else:
            self.stack.neighbours.send(device, destination, ipv6.emit(packet))
