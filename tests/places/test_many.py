"""Many sandboxes at once: each has its own output and exit status, nothing is left of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow]

_SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"

_PROGRAM = "echo {0} | cat; echo {0} > /tmp/mine; cat /tmp/mine; exit {0}"


def test_sandboxes_started_at_once_do_not_mix() -> None:
    count = 100 if os.environ.get("SANDBOXCTL_TIER") == "places" else 12
    started = [
        subprocess.Popen(
            [_SANDBOXCTL, "run", "host", "--", "sh", "-c", _PROGRAM.format(index)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(count)
    ]
    ended = [(*process.communicate(timeout=300), process.returncode) for process in started]
    assert ended == [(f"{index}\n{index}\n", "", index) for index in range(count)]
