"""The wire of our stack is the kernel's: the same program's packets, natively and from a sandbox, against the same peer.

``make test`` compares a sample, ``make test-network`` all.
"""

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.network.laboratory import INNER, OUTER, ROOT, Laboratory, finished, laboratory, running
from tests.network.test_namespace import may_make_links

_CASES = (
    "the client closes",
    "the server closes",
    "by halves",
    "unread data",
    "no lingering",
    "data for a closed end",
    "nobody listens",
    "a datagram for nobody",
)
_SAMPLE = (("unread data", "client"), ("data for a closed end", "server"))
_WHOLE = os.environ.get("SANDBOXCTL_TIER") == "network"
_PROGRAM = r"""
import select, socket, struct, sys, time
what, case, host = sys.argv[1:4]
LINGER = struct.pack("ii", 1, 0)

def until(end, events):
    waiter = select.poll()
    waiter.register(end, events)
    waiter.poll(60_000)

def everything(end):
    while end.recv(100):
        pass

def serve(end):
    if case == "unread data":
        end.sendall(b"unasked")
        until(end, select.POLLIN | select.POLLHUP | select.POLLERR)
        return end.close()
    assert end.recv(8, socket.MSG_WAITALL) == b"question"
    end.sendall(b"answer")
    if case in ("the client closes", "no lingering"):
        try:
            everything(end)
        except ConnectionResetError:
            pass
    elif case == "by halves":
        everything(end)
        end.sendall(b"the end")
    end.close()

def ask(end):
    if case == "unread data":
        until(end, select.POLLIN)
        return end.close()
    end.sendall(b"question")
    assert end.recv(6, socket.MSG_WAITALL) == b"answer"
    if case == "the server closes":
        everything(end)
    elif case == "by halves":
        end.shutdown(socket.SHUT_WR)
        everything(end)
    elif case == "no lingering":
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    elif case == "data for a closed end":
        until(end, select.POLLRDHUP)
        end.sendall(b"more")
        until(end, select.POLLERR)
    end.close()

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if what == "server":
    udp.bind((host, 7001))
    server = socket.create_server((host, 7000))
    print("ready", flush=True)
    if case not in ("nobody listens", "a datagram for nobody"):
        serve(server.accept()[0])
    data, peer = udp.recvfrom(100)  # all that the server had to say was said before
    udp.sendto(data, peer)
    time.sleep(600)
udp.settimeout(60)
if case == "nobody listens":
    print(socket.socket().connect_ex((host, 9)))
elif case == "a datagram for nobody":
    udp.connect((host, 9))
    udp.send(b"hello")
    try:
        udp.recv(10)
    except ConnectionRefusedError:
        print("refused")
    udp.connect((host, 7001))
else:
    ask(socket.create_connection((host, 7000), 60))
udp.sendto(b"done", (host, 7001)) if case != "a datagram for nobody" else udp.send(b"done")
print(udp.recv(100))
"""


def seen(lab: Laboratory, case: str, inside: str) -> list[str]:
    """What is on the wire in a case, with the server, the client or nothing inside; then the client's own words."""
    argv = {what: ["/usr/bin/python3", "-c", _PROGRAM, what, case] for what in ("server", "client")}
    with tempfile.TemporaryDirectory(prefix="likeness-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        # the server is at the inner end where it is inside, and where it is the native counterpart of that
        where = (lab.inner, lab.outer) if inside.endswith("server") else (lab.outer, lab.inner)
        host = INNER if inside.endswith("server") else OUTER
        lines = {}
        for what, namespace in zip(("server", "client"), where, strict=True):
            words = [*argv[what], host]
            lines[what] = lab.boxed(words, folder, {}) if inside == what else lab.native(namespace, words, folder, {})
        sniffer = ["nsenter", "-n", "-t", lab.outer, sys.executable, "-m", "tests.network.sniff", "v0"]
        with (
            subprocess.Popen(sniffer, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tap,
            running(lines["server"], folder, is_heard=True) as server,
        ):
            assert tap.stdout is not None
            assert server.stdout is not None
            assert tap.stdout.readline() == server.stdout.readline() == "ready\n", (folder / "stderr").read_text()
            done = finished(lines["client"], folder)
            told, _ = tap.communicate("")
    assert done.returncode == 0, done.stderr
    return [*told.splitlines(), done.stdout]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "inside"), list(itertools.product(_CASES, ("client", "server"))) if _WHOLE else _SAMPLE)
def test_the_wire_is_the_kernels(case, inside):
    if reason := may_make_links():
        pytest.skip(reason)
    with laboratory() as lab:
        natively = seen(lab, case, f"native {inside}")
        assert seen(lab, case, inside) == natively
