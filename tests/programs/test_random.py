"""Random sequences over processes, signals, sessions and memory maps: natively and in the sandbox they give the same."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.guestlib.target import NativeTarget, SandboxTarget

_FOLDER = Path(__file__).with_name("random")
_PYTHON = "/usr/bin/python3"
_TIMEOUT_S = 120
_EXAMPLES = int(os.environ.get("SANDBOXCTL_RANDOM_EXAMPLES", "4"))

_child = st.integers(0, 4)
_signal = st.sampled_from([0, 1, 9, 10, 15, 18, 19])
_step = st.one_of(
    st.just(["fork"]),
    st.tuples(st.sampled_from(["setsid", "own", "ids", "leave", "group", "wait"]), _child),
    st.tuples(st.just("exit"), _child, st.integers(0, 255)),
    st.tuples(st.just("ignore"), _child, st.sampled_from([1, 10, 15])),
    st.tuples(st.sampled_from(["kill", "killpg"]), _child, _signal),
    st.tuples(st.just("join"), _child, _child),
    st.tuples(st.just("wait"), _child),
)
_steps = st.lists(_step, min_size=5, max_size=40).map(lambda steps: [["fork"], ["fork"], *steps])
_processes = st.lists(_steps, min_size=4, max_size=8)
_call = st.sampled_from(["map", "unmap", "protect", "advise", "lock", "sync", "mincore"])
_maps = st.lists(
    st.lists(st.tuples(_call, st.integers(0, 15), st.integers(0, 16), st.integers(0, 15)), min_size=3, max_size=40),
    min_size=4,
    max_size=8,
)


@pytest.fixture(scope="module")
def box() -> Iterator[Any]:
    target = SandboxTarget("notify")
    reason = target.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    with target.open(volumes=[f"{_FOLDER}:/random:ro"]) as sandbox:
        yield sandbox


def _compare(box: Any, program: str, sequences: object) -> None:
    text = json.dumps(sequences)
    native = NativeTarget().run([_PYTHON, str(_FOLDER / program), text], timeout_s=_TIMEOUT_S, pid1=True)
    assert native.exit_code == 0, native.report()
    inside = box.run([_PYTHON, f"/random/{program}", text], timeout=_TIMEOUT_S)
    assert inside.stdout.decode().splitlines() == native.stdout.decode().splitlines(), inside.stderr.decode()
    assert inside.exit_code == 0, inside.stderr.decode()


_settings = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@_settings
@given(sequences=_processes)
def test_processes_signals_and_sessions(box: Any, sequences: list[Any]) -> None:
    _compare(box, "processes.py", sequences)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@_settings
@given(sequences=_maps)
def test_memory_maps(box: Any, sequences: list[Any]) -> None:
    _compare(box, "maps.py", sequences)
