"""The struct virtio_net_hdr before a large segment, and the checksum that the kernel left out."""

import struct

from sentry.host.link.packet import complete, large
from sentry.netstack.wire import ethernet, ipv4, ipv6, tcp
from sentry.netstack.wire.checksum import pseudo
from sentry.netstack.wire.packet import Packet

NEEDS_CHECKSUM, TCPV4, TCPV6 = 1, 1, 4


def _frame(size, options=b""):
    source, destination = bytes(size - 1) + b"\x01", bytes(size - 1) + b"\x02"
    data = tcp.emit_large(1, 2, 3, 4, tcp.ACK, 5, options, bytes(range(200)) * 50, pseudo(source, destination, 6))
    packet = Packet(source, destination, 6, data)
    payload = ipv4.emit(packet, 1, ipv4.DONT_FRAGMENT) if size == 4 else ipv6.emit(packet)
    return ethernet.emit(bytes(6), bytes(6), ethernet.TYPE_IPV4 if size == 4 else ethernet.TYPE_IPV6, payload)


def test_a_large_segment_becomes_packets_of_the_mtu():
    stamps = tcp.stamp_options(1, 2)
    for size, kind, start in ((4, TCPV4, 34), (16, TCPV6, 54)):
        for options in (b"", stamps):
            headers = start + 20 + len(options)
            seen = struct.unpack("<BBHHHH", large(_frame(size, options), 1500))
            assert seen == (NEEDS_CHECKSUM, kind, headers, 1514 - headers, start, 16)


def test_the_sum_that_is_left_out_can_be_completed():
    for size, start in ((4, 34), (16, 54)):
        frame = _frame(size)
        parse = ipv4.parse if size == 4 else ipv6.parse
        for whole, is_good in ((frame, False), (complete(frame, start, 16), True)):
            packet = parse(whole[14:])
            ends = pseudo(packet.source, packet.destination, 6)
            assert (tcp.parse(packet.payload, ends) is not None) == is_good
            assert tcp.parse(packet.payload, ends, is_checked=True) is not None
