"""A container network under podman: the namespace that it hands over is the guest's own network."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.network.test_namespace import may_make_links

ROOT = Path(__file__).resolve().parents[2]


def test_a_container_reaches_its_network_and_is_reached(podman, rootfs):
    if reason := may_make_links():
        pytest.skip(reason)
    for name in ("ip", "nc", "sed"):
        (rootfs / "bin" / name).symlink_to("busybox")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.oci.network", rootfs, *podman.command],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[:2] == ["10.9.2.2 question", "client read welcome"], done.stderr
    assert {"10.9.2.2/24", "fd09::2/64", "default via 10.9.2.1 dev eth0 ", "answer"} <= set(lines)
    assert lines[-1] == "status 0 all is put back"
