# guest: net root
"""Ping sockets (icmp(7)) and raw sockets (raw(7)) on loopback."""

import errno
import socket
import struct


def show(what, call):
    try:
        print(what, call())
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return (total + (total >> 16)) & 0xFFFF


def echo(ident, sequence, kind=8, data=b"abcdefgh"):
    head = struct.pack(">BBHHH", kind, 0, 0, ident, sequence)
    return struct.pack(">BBHHH", kind, 0, ~checksum(head + data) & 0xFFFF, ident, sequence) + data


raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.settimeout(2)
print(raw.sendto(echo(77, 1), ("127.0.0.1", 0)))
for _ in range(2):
    packet, address = raw.recvfrom(100)
    version, tos, length, _, _, ttl, protocol, _, source, target = struct.unpack(">BBHHHBBH4s4s", packet[:20])
    print(hex(version), tos, length, ttl, protocol, source, target, packet[20:].hex(), address, checksum(packet[:20]) == 0xFFFF)
raw.setsockopt(socket.SOL_RAW if hasattr(socket, "SOL_RAW") else 255, 1, struct.pack("I", 1 << 8))
raw.sendto(echo(77, 2), ("127.0.0.3", 0))
packet, address = raw.recvfrom(100)
print(packet[20:].hex(), address)
raw.settimeout(0)
show("no more", lambda: raw.recv(100))
raw.connect(("127.0.0.1", 0))
raw.settimeout(2)
print(raw.send(echo(5, 5)), len(raw.recv(100)))
made = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 33, 1, 0, bytes(4), bytes((127, 0, 0, 1))) + echo(9, 9)
raw.setsockopt(0, socket.IP_HDRINCL, 1)
print(raw.getsockopt(0, socket.IP_HDRINCL), raw.send(made), raw.recv(100)[20:].hex())

six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
six.settimeout(2)
print(six.sendto(echo(4, 4, 128), ("::1", 0)))
for _ in range(2):
    packet, address = six.recvfrom(100)
    print(packet.hex(), address)
for arguments in (2, 3, 0), (2, 1, 17), (2, 2, 58), (10, 2, 1), (2, 5, 0), (2, 1, 300):
    show(arguments, lambda arguments=arguments: socket.socket(*arguments).close())
try:
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as file:
        file.write("0 2147483647")
except OSError:
    pass


def ping(family, kind, address):
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    s = socket.socket(family, socket.SOCK_DGRAM, protocol)
    s.settimeout(2)
    s.bind((address, 99))
    print(s.getsockname()[:2], s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))
    print(s.sendto(echo(1, 7, kind), (address, 0)))
    data, control, flags, source = s.recvmsg(100, 100)
    print(data.hex(), control, flags, source)
    show("no echo", lambda: s.sendto(echo(1, 7, 13), (address, 0)))
    show("short", lambda: s.sendto(b"1234", (address, 0)))
    show("shared", lambda: socket.socket(family, socket.SOCK_DGRAM, protocol).bind((address, 99)))


ping(socket.AF_INET, 8, "127.0.0.1")
ping(socket.AF_INET6, 128, "::1")
