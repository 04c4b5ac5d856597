"""``--network ns:PATH``: a guest has the addresses of a network namespace, and gives them back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def may_make_links():
    """Why not; nothing if so."""
    if os.geteuid():
        return "making a network namespace needs root"
    probe = subprocess.run(
        ["unshare", "-n", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no veth here: {probe.stderr.strip()}" if probe.returncode else ""


def test_a_namespace_is_taken_over_and_given_back():
    if reason := may_make_links():
        pytest.skip(reason)
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.network.namespace"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "1 device without an interface",
        "10.9.2.1 True whole",
        "fd09::1 True whole",
        "ECONNREFUSED",
        "listening",
        "::ffff:10.9.2.1 from outside",
        "fd09::1 from outside",
        "all is put back",
        "sandboxctl: /proc/self/ns/net is the host's own network, which the guest never uses",
        "sandboxctl: cannot take over the network namespace /nonexistent: no such file or directory",
    ], done.stderr


@pytest.mark.parametrize("way", ["passt", "netgofer"])
def test_ipv6_reaches_the_outside_where_the_host_has_it(way):
    if reason := may_make_links():
        pytest.skip(reason)
    if way == "passt" and shutil.which("passt") is None:
        pytest.skip("passt is not installed")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.network.ipv6", way],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if way == "passt" and "passt cannot work here" in done.stdout:
        pytest.skip(done.stdout.strip())
    expected = [
        "10.9.2.2 sees ::ffff:10.9.2.1",
        "fd09::2 sees fd09::1",
        "b'HELLO' ('fd09::2', 7000, 0, 0)",
        "fd09::2 129 b'\\x00\\x07are you there'",
        "fe80::1%eth0 ECONNREFUSED",
        "fd00:ec2::254 ECONNREFUSED",
        "64:ff9b::a9fe:a9fe ECONNREFUSED",
        "ready",
    ]
    if way == "netgofer":  # Debian 12's passt does neither
        expected += ["fd9a:559a:559a::2 b'from outside\\n'", "refused"]
    assert done.stdout.splitlines() == expected, done.stderr
