"""What test runners print, and how a difference gets its class."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxctl.compat.suite.classify import Kind, classify
from sandboxctl.compat.suite.differences import differences
from sandboxctl.compat.suite.events import events
from sandboxctl.compat.suite.formats import READERS, read
from sandboxctl.compat.suite.outcome import WHOLE, Outcome, Verdict
from sandboxctl.compat.suite.selection import select

PASS, FAIL, SKIP = Verdict.PASS, Verdict.FAIL, Verdict.SKIP

JUNIT = """<?xml version="1.0"?><testsuites><testsuite name="s"><testcase classname="c" name="a" time="0.5"/>
<testcase classname="c" name="b"><failure message="bad">trace</failure></testcase><testcase name="d"><skipped/></testcase>
</testsuite></testsuites>"""
TAP = "TAP version 13\n1..4\nok 1 - a\nnot ok 2 - b\nok 3 - d # SKIP no reason\n"
GO = (
    '{"Action":"run","Package":"p","Test":"TestA"}\n{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.5}\n'
    '{"Action":"output","Package":"p","Test":"TestB","Output":"bad\\n"}\n{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0}\n'
)
CARGO = (
    "running 3 tests\ntest tests::a ... ok\ntest tests::b ... FAILED\ntest c ... ignored\n\n"
    "---- tests::b stdout ----\npanicked\n\n"
)
CTEST = (
    "    Start 1: a\n1/2 Test #1: a ................   Passed    0.01 sec\n"
    "2/2 Test #2: b ................***Failed    0.02 sec\n"
    "\n50% tests passed, 1 tests failed out of 2\n"
)
PYTEST = "t.py::test_a PASSED  [ 50%]\nt.py::test_b[x-1] FAILED [100%]\nFAILED t.py::test_b[x-1] - assert 1 == 2\n"


def verdicts(text, form="auto", status=1):
    name, outcomes = read(text, status, form)
    return name, {test: outcome.verdict for test, outcome in outcomes.items()}


def test_each_format_is_recognised_and_read():
    assert verdicts(JUNIT) == ("junit", {"c::a": PASS, "c::b": FAIL, "d": SKIP})
    assert verdicts(TAP) == ("tap", {"1 a": PASS, "2 b": FAIL, "3 d": SKIP, "(plan)": FAIL})
    assert verdicts(GO) == ("go", {"p.TestA": PASS, "p.TestB": FAIL})
    assert verdicts(CARGO) == ("cargo", {"tests::a": PASS, "tests::b": FAIL, "c": SKIP})
    assert verdicts(CTEST) == ("ctest", {"a": PASS, "b": FAIL})
    assert verdicts(PYTEST) == ("pytest", {"t.py::test_a": PASS, "t.py::test_b[x-1]": FAIL})
    assert read(PYTEST, 1)[1]["t.py::test_b[x-1]"].message == "assert 1 == 2"
    assert read(CARGO, 1)[1]["tests::b"].message == "panicked"


def test_a_bad_exit_status_is_never_lost():
    assert verdicts("t.py::test_a PASSED\n", status=139)[1] == {"t.py::test_a": PASS, WHOLE: FAIL}
    assert verdicts("anything", status=0) == ("status", {WHOLE: PASS})


def test_entities_are_not_expanded():
    assert READERS["junit"]('<!DOCTYPE x [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>') == {}


@settings(deadline=None)
@given(st.text(), st.integers(0, 255))
def test_no_output_breaks_a_reader(text, status):
    assert read(text, status)[1]


def test_what_tap_says_of_a_failure_is_its_message():
    text = "TAP version 13\nok 1 - a\n  ---\n  duration_ms: 1\n  ...\n"
    text += "not ok 2 - b\n  ---\n  error: 'no /x'\n  ...\n# c\nok 3 - c\n1..3\n"
    _, found = read(text, 1)
    assert {name: outcome.message for name, outcome in found.items()} == {
        "1 a": "", "2 b": "---\n  error: 'no /x'\n  ...\n# c", "3 c": "",
    }  # fmt: skip


def trace(*lines):
    return list(events(iter(lines), ("/native", "/inside")))


def test_traces_of_both_kinds_compare():
    native = trace(
        '12 openat(AT_FDCWD, "/native/x", O_RDONLY) = 3',
        "12 read(3,  <unfinished ...>",
        '13 openat(AT_FDCWD, "/proc/13/stat", O_RDONLY) = 4',
        '12 <... read resumed>"abc", 10) = 3',
        "12 perf_event_open(NULL, 0, 0, 0, 0) = -1 EFAULT (Bad address)",
    )
    inside = trace(
        '[1] openat(AT_FDCWD, "/inside/x", O_RDONLY) = 3',
        "[1] read(3, ..., 10) = -1 EAGAIN",
        '[1] openat(AT_FDCWD, "/proc/7/stat", O_RDONLY) = -1 ENOENT',
        "[1] perf_event_open() = -1 EPERM",
        "[1] mkdir(\"/inside/new\") = -1 EEXIST",
    )
    found = list(differences(native, inside))
    assert [str(one) for one in found] == [
        'openat(AT_FDCWD, "/proc/7/stat", O_RDONLY) = -1 ENOENT (natively success)',
        "perf_event_open() = -1 EPERM (natively EFAULT)",
    ]
    assert list(differences(native, inside, found)) == []
    good, bad = [Outcome(PASS)], [Outcome(FAIL)]
    assert classify("t", good, bad, found).kind is Kind.MISSING_FILE
    assert classify("t", good, bad, found[1:]).kind is Kind.WRONG_ERRNO
    assert classify("t", good, [Outcome(FAIL, "said nothing of /other")], found[::-1]).kind is Kind.MISSING_FILE
    named = list(differences(trace('openat(AT_FDCWD, "/etc/x", O_RDONLY) = 3', "io_uring_setup(1, 0) = 3"), trace(
        "io_uring_setup(1, 0) = -1 ENOSYS", 'openat(AT_FDCWD, "/etc/x", O_RDONLY) = -1 ENOENT',
    )))  # fmt: skip
    assert classify("t", good, bad, named).kind is Kind.MISSING_CALL
    assert classify("t", good, [Outcome(FAIL, "cannot open '/etc/x'")], named).kind is Kind.ENVIRONMENT
    assert classify("t", good, bad, ()).kind is Kind.UNKNOWN
    assert classify("t", good, [Outcome(FAIL, "timed out")], ()).kind is Kind.TIMING
    assert classify("t", good, [Outcome(FAIL, "OSError: Too many open files")], ()).kind is Kind.LIMIT
    assert classify("t", good + bad, bad + bad, found).kind is Kind.RACE


def test_one_test_is_selected_in_the_runners_own_way():
    chosen = select("pytest", ["pytest", "-k", "all", "-v"], "t.py::test_a[1]")
    assert chosen is not None
    assert (chosen.argv, chosen.env) == (["pytest", "-v"], {"PYTEST_ADDOPTS": "-k test_a"})
    for form, argv, test, expected in (
        ("go", ["go", "test", "-json", "./..."], "p.TestA/sub", ["go", "test", "-run", "^TestA$", "-json", "./..."]),
        ("cargo", ["cargo", "test"], "tests::a", ["cargo", "test", "--", "--exact", "tests::a"]),
        ("ctest", ["ctest"], "a", ["ctest", "-R", "^a$"]),
    ):
        chosen = select(form, argv, test)
        assert chosen is not None
        assert chosen.argv == expected
    assert select("tap", ["./t"], "1 a") is None
