# guest: net
"""netlink(7): how a socket gets its port, by bind(2), connect(2) or the first message, and when it is refused another."""

import errno
import os
import socket
import struct


def new():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)


def told(what, act):
    try:
        result = act()
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(what, result)


def kind(s):
    port, groups = s.getsockname()
    return ("none" if port == 0 else "pid" if port == os.getpid() else "other"), groups


a = new()
print("fresh", kind(a))
told("peer of a fresh one", a.getpeername)
told("connect", lambda: a.connect((0, 0)))
print("connected", kind(a))
told("peer", a.getpeername)
told("connect again", lambda: a.connect((0, 0)))
print("connected again", kind(a))
told("bind to the same", lambda: a.bind((os.getpid(), 0)))
told("bind to another", lambda: a.bind((os.getpid() + 1, 0)))
told("bind to any", lambda: a.bind((0, 0)))

b = new()
told("bind where one is", lambda: b.bind((os.getpid(), 0)))
told("bind to any", lambda: b.bind((0, 0)))
print("second", kind(b))
first = b.getsockname()
told("connect keeps it", lambda: b.connect((0, 0)))
print(b.getsockname() == first)

c = new()
told("bind to a number", lambda: c.bind((12345, 0)))
print(c.getsockname())
c.close()
d = new()
told("bind to it when it is free", lambda: d.bind((12345, 0)))

e = new()
told("message to the kernel", lambda: e.send(struct.pack("<IHHII", 16, 1, 0, 1, 0)))
print("after a message", kind(e)[0])
told("nothing came", lambda: e.recv(100))
told("listen", lambda: e.listen(1))
told("accept", e.accept)
for number in (32, 43, 100):
    told(f"protocol {number}", lambda n=number: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, n).close())
told("stream", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_STREAM, 0))
