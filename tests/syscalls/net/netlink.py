# guest: net
"""AF_NETLINK, NETLINK_ROUTE: the dumps that getifaddrs, ip addr and ip route use, single gets, errors (rtnetlink(7))."""

import errno
import socket
import struct
import subprocess

DUMP, ACK, REQUEST = 0x300, 4, 1


def ask(s, kind, flags, body, seq=1):
    s.send(struct.pack("<IHHII", 16 + len(body), kind, flags, seq, 0) + body)
    out = []
    while True:
        data, address = s.recvfrom(65536)
        assert address == (0, 0), address
        at = 0
        while at < len(data):
            length, type, flag, number, port = struct.unpack_from("<IHHII", data, at)
            body = data[at + 16 : at + length]
            assert number == seq
            assert port == s.getsockname()[0]
            if type == 2:
                return [*out, ("error", errno.errorcode.get(-struct.unpack_from("<i", body)[0], 0))]
            if type == 3:
                return [*out, ("done", struct.unpack_from("<i", body)[0])]
            out.append((type, flag & 2, body))
            if not flag & 2:
                return out
            at += (length + 3) & ~3


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("<HH", data)
        found[kind] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
print("port", s.getsockname()[0] > 0)
for type, multi, body in ask(s, 18, REQUEST | DUMP, b"\0" * 16)[:-1]:
    family, kind, index, flags, _ = struct.unpack_from("<BxHiII", body)
    if index != 1:
        continue
    a = attributes(body[16:])
    print("link", type, multi, family, kind, index, flags, a[3], struct.unpack("<I", a[4]), a[1], a[2], a[6])
for family in (0, socket.AF_INET, socket.AF_INET6):
    for entry in ask(s, 22, REQUEST | DUMP, struct.pack("<BBBBI", family, 0, 0, 0, 0)):
        if entry[0] == "done":
            print(entry)
            continue
        a = attributes(entry[2][8:])
        print("addr", entry[0], struct.unpack_from("<BBBBI", entry[2]), a[1].hex(), a.get(2), a.get(3), a[8])
    for entry in ask(s, 26, REQUEST | DUMP, struct.pack("<8BI", family, *[0] * 8)):
        if entry[0] == "done":
            print(entry)
            continue
        head = struct.unpack_from("<8BI", entry[2])
        a = attributes(entry[2][12:])
        if head[0] == socket.AF_INET or (head[0] == socket.AF_INET6 and head[4] == 255):
            print("route", entry[0], head, a.get(1, b"").hex(), a.get(7), a.get(4))
print("one", [e[0] for e in ask(s, 18, REQUEST, struct.pack("<BxHiII", 0, 0, 1, 0, 0))])
print("none", ask(s, 18, REQUEST, struct.pack("<BxHiII", 0, 0, 999, 0, 0)))
print("neighbours", ask(s, 30, REQUEST | DUMP, b"\0" * 12))
to = struct.pack("<HH4s", 8, 1, bytes((127, 0, 0, 9)))
print("get", [e[0] for e in ask(s, 26, REQUEST, struct.pack("<8BI", 2, 32, *[0] * 7) + to)])
to = struct.pack("<HH4s", 8, 1, bytes((8, 8, 8, 8)))
print("get far", ask(s, 26, REQUEST, struct.pack("<8BI", 2, 32, *[0] * 7) + to))
for protocol, kind in ((0, socket.SOCK_STREAM), (31, socket.SOCK_RAW)):
    try:
        socket.socket(socket.AF_NETLINK, kind, protocol)
    except OSError as error:
        print("socket", protocol, error.errno == (errno.ESOCKTNOSUPPORT if protocol == 0 else errno.EPROTONOSUPPORT))
t = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
try:
    t.bind(s.getsockname())
except OSError as error:
    print("taken", errno.errorcode[error.errno])
s.setblocking(False)
try:
    s.recv(10)
except OSError as error:
    print("empty", errno.errorcode[error.errno])
print(socket.if_nameindex(), socket.if_nametoindex("lo"), socket.if_indextoname(1))
for command in (
    "ip addr", "ip route", "ip -6 route show table local", "ip route show table all", "ip neigh", "ip rule", "ip -br addr",
    "ip link show dev lo", "ip link show dev nope", "ip route get 127.0.0.1", "ip route get ::1", "ip -4 addr show dev lo",
):  # fmt: skip
    done = subprocess.run(command.split(), capture_output=True, text=True)
    print(command, done.returncode, done.stdout, done.stderr)
