"""Random sequences of calls, natively and in the sandbox: equal results, equal errors, equal trees.

The native run is that of an ordinary user in a folder of its own, and all names are relative to that folder. `make test` plays
the same sequences each time; SANDBOXCTL_SEQUENCES=N plays N new ones.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.guestlib.target import SandboxTarget
from tests.sequences.steps import SEQUENCES

PLAYER = Path(__file__).with_name("player.py")
_UID = 65534
_WANTED = int(os.environ.get("SANDBOXCTL_SEQUENCES", "0"))
_TIMEOUT_S = 120


class Players:
    """The native player and the one inside, which play one sequence after the other."""

    def __init__(self, sandbox: Any, folder: str, inside: str) -> None:
        self._inside = inside
        drop = ["setpriv", "--reuid", str(_UID), "--regid", str(_UID), "--clear-groups"] if os.getuid() == 0 else []
        self._native = [*drop, "/usr/bin/python3", "-I", "-c", PLAYER.read_text(), folder]
        self._sandbox = sandbox

    def play(self, sequences: list[list[list[object]]]) -> tuple[str, str]:
        """What each has printed."""
        line = b"".join(json.dumps(steps).encode() + b"\n" for steps in sequences)
        native = subprocess.run(self._native, input=line, capture_output=True, check=False, timeout=_TIMEOUT_S)
        assert native.returncode == 0, native.stderr.decode(errors="replace")
        user = f"{_UID}:{_UID}" if os.getuid() == 0 else None
        command = ["/usr/bin/python3", "-I", "-c", PLAYER.read_text(), self._inside]
        inside = self._sandbox.run(command, input=line, user=user, timeout=_TIMEOUT_S)
        assert inside.exit_code == 0, inside.stderr
        return native.stdout.decode(errors="replace"), inside.stdout.decode(errors="replace")


@pytest.fixture(scope="module", params=["memory", "volume"])
def players(request: pytest.FixtureRequest) -> Iterator[Players]:
    target = SandboxTarget("notify")
    reason = target.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("no /dev/shm: the native player needs a tmpfs")
    with tempfile.TemporaryDirectory(prefix="play-", dir="/dev/shm") as folder:
        native, shared = Path(folder) / "native", Path(folder) / "shared"
        for path in (Path(folder), native, shared):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        with target.open(tmpfs=["/memory:mode=1777"], volumes=[f"{shared}:/volume"]) as sandbox:
            yield Players(sandbox, str(native), f"/{request.param}")


@settings(
    max_examples=_WANTED or 6,
    derandomize=not _WANTED,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(sequences=st.lists(SEQUENCES, min_size=3, max_size=8))
def test_sequences_agree(players: Players, sequences: list[list[list[object]]]) -> None:
    native, inside = players.play(sequences)
    difference = unified_diff(native.splitlines(), inside.splitlines(), "native", "inside", lineterm="", n=30)
    assert inside == native, "\n".join(difference)
