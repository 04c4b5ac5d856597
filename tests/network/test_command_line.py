"""``--network user``: a guest reaches a server of the host and is reached; what is denied stays out."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

_SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"
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


@pytest.fixture
def server():
    address = _own_address()
    if shutil.which("passt") is None:
        pytest.skip("passt is not installed")
    if not address or address.startswith("127."):
        pytest.skip("this host has no way to the outside: passt has nothing to copy")
    with socket.create_server((address, 0)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=["caller", "ordinary user"])
def prefix(request):
    if request.param == "caller":
        return []
    if os.geteuid():
        pytest.skip("only root can become another user")
    return ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "--inh-caps=-all", "--"]


def _start(prefix: list[str], server: tuple[str, int]) -> "tuple[subprocess.Popen[str], int, list[str]]":
    """A guest that has come to ``ready``, the published port, and its lines so far."""
    for _ in range(_ATTEMPTS):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        options = ["--network", "user", "-p", f"{port}:80", "--deny", "203.0.113.0/24"]
        guest = ["/usr/bin/python3", "-c", _GUEST, server[0], str(server[1])]
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
        assert "passt cannot work here" in told  # the port was taken in between, or this host does not let it
    pytest.skip(told.strip())


def test_out_and_in(prefix, server):
    guest, port, lines = _start(prefix, server)
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"abc")
        assert connection.recv(100) == b"cba"
    rest, told = guest.communicate(timeout=120)
    assert lines == [
        "nameserver 10.0.2.3", "answer to from inside", "169.254.169.254 ECONNREFUSED", "203.0.113.7 ECONNREFUSED", "ready",
    ]  # fmt: skip
    assert (rest, told, guest.returncode) == ("then b''\n", "", 0)


def test_without_passt_there_are_errors_and_no_hang(server):
    guest, port, _ = _start([], server)
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"abc")
        assert connection.recv(100) == b"cba"
        found = subprocess.run(["pgrep", "-P", str(guest.pid), "-f", "passt"], capture_output=True, text=True, check=True)
        for pid in found.stdout.split():
            os.kill(int(pid), 9)
        rest, _ = guest.communicate(timeout=120)
    assert rest == "then ENETDOWN\n"


def test_without_the_program_the_remedy_is_named():
    done = subprocess.run(
        [_SANDBOXCTL, "run", "--network", "user", "host", "--", "true"],
        capture_output=True, text=True, timeout=120, check=False, env={"PATH": "/nonexistent", "HOME": "/nonexistent"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (_OURS, "sandboxctl: --network user needs passt: apt-get install passt\n")
