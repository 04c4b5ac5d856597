"""The matrix: total, honest about evidence, and stable to write."""

import json
from pathlib import Path

import pytest

from syscalls import compat
from syscalls.abi.nr_x86_64 import NAMES
from tests.unit.syscalls.process_world import ENTRIES


def test_every_number_has_one_row() -> None:
    data = compat.matrix()
    assert [line["nr"] for line in data["calls"]] == sorted(NAMES)
    assert sum(data["totals"].values()) == len(NAMES)
    assert json.loads(compat.as_json(data)) == data


def test_a_claim_without_evidence_is_not_full() -> None:
    entry = ENTRIES["getpid"]
    assert compat.row(39, entry, {})["level"] == "partial"
    assert compat.row(39, entry, {})["note"] == compat.UNPROVEN
    proven = compat.row(39, entry, {"getpid": ["process/identity.c"]})
    assert (proven["level"], proven["tests"]) == ("full", ["process/identity.c"])


def test_refused_and_missing_rows_name_their_error() -> None:
    assert compat.row(321, ENTRIES["bpf"], {})["note"].startswith("EPERM: ")
    assert compat.row(441, None, {})["level"] == "missing"


def test_evidence_is_found_by_word(tmp_path: Path) -> None:
    family = tmp_path / "process"
    family.mkdir()
    (family / "wait.c").write_text("int x = waitpid(1, 0, 0); // getpidx")
    (family / "notes.txt").write_text("getpid")
    assert compat.evidence(tmp_path).get("waitpid") == ["process/wait.c"]
    assert "getpid" not in compat.evidence(tmp_path)


def test_pages_are_written_once_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compat, "MATRIX", tmp_path / "matrix")
    assert compat.main(["--check"]) == 1
    assert compat.main([]) == 0
    assert compat.main(["--check"]) == 0
    (tmp_path / "matrix" / "process.md").write_text("old")
    assert compat.main(["--check"]) == 1
    assert "process.md" in capsys.readouterr().err
    assert compat.main(["--wrong"]) == 2
