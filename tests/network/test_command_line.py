"""``--network user`` by both ways: a guest reaches a server of the host and is reached; what is denied stays out."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

_SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"
_UNDER = Path(__file__).resolve().parents[1] / "places" / "under.py"
_ATTEMPTS = 5
_OURS = 125
_GUEST = """
import errno, socket, sys, urllib.request
host, port = sys.argv[1], int(sys.argv[2])
print(open("/etc/resolv.conf").read().strip())
with socket.create_connection((host, port)) as out:
    out.sendall(b"from inside\\n")
    print(out.makefile("rb").read().decode().strip())
for denied in ("169.254.169.254", "203.0.113.7"):
    try:
        socket.create_connection((denied, 80))
    except OSError as error:
        print(denied, errno.errorcode[error.errno])
with socket.create_server(("0.0.0.0", 80)) as server:
    print("ready", flush=True)
    peer, _ = server.accept()
    with peer:
        peer.sendall(peer.recv(100)[::-1])
        try:
            print("then", peer.recv(100), flush=True)
        except OSError as error:
            print("then", errno.errorcode[error.errno], flush=True)
"""


def _own_address() -> str:
    """An address of this host that is not loopback, or nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _serve(server: socket.socket) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        with peer:
            peer.sendall(b"answer to " + peer.makefile("rb").readline())


@pytest.fixture(params=["passt", "netgofer"])
def way(request):
    if request.param == "passt" and shutil.which("passt") is None:
        pytest.skip("passt is not installed")
    return request.param


@pytest.fixture
def server():
    address = _own_address()
    if not address or address.startswith("127."):
        pytest.skip("this host has no address but loopback")
    with socket.create_server((address, 0)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=["caller", "ordinary user", "no user namespaces"])
def prefix(request):
    if request.param == "caller":
        return []
    if os.geteuid():
        pytest.skip("only root can become another user")
    if request.param == "no user namespaces":
        if "netgofer" not in request.node.name:
            pytest.skip("passt needs a user namespace")
        return [sys.executable, str(_UNDER), json.dumps({"sysctl_userns": True, "uid": 12345})]
    return ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "--inh-caps=-all", "--"]


def _start(
    prefix: list[str], way: str, server: tuple[str, int], script: str = _GUEST, kind: str = ""
) -> "tuple[subprocess.Popen[str], int, list[str]]":
    """A guest that has come to ``ready``, the published port, and its lines so far."""
    for _ in range(_ATTEMPTS):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        options = ["--network", f"user:{way}", "-p", f"{port}:80{kind}", "--deny", "203.0.113.0/24"]
        guest = ["/usr/bin/python3", "-c", script, server[0], str(server[1])]
        started = subprocess.Popen(
            [*prefix, _SANDBOXCTL, "run", *options, "-u", "0", "host", "--", *guest],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        )  # fmt: skip
        lines = []
        for line in started.stdout:
            lines.append(line.strip())
            if line == "ready\n":
                return started, port, lines
        told = started.communicate(timeout=120)[1]
        assert started.returncode == _OURS, told
        assert "passt cannot work here" in told or "cannot publish" in told  # the port was taken, or this host does not let it
    pytest.skip(told.strip())


def test_out_and_in(prefix, way, server):
    guest, port, lines = _start(prefix, way, server)
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"abc")
        assert connection.recv(100) == b"cba"
    rest, told = guest.communicate(timeout=120)
    assert lines == [
        "nameserver 10.0.2.3", "answer to from inside", "169.254.169.254 ECONNREFUSED", "203.0.113.7 ECONNREFUSED", "ready",
    ]  # fmt: skip
    assert (rest, told, guest.returncode) == ("then b''\n", "", 0)


def test_without_the_other_end_there_are_errors_and_no_hang(way, server):
    guest, port, _ = _start([], way, server)
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"abc")
        assert connection.recv(100) == b"cba"
        pattern = {"passt": "passt", "netgofer": "gofer/net"}[way]
        found = subprocess.run(["pgrep", "-P", str(guest.pid), "-f", pattern], capture_output=True, text=True, check=True)
        for pid in found.stdout.split():
            os.kill(int(pid), 9)
        rest, _ = guest.communicate(timeout=120)
    assert rest == "then ENETDOWN\n"


def test_without_the_program_the_remedy_is_named():
    done = subprocess.run(
        [_SANDBOXCTL, "run", "--network", "user:passt", "host", "--", "true"],
        capture_output=True, text=True, timeout=120, check=False, env={"PATH": "/nonexistent", "HOME": "/nonexistent"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (_OURS, "sandboxctl: --network user needs passt: apt-get install passt\n")


_DATAGRAMS = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
    out.settimeout(60)
    out.sendto(b"hello", (host, port))
    print(*out.recvfrom(100))
    out.connect((host, 9))
    out.send(b"to nobody")
    try:
        out.recv(100)
    except ConnectionRefusedError:
        print("refused")
for host in ("127.0.0.1", "0.0.0.1", "10.0.2.2", "10.0.2.3"):
    with socket.socket() as out:
        out.settimeout(0.5)
        print(host, out.connect_ex((host, port)) != 0)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("0.0.0.0", 80))
    print("ready", flush=True)
    data, peer = server.recvfrom(100)
    server.sendto(data[::-1], peer)
"""


def test_datagrams_by_the_network_gofer(server):
    """Answers come from where they were asked for, nobody refuses, and nothing leads to the host's loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo, socket.create_server(("127.0.0.1", 0)) as trap:
        trap_port = trap.getsockname()[1]
        echo.bind((server[0], trap_port))

        def answer() -> None:
            data, peer = echo.recvfrom(100)
            echo.sendto(data.upper(), peer)

        stop = threading.Thread(target=answer)
        stop.start()
        guest, port, lines = _start([], "netgofer", echo.getsockname(), _DATAGRAMS, "/udp")
        stop.join()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer:
            outer.settimeout(120)
            outer.sendto(b"abc", ("127.0.0.1", port))
            assert outer.recv(100) == b"cba"
        assert guest.communicate(timeout=120) == ("", "")
    refused = ["127.0.0.1 True", "0.0.0.1 True", "10.0.2.2 True", "10.0.2.3 True"]
    assert lines == [f"b'HELLO' {(server[0], trap_port)!r}", "refused", *refused, "ready"]


_HALVES = """
import hashlib, socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as out:
    block = bytes(range(256)) * 4096
    for _ in range(8):
        out.sendall(block)
    out.shutdown(socket.SHUT_WR)
    print(hashlib.sha256(out.makefile("rb").read()).hexdigest(), flush=True)
print("ready", flush=True)
"""


def test_a_stream_that_ends_by_halves_arrives_whole():
    address = _own_address()
    if not address or address.startswith("127."):
        pytest.skip("this host has no address but loopback")
    whole = hashlib.sha256(bytes(range(256)) * 4096 * 8)
    with socket.create_server((address, 0)) as listener:

        def mirror() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(peer.makefile("rb").read())

        threading.Thread(target=mirror, daemon=True).start()
        guest, _, lines = _start([], "netgofer", listener.getsockname(), _HALVES)
        assert guest.communicate(timeout=120) == ("", "")
    assert lines == [whole.hexdigest(), "ready"]

