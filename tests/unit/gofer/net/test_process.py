"""The network gofer as a process: what it has given up, and how it ends."""

from pathlib import Path

import pytest

from gofer.launch import GoferError
from gofer.net.launch import NetworkGofer
from tests.unit.gofer.net.test_world import CONFIG


def test_it_has_given_up_what_serving_does_not_need():
    gofer = NetworkGofer({**CONFIG, "published": []})
    try:
        gofer.wait_ready()
        lines = Path(f"/proc/{gofer.process.pid}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("2", "1")
        assert {status[name].strip() for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {"0" * 16}
        assert "0" not in status["Uid"].split()
        gofer.link.close()
        assert gofer.process.wait(60) == 0
    finally:
        gofer.stop()


def test_a_port_that_cannot_be_had_is_told_and_nothing_is_left():
    gofer = NetworkGofer({**CONFIG, "published": ["203.0.113.1/80:80/tcp"]})
    with pytest.raises(GoferError, match=r"cannot publish 203\.0\.113\.1:80"):
        gofer.wait_ready()
    assert gofer.process.poll() is not None
