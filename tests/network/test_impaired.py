"""Transfers over a bad wire: they arrive whole, and not much slower than the kernel's own TCP over the same wire.

``make test`` sees that a transfer each way arrives; ``make test-network`` compares all wires with the host kernel's TCP in the
same run, and keeps the figures. Both use CUBIC: a host whose default is BBR is faster where frames are lost, and ours has none.
Without any delay the processor is the limit, not TCP: `make bench ARGS=network` has those figures.
"""

import json
import os
import tempfile
from pathlib import Path

import pytest

from tests.network.laboratory import OUTER, Laboratory, finished, impaired, running
from tests.network.test_namespace import may_make_links

_PROGRAM = r'''
import concurrent.futures, hashlib, os, socket, sys, threading, time
what, host, size = sys.argv[1], sys.argv[2], int(sys.argv[3])

def send(end):
    data = os.urandom(1 << 16)
    digest, left = hashlib.sha256(), size
    while left:
        part = data[:left]
        end.sendall(part)
        digest.update(part)
        left -= len(part)
    return digest.digest()

def receive(end):
    digest = hashlib.sha256()
    begin = time.monotonic()
    while part := end.recv(1 << 18):
        digest.update(part)
    return digest.digest(), time.monotonic() - begin

def serve(end):
    with end:
        if end.recv(1) == b"u":
            digest, took = receive(end)
            end.sendall(digest + b"%.4f" % took)
        else:
            digest = send(end)
            end.recv(1)
            end.sendall(digest)

if what == "serve":
    server = socket.create_server((host, 7000))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")  # as in the sandbox, whatever the host's default is
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
def connected():
    for _ in range(600):
        try:
            return socket.create_connection((host, 7000), 60)
        except ConnectionRefusedError:
            time.sleep(0.1)

def transfer(_):
    """Move the bytes; whether they are the same at both ends, and the seconds that it took."""
    with connected() as end:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        end.settimeout(400)
        if what == "up":
            end.sendall(b"u")
            digest = send(end)
            end.shutdown(socket.SHUT_WR)
            answer = end.makefile("rb").read()
            theirs, took = answer[:32], float(answer[32:])
        else:
            end.sendall(b"d")
            digest, begin, left = hashlib.sha256(), time.monotonic(), size
            while left:
                part = end.recv(min(left, 1 << 18))
                digest.update(part)
                left -= len(part)
            took, digest = time.monotonic() - begin, digest.digest()
            end.sendall(b"?")  # what was it?
            theirs = end.makefile("rb").read()
    return theirs == digest, took

flows = int(sys.argv[4])
with concurrent.futures.ThreadPoolExecutor(flows) as pool:
    results = list(pool.map(transfer, range(flows)))
print("whole" if all(same for same, _ in results) else "differs", round(flows * flows * size / sum(took for _, took in results)))
'''
#: wire -> the rules (loss, duplicate, reorder in percent, delay of each way in ms), bytes of each flow, flows
WIRES = {
    "delay 50 ms": ((0, 0, 0, 50), 16 << 20, 1),
    "loss 1 %, delay 50 ms": ((1, 0, 0, 50), 1 << 20, 16),
    "loss 1 %, delay 5 ms": ((1, 0, 0, 5), 2 << 20, 8),
    "loss 5 %, delay 5 ms": ((5, 0, 0, 5), 1 << 20, 8),
    "reordering 25 %, delay 10 ms": ((0, 0, 25, 10), 3 << 20, 4),
    "duplication 5 %, delay 25 ms": ((0, 5, 0, 25), 16 << 20, 1),
    "all at once": ((1, 1, 10, 10), 1 << 19, 16),
}
_SLOWER = 2.0
_ROUNDS = 3  # chance and other work on the machine decide much of one; the best counts on both sides
_WHOLE = os.environ.get("SANDBOXCTL_TIER") == "network"
_RECORD = os.environ.get("SANDBOXCTL_TIER_RECORD")


def transfer(lab: Laboratory, folder: Path, way: str, size: int, flows: int, *, is_inside: bool) -> float:
    """Move so many bytes from (``up``) or to the inner end, in each of some flows; bytes a second, all together."""
    argv = ["/usr/bin/python3", "-c", _PROGRAM, way, OUTER, str(size), str(flows)]
    done = finished(lab.boxed(argv, folder, {}) if is_inside else lab.native(lab.inner, argv, folder, {}), folder, 500)
    assert done.returncode == 0, done.stderr
    verdict, speed = done.stdout.split()
    assert verdict == "whole"
    return float(speed)


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="wires-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("wire", WIRES if _WHOLE else ["all at once"])
def test_a_transfer_over_a_bad_wire(wire, folder):
    if reason := may_make_links():
        pytest.skip(reason)
    rules, size, flows = WIRES[wire]
    if not _WHOLE:
        size, flows = 200_000, 2
    speeds = {}
    with impaired(7, *rules) as lab:
        server = lab.native(lab.outer, ["/usr/bin/python3", "-c", _PROGRAM, "serve", OUTER, str(size)], folder, {})
        with running(server, folder):
            for way in ("up", "down"):
                for is_inside in (False, True) if _WHOLE else (True,):
                    rounds = range(_ROUNDS if _WHOLE else 1)
                    found = [transfer(lab, folder, way, size, flows, is_inside=is_inside) for _ in rounds]
                    speeds[way, is_inside] = max(found)
    if not _WHOLE:
        return
    ratios = {way: speeds[way, False] / speeds[way, True] for way in ("up", "down")}
    line = {f"{way} {'inside' if inside else 'native'} bytes/s": round(speed) for (way, inside), speed in speeds.items()}
    if _RECORD:
        with open(_RECORD, "a") as file:
            file.write(json.dumps({"wire": wire, **line, **{f"{way} slower": round(x, 2) for way, x in ratios.items()}}) + "\n")
    assert max(ratios.values()) <= _SLOWER, line
