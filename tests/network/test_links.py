"""A guest and the host kernel's TCP and UDP over real links: passt, and a veth pair with a packet socket."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.network.exchange import EXPECTED, GUEST_PORT, exchange

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 5


def _passt(port, theirs):
    """passt on a connected socket, with ``port`` of lo published."""
    return subprocess.Popen(
        [
            "passt", "--foreground", "--quiet", "--one-off", "--fd", str(theirs.fileno()), "--ipv4-only", "--mtu", "65520",
            "--address", "10.9.0.15", "--netmask", "24", "--gateway", "10.9.0.1", "--tcp-ports", f"127.0.0.1/{port}:{GUEST_PORT}",
        ],
        pass_fds=[theirs.fileno()],
        stderr=subprocess.PIPE,
    )  # fmt: skip


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.skipif(shutil.which("passt") is None, reason="passt is not installed")
def test_through_passt_both_ways():
    config = {
        "kind": "passt", "mac": "9a:55:9a:55:9a:55", "mtu": 65520, "addresses": ["10.9.0.15/24"],
        "routes": [{"to": "0.0.0.0/0", "via": "10.9.0.1"}],
    }  # fmt: skip
    for _ in range(ATTEMPTS):
        port = _free_port()
        ours, theirs = socket.socketpair()
        with ours, _passt(port, theirs) as passt:
            theirs.close()
            # it speaks first only when asked: an ARP request for its gateway address tells that it serves
            ours.settimeout(60)
            frame = bytes.fromhex("ffffffffffff9a559a559a55080600010800060400019a559a559a550a09000f0000000000000a090001")
            try:
                ours.sendall(len(frame).to_bytes(4, "big") + frame)
                answer = ours.recv(4, socket.MSG_WAITALL)
            except OSError:
                answer = b""
            if not answer:
                passt.kill()
                told = passt.communicate()[1].decode(errors="replace")
                continue  # the port was taken in between, or passt cannot work here
            ours.recv(int.from_bytes(answer, "big"), socket.MSG_WAITALL)
            try:
                lines, served = exchange(config, ours.fileno(), "10.9.0.1", ("127.0.0.1", port), "127.0.0.1", refuses=False)
            finally:
                passt.kill()
            assert lines == EXPECTED
            assert served
            return
    pytest.skip(f"passt cannot start here: {told.strip().splitlines()[-1:] or 'it said nothing'}")


def _may_make_links():
    if os.geteuid():
        return "making a veth pair needs root"
    probe = subprocess.run(
        ["unshare", "-n", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"], capture_output=True, text=True
    )
    return f"no veth here: {probe.stderr.strip()}" if probe.returncode else ""


def test_over_veth_with_a_packet_socket():
    if reason := _may_make_links():
        pytest.skip(reason)
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.network.veth"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    expected = [*EXPECTED[:2], "refused True", *EXPECTED[2:], "True"]
    assert done.stdout.splitlines() == expected, done.stderr
