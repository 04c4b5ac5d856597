"""``--network user --allow``: names by what the name server answered, and nothing else leaves, not even a question."""

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
_GUEST = """
import errno, socket, sys
port, address = int(sys.argv[1]), sys.argv[2]

def connect(host):
    try:
        with socket.create_connection((host, port), 60) as out:
            return out.recv(100).decode()
    except socket.gaierror as error:
        return {socket.EAI_NONAME: "no such name"}.get(error.errno, str(error))
    except OSError as error:
        return errno.errorcode[error.errno]

for host in (address, "secret.evil.example", "example.org", "www.example.org", address, "metadata.example.org"):
    print("address" if host == address else host, connect(host), flush=True)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    udp.sendto(b"x", (address, 9))
except OSError as error:
    print("datagram", errno.errorcode[error.errno])
"""


def _own_address() -> str:
    """An address of this host that is not loopback, or nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


class NameServer:
    """Answers A questions with one address, for ``metadata.`` with 169.254.169.254; ``asked`` keeps the names."""

    def __init__(self, listening: socket.socket, address: str) -> None:
        self.asked: list[str] = []
        self._socket, self._address = listening, address
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                data, who = self._socket.recvfrom(600)
            except OSError:
                return
            labels, at = [], 12
            while data[at]:
                labels.append(data[at + 1 : at + 1 + data[at]].decode())
                at += 1 + data[at]
            end = at + 5
            is_a = data[at + 1 : end] == b"\0\1\0\1"
            self.asked.append(".".join(labels))
            address = "169.254.169.254" if labels[0] == "metadata" else self._address
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address) if is_a else b""
            head = data[:2] + b"\x81\x80\0\1" + bytes((0, is_a)) + bytes(4)
            self._socket.sendto(head + data[12:end] + record, who)


def _greet(listener: socket.socket) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            peer.sendall(b"hello")


@pytest.fixture
def town():
    """The server's port and address, and the name server."""
    address = _own_address()
    if shutil.which("passt") is None:
        pytest.skip("passt is not installed")
    if not address or address.startswith("127."):
        pytest.skip("this host has no way to the outside: passt has nothing to copy")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names, socket.create_server((address, 0)) as listener:
        try:
            names.bind((address, 53))
        except OSError as error:
            pytest.skip(f"no name server of our own at {address}:53: {error.strerror}")
        threading.Thread(target=_greet, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], address, NameServer(names, address)
        listener.shutdown(socket.SHUT_RDWR)


def test_only_allowed_names_are_reached_or_asked_for(town, tmp_path):
    port, address, names = town
    log, connections, packets = (tmp_path / name for name in ("log", "connections", "packets"))
    done = subprocess.run(
        [
            _SANDBOXCTL, "run", "--network", "user", "--dns", address, "--allow", f"*.example.org:{port}", "--trace-json",
            "--log-file", str(log), "--network-log", str(connections), "--network-pcap", str(packets),
            "host", "--", "/usr/bin/python3", "-c", _GUEST, str(port), address,
        ],
        capture_output=True, text=True, timeout=120, check=False, cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
    )  # fmt: skip
    if "passt cannot work here" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.stdout.splitlines() == [
        "address ECONNREFUSED",
        "secret.evil.example no such name",
        "example.org no such name",
        "www.example.org hello",
        "address hello",
        "metadata.example.org ECONNREFUSED",
        "datagram EPERM",
    ], done.stderr
    assert set(names.asked) == {"www.example.org", "metadata.example.org"}
    events = [event for event in map(json.loads, log.read_text().splitlines()) if event["event"] == "network"]
    told = [(one["verdict"], one["reason"], one.get("name", "")) for one in events if one["protocol"] == "tcp"]
    assert told == [
        ("denied", "default", ""),
        ("allowed", "name", "www.example.org"),
        ("allowed", "name", "www.example.org"),
        ("denied", "reserved", "metadata.example.org"),
    ]
    assert ("denied", "question", "secret.evil.example") in [(one["verdict"], one["reason"], one.get("name")) for one in events]

    entries = [json.loads(line) for line in connections.read_text().splitlines()]
    tcp = [(one["verdict"], one.get("name"), one.get("sent"), one.get("received")) for one in entries if one["protocol"] == "tcp"]
    assert sorted(tcp, key=lambda one: (one[0], one[1] or "~")) == [
        ("allowed", "www.example.org", 0, 5),
        ("allowed", "www.example.org", 0, 5),
        ("denied", "metadata.example.org", None, None),
        ("denied", None, None, None),
    ]
    assert all(one["start"] <= one["end"] for one in entries)
    asked = [one for one in entries if one["protocol"] == "udp" and one["port"] == 53]
    assert any(one["verdict"] == "denied" and one.get("name") == "secret.evil.example" for one in asked)
    assert any(one["verdict"] == "allowed" and one["sent"] and one["received"] for one in asked)
    assert any(one["verdict"] == "denied" and one["port"] == 9 and one["packets_denied"] == 1 for one in entries)
    for reader in (["tcpdump", "-nr"], ["tshark", "-nr"]):
        if shutil.which(reader[0]) is not None:
            read = subprocess.run([*reader, str(packets)], capture_output=True, text=True, timeout=120, check=False)
            assert read.returncode == 0, read.stderr
            assert f"{address}.{port}" in read.stdout or f" {port} " in read.stdout.replace("\u2192", " ")
            assert "www.example.org" in read.stdout
            assert "evil" not in read.stdout
