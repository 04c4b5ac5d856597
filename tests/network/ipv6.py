"""Under ``unshare -n``: this namespace is a host with IPv4 and IPv6, a second one the world; a sandbox with ``--network user``.

``python -m tests.network.ipv6`` prints what its guest saw.
"""

import subprocess
import sys

from tests.network.namespace import connect_them, ip, run, second_namespace

SERVER = """
import socket
server = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
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
for denied in ("fe80::1%eth0", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"):
    try:
        socket.create_connection((denied, 80), 60)
    except OSError as error:
        print(denied, errno.errorcode[error.errno])
"""


def main():
    """Print what happens."""
    with second_namespace() as namespace:
        connect_them(namespace)
        ip("route", "add", "default", "via", "10.9.2.2")
        ip("-6", "route", "add", "default", "via", "fd09::2")
        argv = ["nsenter", "-n", "-t", namespace, sys.executable, "-c", SERVER]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
            server.stdout.readline()
            try:
                print(*run("--network", "user:passt", "host", "--", "/usr/bin/python3", "-c", GUEST), sep="")
            finally:
                server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
