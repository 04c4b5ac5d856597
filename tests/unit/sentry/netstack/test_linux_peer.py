"""Our stack and the host kernel's TCP transfer 10 MB both ways, as client and as server, also under loss."""

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

PEER = Path(__file__).with_name("linux_peer.py")
ROOT = PEER.parents[4]
EMPTY = hashlib.sha256(b"").hexdigest()


def reason() -> str:
    """Why the kernel cannot be the peer here; empty if it can."""
    if os.geteuid() != 0:
        return "needs root for a network namespace and a tun device"
    if not os.path.exists("/dev/net/tun"):
        return "/dev/net/tun is not there"
    if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True).returncode:
        return "unshare -n or ip does not work here"
    return ""


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(reason()), reason=f"the host kernel as peer: {reason()}")]


def run(*arguments: str) -> dict:
    command = ["unshare", "-n", sys.executable, str(PEER), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(size: int, direction: str, result: dict) -> None:
    wanted = hashlib.sha256(random.Random(5).randbytes(size)).hexdigest()
    if direction.endswith("send"):
        assert result["peer"] == [size, wanted]
        assert result["got"] == 0
    else:
        assert (result["got"], result["digest"]) == (size, wanted)
        assert result["peer"] == [0, EMPTY]


@pytest.mark.parametrize("device", ["tun", "tap", "tap6"])
@pytest.mark.parametrize("direction", ["connect-send", "connect-recv", "accept-send", "accept-recv"])
def test_ten_megabytes_arrive_intact(device: str, direction: str) -> None:
    check(10_000_000, direction, run(device, direction, "10000000"))


@pytest.mark.parametrize("direction", ["connect-send", "accept-recv"])
@pytest.mark.parametrize(
    "fault",
    [{"loss": 0.01}, {"delay": 20, "loss": 0.01}, {"delay": 5, "jitter": 3, "duplicate": 0.01}],
    ids=["loss", "far", "reorder"],
)
def test_transfers_survive_a_bad_link(direction: str, fault: dict) -> None:
    check(2_000_000, direction, run("tun", direction, "2000000", json.dumps(fault)))


@pytest.mark.parametrize("device", ["tap", "tap6"])
@pytest.mark.parametrize("size", [56, 4000, 20_000])
@pytest.mark.parametrize("what", ["ping", "udp"])
def test_the_kernel_gets_its_echo_and_its_datagram_back(device: str, size: int, what: str) -> None:
    assert run(device, what, str(size)) == {"is_same": True}


def test_the_wire_looks_like_the_kernels() -> None:
    """The same program, once as each side's: the client's and the server's segments are the same, with the same options."""
    sides = run("tun", "syn", "0")
    theirs, ours = sides["kernel connects"], sides["we connect"]
    assert ours["ours"] == theirs["kernel"]
    assert ours["kernel"] == theirs["ours"]
