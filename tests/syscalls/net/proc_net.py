# guest: net
"""/proc/net: sockets and devices as ss, netstat and psutil read them (proc_pid_net(5)); without numbers that differ."""

import os
import socket


def show(name, columns):
    head, *lines = open("/proc/net/" + name).read().splitlines()
    print(name, repr(head))
    for line in sorted([words[i] for i in columns if i < len(words)] for words in map(str.split, lines)):
        print("  ", line)


listener = socket.socket()
listener.bind(("127.0.0.1", 5000))
listener.listen(7)
client = socket.socket()
client.bind(("127.0.0.1", 5003))
client.connect(("127.0.0.1", 5000))
server, _ = listener.accept()
client.send(b"hi")
waiting = socket.socket()
waiting.bind(("127.0.0.1", 5004))
waiting.connect(("127.0.0.1", 5000))
six = socket.socket(socket.AF_INET6)
six.bind(("::", 5001))
six.listen()
dual = socket.socket()
dual.bind(("127.0.0.1", 5005))
dual.connect(("127.0.0.1", 5001))
silent = socket.socket()
silent.bind(("127.0.0.1", 5009))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 53))
connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connected.bind(("127.0.0.1", 5006))
connected.connect(("127.0.0.1", 53))
udp6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp6.bind(("::1", 53))
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\0abc")
abstract.listen()
datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
datagram.bind("d.sock")
pair = socket.socketpair()
for name in "tcp", "tcp6":
    show(name, (1, 2, 3, 4, 7))
for name in "udp", "udp6":
    show(name, (1, 2, 3, 4, 7, 12))
show("unix", (2, 3, 4, 5, 7))
for name in "dev", "if_inet6", "route", "arp", "packet":
    text = open("/proc/net/" + name).read()
    print(name, text if name == "if_inet6" else text.split("\n")[0], sep="\n")
print([line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]])
inode = os.fstat(listener.fileno()).st_ino
print("inode", any(line.split()[9] == str(inode) for line in open("/proc/net/tcp")))
print("link", os.readlink(f"/proc/self/fd/{listener.fileno()}") == f"socket:[{inode}]")
for s in listener, client, server, waiting, dual, six, udp, udp6, connected, silent:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()
show("udp", (1,))
for name in "sockstat", "sockstat6", "snmp":
    print(name, [line.split(":")[0] for line in open("/proc/net/" + name)][:1])
