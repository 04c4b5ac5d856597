"""One sandbox on a link, servers of the host kernel at the other end, and a guest that talks to them both ways."""

import contextlib
import hashlib
import os
import socket
import threading

from sandboxctl import session
from sandboxctl.api import Sandbox

SIZE = 8 << 20
PATIENCE = 120
GUEST_PORT = 8080

GUEST = r"""
import hashlib, os, socket, struct, sys, threading
host, tcp, udp, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])

# a stream both ways at once
stream = socket.create_connection((host, tcp), 60)
data = os.urandom(size)
writer = threading.Thread(target=stream.sendall, args=(data,))
writer.start()
seen, count = hashlib.sha256(), 0
while count < size:
    part = stream.recv(1 << 16)
    if not part:
        break
    seen.update(part)
    count += len(part)
writer.join()
print("echo", count == size and seen.digest() == hashlib.sha256(data).digest(), flush=True)
print("peer", stream.getpeername() == (host, tcp), flush=True)
stream.close()

# nobody there (passt of 2023 answers with a reset that acknowledges nothing, which a client has to ignore)
if sys.argv[5] == "refuses":
    refused = socket.socket()
    print("refused", refused.connect_ex((host, 1)) == 111, flush=True)

# datagrams, as a resolver does it
ask = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ask.settimeout(60)
ask.connect((host, udp))
for number in range(20):
    question = struct.pack(">H", number) + os.urandom(number * 20)
    ask.send(question)
    if ask.recv(2000) != question[::-1]:
        print("datagram", number, "differs", flush=True)
print("datagrams", True, flush=True)

# a server
server = socket.create_server(("0.0.0.0", 8080))
print("listening", flush=True)
end, _ = server.accept()
while part := end.recv(1 << 16):
    end.sendall(part)
end.close()
print("served", True, flush=True)
"""


@contextlib.contextmanager
def linked(config, fd):
    """Sandboxes that are started within have ``fd`` as their link."""
    plain = session.Session._send

    def send(self, kind, fds=(), **fields):
        if kind == "start":
            fields["config"] = {**fields["config"], "network": config}
            fds = list(fds)
            fds.insert(len(fds) - fields["config"]["has_log_file"], fd)
        return plain(self, kind, fds, **fields)

    session.Session._send = send
    try:
        yield
    finally:
        session.Session._send = plain


def _echo(server):
    with contextlib.suppress(OSError):
        end, _ = server.accept()
        end.settimeout(PATIENCE)
        with end:
            while part := end.recv(1 << 16):
                end.sendall(part)


def _answer(server):
    with contextlib.suppress(OSError):
        while True:
            question, who = server.recvfrom(4096)
            server.sendto(question[::-1], who)


def serve(server):
    """Send a megabyte to a server in the guest and read it back; whether it came back whole."""
    data = os.urandom(1 << 20)
    with socket.create_connection(server, PATIENCE) as end:
        end.settimeout(PATIENCE)
        writer = threading.Thread(target=end.sendall, args=(data,), daemon=True)
        writer.start()
        seen, count = hashlib.sha256(), 0
        while count < len(data) and (part := end.recv(1 << 16)):
            seen.update(part)
            count += len(part)
        writer.join(PATIENCE)
    return seen.digest() == hashlib.sha256(data).digest()


def exchange(config, fd, host, published, bound, *, refuses):
    """Run it. ``host`` is the name of this end in the guest, ``published`` where the guest's server is reached.

    ``bound`` is the address of our servers; ``refuses``: a port without a server answers as it should.

    Returns the guest's lines, and whether its server gave back what it got.
    """
    tcp = socket.create_server((bound, 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((bound, 0))
    for job, server in ((_echo, tcp), (_answer, udp)):
        threading.Thread(target=job, args=(server,), daemon=True).start()
    ports = [str(one.getsockname()[1]) for one in (tcp, udp)]
    with tcp, udp, linked(config, fd), Sandbox("host") as sandbox:
        argv = ["/usr/bin/python3", "-c", GUEST, host, *ports, str(SIZE), "refuses" if refuses else ""]
        served = None
        with sandbox.start(argv, pipes=(1, 2)) as process:
            text = b""
            while process.poll() is None:
                sandbox.session.pump(0.05)
                text += _read(process.stdout)
                if served is None and b"listening\n" in text:
                    served = serve(published)
            text += _read(process.stdout)
            lines = text.decode().splitlines() + _read(process.stderr).decode().splitlines()
    return lines, served


def _read(file):
    os.set_blocking(file.fileno(), False)
    data = b""
    with contextlib.suppress(BlockingIOError):
        while part := os.read(file.fileno(), 1 << 16):
            data += part
    return data


EXPECTED = ["echo True", "peer True", "datagrams True", "listening", "served True"]
