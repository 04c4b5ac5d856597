"""A traced run against the matrix."""

from sandboxctl.compat.census import Census
from sandboxctl.compat.report import report

ROWS = [
    {"name": "read", "level": "full", "note": "", "tests": ["a.c"]},
    {"name": "fcntl", "level": "partial", "note": "some", "tests": ["a.c"], "words": {"F_GETFD": "works"}},
    {"name": "io_setup", "level": "missing", "note": "ENOSYS", "tests": []},
]
ANSWER = {
    "uses": [
        ["fcntl", [1], 2, 4000, []],
        ["fcntl", [1033], 1, 2000, [[22, 1]]],
        ["io_setup", [], 3, 30, [[38, 3]]],
        ["read", [], 1, 500, []],
    ],
    "files": [[b"/proc/N/stat", 2]],
}


def test_the_worst_comes_first():
    found = report(Census.of(ANSWER), ROWS, 7)
    assert [need.call for need in found.needs] == ["io_setup", "fcntl", "read"]
    assert found.exit_status == 7
    assert found.files == {"/proc/N/stat": 2}


def test_uses_of_a_call_are_added_up():
    fcntl = report(Census.of(ANSWER), ROWS, 0).needs[1]
    assert (fcntl.count, fcntl.mean_us, fcntl.errors) == (3, 2.0, {"EINVAL": 1})
    assert (fcntl.words, fcntl.untried) == (["F_GETFD", "F_ADD_SEALS"], ["F_ADD_SEALS"])


def test_a_difference_of_two_counts():
    later = {"uses": [["fcntl", [1], 2, 4000, []], ["fcntl", [1033], 4, 9000, [[22, 2]]], ["read", [], 1, 500, []]], "files": []}
    found = Census.of(later) - Census.of({"uses": ANSWER["uses"][:2], "files": []})
    assert [(use.call, use.values, use.count, use.ns, use.errors) for use in found.uses] == [
        ("fcntl", (1033,), 3, 7000, {22: 1}),
        ("read", (), 1, 500, {}),
    ]
    assert (Census.of(ANSWER) - Census.of({"uses": [], "files": [[b"/proc/N/stat", 2]]})).files == {}


def test_hits_by_level():
    found = report(Census.of(ANSWER), ROWS, 0)
    assert [need.call for need in found.hits(["missing", "stub"])] == ["io_setup"]
    assert found.hits(["refused"]) == []
    assert found.as_data()["calls"][0]["errors"] == {"ENOSYS": 3}
