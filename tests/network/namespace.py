"""Under ``unshare -n``: a second namespace, a veth pair between the two, and sandboxes that take the second one over.

``python -m tests.network.namespace`` prints one line for each thing that is as it should be, or what it is instead.
"""

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"
PATIENCE = 120
SIZE = 4 << 20
GUEST = """
import errno, hashlib, socket, sys
port, size = int(sys.argv[1]), int(sys.argv[2])
for host in ("10.9.2.1", "fd09::1"):
    with socket.create_connection((host, port), 60) as end:
        end.sendall(b"from inside")
        end.shutdown(socket.SHUT_WR)
        digest, count = hashlib.sha256(), 0
        while part := end.recv(1 << 16):
            digest.update(part)
            count += len(part)
    print(host, count == size, digest.hexdigest(), flush=True)
try:
    socket.create_connection(("10.9.2.9", 80), 60)
except OSError as error:
    print(errno.errorcode[error.errno], flush=True)
server = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
print("listening", flush=True)
for _ in range(2):
    end, peer = server.accept()
    with end:
        print(peer[0], end.makefile("rb").readline().decode().strip(), flush=True)
"""


def ip(*words, namespace=""):
    """ip(8), in our namespace or that of a process."""
    enter = ["nsenter", "-n", "-t", namespace] if namespace else []
    return subprocess.run([*enter, "ip", *words], check=True, capture_output=True, text=True).stdout


def shown(namespace):
    """The addresses and routes of a namespace; of link-local ones the kernel makes new ones."""
    words = [line.split() for line in ip("-br", "addr", namespace=namespace).splitlines()]
    addresses = sorted(word for line in words for word in line[2:] if not word.startswith("fe80"))
    routes = (ip("route", namespace=namespace) + ip("-6", "route", namespace=namespace)).splitlines()
    return addresses, sorted(line.strip() for line in routes if not line.startswith("fe80"))


@contextlib.contextmanager
def second_namespace():
    """A process in a namespace of its own; its number as text."""
    with subprocess.Popen(
        ["unshare", "-n", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as sleeper:
        sleeper.stdout.readline()
        try:
            yield str(sleeper.pid)
        finally:
            sleeper.kill()


def connect_them(namespace, here=""):
    """A veth pair: v0 here, eth0 there, with addresses of both versions and default routes."""
    ip("link", "set", "lo", "up", namespace=here)
    ip("link", "add", "v0", "type", "veth", "peer", "name", "eth0", "netns", namespace, namespace=here)
    for device, number, where in (("v0", 1, here), ("eth0", 2, namespace)):
        ip("addr", "add", f"10.9.2.{number}/24", "dev", device, namespace=where)
        ip("addr", "add", f"fd09::{number}/64", "dev", device, "nodad", namespace=where)
        ip("link", "set", device, "up", namespace=where)
    ip("route", "add", "default", "via", "10.9.2.1", namespace=namespace)
    ip("-6", "route", "add", "default", "via", "fd09::1", namespace=namespace)
    deadline = time.monotonic() + PATIENCE
    while ip("-6", "addr", "show", "dev", "v0", "tentative", namespace=here).strip() and time.monotonic() < deadline:
        pass  # each look is a process of its own


def serve(server, data):
    """Answer each connection with ``data``."""
    while True:
        end, _ = server.accept()
        with end, contextlib.suppress(OSError):
            while end.recv(1 << 16):
                pass
            end.sendall(data)


def run(*options, wait=True):
    """A sandbox with these options and words."""
    started = subprocess.Popen(
        [SANDBOXCTL, "run", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
    )  # fmt: skip
    return started.communicate(timeout=PATIENCE) if wait else started


def main():
    """Print what happens."""
    data = os.urandom(SIZE)
    with second_namespace() as namespace:
        path = f"/proc/{namespace}/ns/net"
        network = ("--network", f"ns:{path}")
        print(run(*network, "host", "--", "cat", "/proc/net/dev")[0].count(":"), "device without an interface")
        connect_them(namespace)
        before = shown(namespace)
        server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        threading.Thread(target=serve, args=(server, data), daemon=True).start()
        port = server.getsockname()[1]
        allow = [word for host in ("10.9.2.1", "[fd09::1]") for word in ("--allow", f"{host}:{port}")]
        guest = ["host", "--", "/usr/bin/python3", "-c", GUEST, str(port), str(SIZE)]
        with run(*network, *allow, *guest, wait=False) as started:
            for line in started.stdout:
                print(line.strip().replace(hashlib.sha256(data).hexdigest(), "whole"), flush=True)
                if line == "listening\n":
                    for host in ("10.9.2.2", "fd09::2"):
                        with socket.create_connection((host, 8080), PATIENCE) as end:
                            end.sendall(b"from outside\n")
                            end.recv(1)
            print(started.stderr.read(), end="")
        after = shown(namespace)
        print("all is put back" if after == before else f"{before} is now {after}")
    print(run("--network", "ns:/proc/self/ns/net", "host", "--", "true")[1].strip())
    print(run("--network", "ns:/nonexistent", "host", "--", "true")[1].strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
