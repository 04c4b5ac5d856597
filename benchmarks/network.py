"""Streams, questions and datagrams: over the sandbox's loopback, and (root, iperf3) over a veth pair to the host kernel's TCP."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import BenchmarkError, Row, Target, both

_PROGRAM = r"""
import socket, sys, threading, time
SPAN = 1.5

def pair(family, kind):
    if family == socket.AF_UNIX:
        return socket.socketpair(family, kind)
    server = socket.socket(family, kind)
    server.bind(("127.0.0.1", 0))
    client = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        server.listen()
        client.connect(server.getsockname())
        end, _ = server.accept()
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, end
    client.connect(server.getsockname())
    server.connect(client.getsockname())
    return client, server

def stream(family):
    one, two = pair(family, socket.SOCK_STREAM)
    count = 0
    def drain():
        nonlocal count
        while part := two.recv(1 << 18):
            count += len(part)
    thread = threading.Thread(target=drain)
    thread.start()
    begin, block = time.monotonic(), bytes(1 << 17)
    while time.monotonic() - begin < SPAN:
        one.sendall(block)
    one.shutdown(socket.SHUT_WR)
    thread.join()
    return count * 8e-9 / (time.monotonic() - begin)

def questions(family, kind):
    one, two = pair(family, kind)
    def answer():
        while (part := two.recv(100)) != b"end":
            two.send(part)
    thread = threading.Thread(target=answer)
    thread.start()
    begin, count = time.monotonic(), 0
    while time.monotonic() - begin < SPAN:
        one.send(b"q")
        one.recv(100)
        count += 1
    took = time.monotonic() - begin
    one.send(b"end")
    thread.join()
    return count / took / 1000

print("TCP stream (Gbit/s)=", stream(socket.AF_INET))
print("UNIX stream (Gbit/s)=", stream(socket.AF_UNIX))
print("TCP questions (1000/s)=", questions(socket.AF_INET, socket.SOCK_STREAM))
print("UDP questions (1000/s)=", questions(socket.AF_INET, socket.SOCK_DGRAM))
"""
_WAYS = (("out", ()), ("in", ("-R",)), ("out, 4 at once", ("-P", "4")), ("in, 4 at once", ("-P", "4", "-R")))
_SPAN_S = 4


def network(platform: str | None) -> Iterator[Row]:
    """Rates: the more the better, so a ratio below 1 says how much of the native one is left."""

    def body(target: Target) -> dict[str, float]:
        lines = target.run(["/usr/bin/python3", "-c", _PROGRAM]).splitlines()
        return {name: float(value) for name, value in (line.split("=") for line in lines)}

    native, boxed = both(platform, body)
    for name, value in boxed.items():
        yield Row("network", f"lo: {name}", "", value, native[name])
    if os.geteuid() != 0 or shutil.which("iperf3") is None:
        yield Row("network", "veth: iperf3", "", None, note="needs root and iperf3")
        return
    yield from _veth()


def _veth() -> Iterator[Row]:
    from tests.network.laboratory import OUTER, finished, laboratory, running

    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as name, laboratory() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        with running(lab.native(lab.outer, ["iperf3", "-s", "--forceflush"], folder, {}), folder, is_heard=True) as server:
            assert server.stdout is not None
            server.stdout.readline()
            for way, options in _WAYS:
                argv = ["iperf3", "-J", "-c", OUTER, "-t", str(_SPAN_S), *options]
                found = []
                for line in (lab.native(lab.inner, argv, folder, {}), lab.boxed(argv, folder, {})):
                    said = json.loads(finished(line, folder).stdout)
                    if "error" in said:
                        raise BenchmarkError(f"iperf3: {said['error']}")
                    found.append(said["end"]["sum_received"]["bits_per_second"] / 1e9)
                yield Row("network", f"veth: iperf3 {way} (Gbit/s)", "", found[1], found[0])
