# guest: net
"""Control data of UDP (ip(7), ipv6(7)): pktinfo, TTL, TOS, time stamps; the error queue; multicast and broadcast on lo."""

import errno
import select
import socket
import struct

IP_RECVTTL, IP_PKTINFO, IP_RECVERR, IP_RECVTOS, MSG_ERRQUEUE, SO_TIMESTAMP = 12, 8, 11, 13, 0x2000, 29
NAMES = {1: "SOCKET", 0: "IP", 41: "IPV6"}


def udp(family=socket.AF_INET, address="127.0.0.1", port=0):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.bind((address, port))
    return s


def show(what, call):
    try:
        print(what, call())
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error))


def receive(s, flags=0, room=512, size=2048):
    data, control, flags, address = s.recvmsg(size, room, flags)
    stamps = (SO_TIMESTAMP, 35)
    shown = [
        (NAMES[level], kind, len(value) if level == 1 and kind in stamps else value.hex()) for level, kind, value in control
    ]
    return data, shown, hex(flags), address[0] if address else address


a, b = udp(), udp(address="0.0.0.0")
to = ("127.0.0.1", b.getsockname()[1])
for option in IP_PKTINFO, IP_RECVTTL, IP_RECVTOS:
    b.setsockopt(socket.IPPROTO_IP, option, 1)
a.sendto(b"plain", to)
print(receive(b))
a.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
a.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
a.sendto(b"options", ("127.0.0.5", to[1]))
print(receive(b))
a.sendmsg([b"cmsg"], [(0, 2, struct.pack("i", 33)), (0, 1, struct.pack("i", 8))], 0, to)
print(receive(b))
c = udp(address="0.0.0.0")
c.sendmsg([b"from"], [(0, IP_PKTINFO, struct.pack("i4s4s", 0, bytes((127, 0, 0, 7)), bytes(4)))], 0, to)
print(receive(b))
show("far source", lambda: c.sendmsg([b"x"], [(0, IP_PKTINFO, struct.pack("i4s4s", 0, bytes((10, 0, 0, 7)), bytes(4)))], 0, to))
show("no device", lambda: c.sendmsg([b"x"], [(0, IP_PKTINFO, struct.pack("i4s4s", 77, bytes(4), bytes(4)))], 0, to))
show("bad ttl", lambda: c.sendmsg([b"x"], [(0, 2, struct.pack("i", 256))], 0, to))
show("bad kind", lambda: c.sendmsg([b"x"], [(0, 999, struct.pack("i", 1))], 0, to))
a.sendto(b"narrow", to)
print(receive(b, room=socket.CMSG_SPACE(4)))
for option in IP_PKTINFO, IP_RECVTTL, IP_RECVTOS:
    b.setsockopt(socket.IPPROTO_IP, option, 0)
b.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
a.sendto(b"time", to)
print(receive(b))
b.setsockopt(socket.SOL_SOCKET, 35, 1)
print(b.getsockopt(socket.SOL_SOCKET, SO_TIMESTAMP), b.getsockopt(socket.SOL_SOCKET, 35))
a.sendto(b"time ns", to)
print(receive(b))

x, y = udp(socket.AF_INET6, "::1"), udp(socket.AF_INET6, "::")
for option in socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS:
    y.setsockopt(socket.IPPROTO_IPV6, option, 1)
x.sendto(b"six", ("::1", y.getsockname()[1]))
print(receive(y))
chosen = [(41, socket.IPV6_HOPLIMIT, struct.pack("i", 3)), (41, socket.IPV6_TCLASS, struct.pack("i", 4))]
x.sendmsg([b"six hops"], chosen, 0, ("::1", y.getsockname()[1]))
print(receive(y))
a.sendto(b"four to six", ("127.0.0.1", y.getsockname()[1]))
print(receive(y))

nobody = udp()
dead = nobody.getsockname()
nobody.close()
e = udp()
e.sendto(b"unheard", dead)
show("no RECVERR", lambda: e.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
show("empty", lambda: receive(e, MSG_ERRQUEUE))
e.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
e.sendto(b"lost", dead)
poll = select.poll()
poll.register(e, select.POLLIN)
print("poll", [event for _, event in poll.poll(1000)])
show("send", lambda: e.sendto(b"again", dead))
print(receive(e, MSG_ERRQUEUE)[:3])
show("queue", lambda: receive(e, MSG_ERRQUEUE)[0])
e.settimeout(0)
show("recv", lambda: e.recv(9))
print("poll", [event for _, event in poll.poll(0)])
e6 = udp(socket.AF_INET6, "::1")
dead6 = e6.getsockname()
e6.close()
e6 = udp(socket.AF_INET6, "::1")
e6.setsockopt(socket.IPPROTO_IPV6, 25, 1)
e6.sendto(b"lost six", dead6)
print(receive(e6, MSG_ERRQUEUE)[:3])

group = socket.inet_aton("239.1.2.3")
m = udp(address="0.0.0.0")
port = m.getsockname()[1]
show("join without device", lambda: m.setsockopt(0, socket.IP_ADD_MEMBERSHIP, group + bytes(4)))
show("join no group", lambda: m.setsockopt(0, socket.IP_ADD_MEMBERSHIP, bytes((10, 0, 0, 1, 127, 0, 0, 1))))
show("join", lambda: m.setsockopt(0, socket.IP_ADD_MEMBERSHIP, group + bytes((127, 0, 0, 1))))
show("again", lambda: m.setsockopt(0, socket.IP_ADD_MEMBERSHIP, group + bytes((127, 0, 0, 1))))
n = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
show("no route", lambda: n.sendto(b"x", ("239.1.2.3", port)))
n.setsockopt(0, socket.IP_MULTICAST_IF, bytes((127, 0, 0, 1)))
m.setsockopt(0, IP_PKTINFO, 1)
m.setsockopt(0, IP_RECVTTL, 1)
n.sendto(b"to all", ("239.1.2.3", port))
print(receive(m))
n.sendto(b"other group", ("239.1.2.4", port))
show("leave", lambda: m.setsockopt(0, socket.IP_DROP_MEMBERSHIP, group + bytes((127, 0, 0, 1))))
show("leave again", lambda: m.setsockopt(0, socket.IP_DROP_MEMBERSHIP, group + bytes((127, 0, 0, 1))))
n.sendto(b"nobody left", ("239.1.2.3", port))
m.settimeout(0)
show("after", lambda: m.recv(10))
show("broadcast", lambda: n.sendto(b"x", ("127.255.255.255", port)))
n.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
n.sendto(b"broad", ("127.255.255.255", port))
print(receive(m)[0])
