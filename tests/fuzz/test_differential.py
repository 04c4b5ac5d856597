"""Hostile arguments and random sequences, natively (never as root) and in the sandbox: the same results, errors and final state.

``make test`` takes a fixed sample; ``make fuzz MINUTES=30`` takes every hostile case, then new sequences until the time is over.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import hostile
from tests.fuzz.expected import ENTRIES_MAX, expected, key
from tests.fuzz.places import Inside, native
from tests.fuzz.sequences import PREAMBLE, SEQUENCES

EXAMPLES = Path(__file__).with_name("examples")
MINUTES = float(os.environ.get("SANDBOXCTL_FUZZ_MINUTES", "0"))
_SAMPLE = 300
_SEQUENCES = 20
_BLOCKED = "killed:14"


@pytest.fixture(scope="module")
def inside(laboratory: object) -> Iterator[Inside]:
    reason = laboratory.platforms["notify"].unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    with Inside("notify") as place:
        yield place


def _differences(chosen: list[hostile.Case], inside: Inside) -> dict[str, tuple[str, str]]:
    """Results by name where they differ; a case that waits natively is not judged."""
    first = native("".join(f"case {i}\n{case.text}\n" for i, case in enumerate(chosen)))
    judged = [i for i in range(len(chosen)) if _BLOCKED not in first[str(i)]]
    second = inside.run("".join(f"case {i}\n{chosen[i].text}\n" for i in judged))
    return {chosen[i].name: (first[str(i)], second[str(i)]) for i in judged if first[str(i)] != second[str(i)]}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become the nobody, without any right, that the list was made as")
def test_hostile_arguments(inside: Inside) -> None:
    known = expected()
    cases = list(hostile.cases())
    chosen = cases if MINUTES else random.Random(8).sample(cases, _SAMPLE)
    found = {name: (key(name, *pair), pair) for name, pair in _differences(chosen, inside).items()}
    new = {name: pair for name, (one, pair) in found.items() if one not in known}
    assert new == {}
    if MINUTES:
        gone = set(known) - {one for one, _ in found.values()}
        assert gone == set(), "these differ no longer: take them out of tests/fuzz/expected.txt, and lower ENTRIES_MAX"


def test_the_list_of_expected_differences_only_shrinks() -> None:
    assert len(expected()) <= ENTRIES_MAX
    assert all(reason for reason in expected().values())


def _check(sequence: str, inside: Inside) -> None:
    text = f"case s\n{PREAMBLE}{sequence}"
    first = native(text)["s"]
    if _BLOCKED not in first:
        assert inside.run(text)["s"] == first


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.case")), ids=lambda path: path.stem)
def test_found_before(path: Path, inside: Inside) -> None:
    _check(path.read_text(), inside)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_sequences(inside: Inside) -> None:
    @settings(
        max_examples=_SEQUENCES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(SEQUENCES)
    def check(sequence: str) -> None:
        _check(sequence, inside)

    check()


@pytest.mark.skipif(not MINUTES, reason="runs with: make fuzz MINUTES=30")
@pytest.mark.timeout(0)
def test_sequences_for_minutes(inside: Inside) -> None:
    """Every round has a new seed, which a failure prints; a difference is shrunk, and belongs into examples/ with its fix."""
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        number = random.SystemRandom().randrange(1 << 32)

        @seed(number)
        @settings(max_examples=200, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck))
        @given(SEQUENCES)
        def check(sequence: str) -> None:
            _check(sequence, inside)

        print(f"seed {number}")
        check()
