"""Under ``unshare -n``: this namespace is a host with IPv4 and IPv6, a second one the world; ``--network user:WAY``.

``python -m tests.network.ipv6 WAY`` prints what its guest saw.
"""

import socket
import subprocess
import sys
from pathlib import Path

from tests.network.namespace import PATIENCE, connect_them, ip, run, second_namespace

SERVER = """
import socket, threading
server = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
datagrams.bind(("::", 7000))

def answer():
    while True:
        data, peer = datagrams.recvfrom(100)
        datagrams.sendto(data.upper(), peer)

threading.Thread(target=answer, daemon=True).start()
print("ready", flush=True)
while True:
    end, peer = server.accept()
    with end:
        end.sendall(peer[0].encode() + b"\\n")
"""
GUEST = """
import errno, socket
for host in ("10.9.2.2", "fd09::2"):
    with socket.create_connection((host, 7000), 60) as end:
        print(host, "sees", end.makefile("rb").readline().decode().strip(), flush=True)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as out:
    out.settimeout(60)
    out.sendto(b"hello", ("fd09::2", 7000))
    print(*out.recvfrom(100), flush=True)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6) as ping:
    ping.settimeout(60)
    ping.sendto(bytes((128, 0, 0, 0, 0, 0, 0, 7)) + b"are you there", ("fd09::2", 0))
    data, peer = ping.recvfrom(100)
    print(peer[0], data[0], data[6:], flush=True)
for denied in ("fe80::1%eth0", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"):
    try:
        socket.create_connection((denied, 80), 60)
    except OSError as error:
        print(denied, errno.errorcode[error.errno])
with socket.create_server(("::", 80), family=socket.AF_INET6) as server:
    print("ready", flush=True)
    end, peer = server.accept()
    with end:
        print(peer[0], end.makefile("rb").readline(), flush=True)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as out:
    out.settimeout(60)
    out.connect(("fd09::2", 9))
    out.send(b"to nobody")
    try:
        out.recv(100)
    except ConnectionRefusedError:
        print("refused")
"""


def _guest(way):
    publish = ["-p", "[::1]:8080:80"] if way == "netgofer" else []  # Debian 12's passt takes it and passes nothing on
    words = ["--network", f"user:{way}", *publish, "host", "--", "/usr/bin/python3", "-c", GUEST]
    with run(*words, wait=False) as started:
        for line in started.stdout:
            print(line, end="", flush=True)
            if line == "ready\n" and not publish:
                started.kill()
            elif line == "ready\n":
                with socket.create_connection(("::1", 8080), PATIENCE) as end:
                    end.sendall(b"from outside\n")
                    end.recv(1)
        print(started.stderr.read(), end="")


def main():
    """Print what happens."""
    with second_namespace() as namespace:
        connect_them(namespace)
        ip("route", "add", "default", "via", "10.9.2.2")
        ip("-6", "route", "add", "default", "via", "fd09::2")
        Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 65535", encoding="ascii")
        argv = ["nsenter", "-n", "-t", namespace, sys.executable, "-c", SERVER]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
            server.stdout.readline()
            try:
                _guest(sys.argv[1])
            finally:
                server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
