"""The matrix: total, honest about evidence, and stable to write."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator

from syscalls.abi.nr_x86_64 import NAMES
from syscalls.compat.__main__ import main
from syscalls.compat.applications import proven
from syscalls.compat.evidence import Evidence, Proof, Used, load, named_in
from syscalls.compat.pages import as_json
from syscalls.compat.rows import MATRIX, matrix, row
from syscalls.compat.tables import all_tables, untried
from syscalls.compat.words import words
from tests import refusals
from tests.unit.syscalls.process_world import ENTRIES

PASSED = {"native": "pass", "notify": "pass", "ptrace": "pass"}


def proof(results: dict[str, str] | None = None, **uses: Used) -> Evidence:
    return Evidence("2026-01-02", "6.18", (Proof("process/x.c", PASSED if results is None else results, uses),))


def test_every_number_has_one_row() -> None:
    data = matrix()
    assert [line["nr"] for line in data["calls"]] == sorted(NAMES)
    assert sum(data["totals"].values()) == len(NAMES)
    assert json.loads(as_json(data)) == data


def test_a_claim_without_evidence_is_not_full() -> None:
    entry = ENTRIES["getpid"]
    assert row(39, entry, Evidence())["level"] == "unproven"
    assert row(39, entry, proof(getpid=Used(succeeded=False, errors=("EINVAL",))))["level"] == "unproven"
    proven = row(39, entry, proof(getpid=Used(succeeded=True)))
    assert (proven["level"], proven["tests"]) == ("full", ["process/x.c"])
    assert row(39, entry, None)["level"] == "full"


@pytest.mark.parametrize(
    ("results", "holds"),
    [
        (PASSED, True),
        ({"native": "pass", "notify": "pass", "ptrace": "unavailable: forbidden"}, True),
        ({"native": "pass", "notify": "differs", "ptrace": "pass"}, False),
        ({"native": "exit status 1", "notify": "pass"}, False),
        ({"native": "pass", "notify": "unavailable: x", "ptrace": "unavailable: y"}, False),
        ({"notify": "pass"}, False),
    ],
)
def test_only_a_run_that_passes_everywhere_counts(results: dict[str, str], holds: bool) -> None:
    evidence = proof(results, getpid=Used(succeeded=True))
    assert evidence.proofs[0].holds is holds
    assert row(39, ENTRIES["getpid"], evidence)["level"] == ("full" if holds else "unproven")


def test_refused_and_missing_rows_name_their_error() -> None:
    assert row(321, ENTRIES["bpf"], Evidence())["note"].startswith("EPERM: ")
    assert row(441, None, Evidence())["level"] == "missing"


def test_calls_are_named_by_word() -> None:
    assert {"wait4", "waitpid"} <= named_in("int x = waitpid(1, 0, 0); // getpidx")
    assert "getpid" not in named_in("getpidx")
    assert "pidfd_getfd" in named_in("syscall(SYS_pidfd_getfd, 1)")


@pytest.mark.parametrize(
    ("call", "values", "expected"),
    [
        ("fcntl", (1,), ["F_GETFD"]),
        ("fcntl", (1030,), ["F_DUPFD_CLOEXEC"]),
        ("openat", (0o2000101,), ["O_CLOEXEC", "O_CREAT", "O_WRONLY"]),
        ("futex", (129,), ["FUTEX_WAKE"]),
        ("setsockopt", (1, 9), ["SO_KEEPALIVE"]),
        ("setsockopt", (12345, 9), []),
        ("socket", (1, 0o2000001), ["AF_UNIX", "SOCK_STREAM", "SOCK_CLOEXEC"]),
        ("ioctl", (0x5401,), ["TCGETS"]),
        ("ioctl", (0x12345678,), []),
        ("waitid", (1, 4), ["P_PID", "WEXITED"]),
        ("read", (), []),
    ],
)
def test_words(call: str, values: tuple[int, ...], expected: list[str]) -> None:
    assert words(call, values) == expected


def test_a_word_works_only_if_it_has_succeeded() -> None:
    evidence = proof(prctl=Used(succeeded=True, words={"PR_SET_NAME": True, "PR_SET_MM": False}))
    (table,) = (table for table in all_tables(evidence) if "prctl" in table["calls"])
    rows = {entry["name"]: entry["state"] for entry in table["rows"]}
    assert (rows["PR_SET_NAME"], rows["PR_SET_MM"], rows["PR_GET_NAME"]) == ("works", "error", "untried")


def test_a_word_is_refused_only_if_no_test_uses_it() -> None:
    used = {"PR_SET_NAME": True, "PR_SET_MM": False}
    shown = dict.fromkeys(("PR_SET_NAME", "PR_SET_MM", "PR_SET_VMA"), "EINVAL")
    evidence = replace(proof(prctl=Used(succeeded=True, words=used)), refused={"prctl options": shown})
    (table,) = (table for table in all_tables(evidence) if "prctl" in table["calls"])
    rows = {entry["name"]: entry for entry in table["rows"]}
    assert [rows[name]["state"] for name in (*shown, "PR_GET_NAME")] == ["works", "error", "refused", "untried"]
    assert rows["PR_SET_VMA"]["errors"] == "EINVAL"
    assert set(untried(evidence)["prctl options"]) & {*shown, "PR_GET_NAME"} == {"PR_SET_VMA", "PR_GET_NAME"}


def test_options_of_several_levels_do_not_hide_each_other() -> None:
    evidence = proof(setsockopt=Used(succeeded=True, words={"TCP_NODELAY": True}))
    states = {row["name"]: row["state"] for table in all_tables(evidence) for row in table["rows"]}
    assert {name: states[name] for name in ("TCP_NODELAY", "SO_DEBUG", "UDP_CORK", "IP_TOS")} == {
        "TCP_NODELAY": "works", "SO_DEBUG": "untried", "UDP_CORK": "untried", "IP_TOS": "untried",
    }  # fmt: skip


def test_only_errors_that_speak_of_the_word_are_refusals() -> None:
    answers = {
        "socket options": {"SO_A": [errno.ENOPROTOOPT], "SO_B": [errno.ENOPROTOOPT, errno.EINVAL]},
        "prctl options": {"PR_A": [errno.EINVAL]},
        "ioctl requests": {"TIOC": [errno.EFAULT]},
    }
    result = SimpleNamespace(exit_code=0, stdout=json.dumps(answers).encode())
    box = SimpleNamespace(run=lambda *_words, **_options: result)
    assert refusals.ask(box, {}) == {"socket options": {"SO_A": "ENOPROTOOPT"}, "prctl options": {"PR_A": "EINVAL"}}


def test_evidence_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    uses = {"read": {"succeeded": True, "errors": ["EBADF"]}}
    record = {"source": "0", "results": PASSED, "uses": uses, "files": ["/proc/self/stat"]}
    path.write_text(json.dumps({"date": "d", "kernel": "k", "programs": {"a/b.c": record}}))
    found = load(path)
    assert found.proofs[0] == Proof("a/b.c", PASSED, {"read": Used(True, ("EBADF",))}, ("/proc/self/stat",))
    assert load(tmp_path / "none.json") == Evidence()


def test_pages_are_written_once_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "matrix"
    assert main(["--check"], folder) == 1
    assert main([], folder) == 0
    assert main(["--check"], folder) == 0
    (folder / "process.md").write_text("old")
    assert main(["--check"], folder) == 1
    assert "process.md" in capsys.readouterr().err
    assert main(["--wrong"], folder) == 2


def test_the_matrix_is_what_its_schema_says() -> None:
    schema = json.loads((MATRIX / "matrix.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(json.dumps(matrix())))


def test_an_application_counts_only_with_a_pass_on_both_sides(tmp_path: Path) -> None:
    declared = tmp_path / "applications.yml"
    declared.write_text('- {name: a, test: a, version: "1", category: c, verdict: "yes", exercised: e}\n')
    assert proven(declared, tmp_path)[0]["verdict"] == "unproven"
    for number, (result, verdict) in enumerate((("pass", "yes"), ("differs, exit status 1", "unproven"))):
        record = {"date": "2026-01-02T03:04:05", "details": [{"application": "a", "native": "pass", "sandbox": result}]}
        (tmp_path / f"{number}.json").write_text(json.dumps(record))
        row = proven(declared, tmp_path)[0]
        assert (row["verdict"], row["date"]) == (verdict, "2026-01-02")
