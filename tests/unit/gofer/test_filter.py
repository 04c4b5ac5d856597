from pathlib import Path

import pytest

from gofer.filter import rules
from gofer.filter.install import load


def test_the_compiled_filters_are_fresh() -> None:
    pytest.importorskip("pyseccomp", exc_type=ImportError)
    from gofer.filter.build import HERE, programs

    for name, program in programs().items():
        assert (HERE / name).read_bytes() == program, f"{name}: run python -m gofer.filter.build"


def test_every_rule_says_why() -> None:
    listed = rules.host_rules()
    assert {process for process, *_ in listed} == {"gofer"}
    assert all(call and action in {"allow", "kill"} and reason for _, call, action, _, reason in listed)
    assert listed[-1][2] == "kill"


def test_a_read_only_gofer_has_no_call_that_changes_files() -> None:
    calls = {rule.call for rule in rules.READING}
    assert not calls & {rule.call for rule in rules.WRITING} - {"openat"}
    assert not calls & {"socket", "connect", "execve", "execveat", "clone", "fork", "ptrace", "mount", "kill", "mprotect"}


def test_the_program_is_a_whole_number_of_instructions() -> None:
    for is_writable in (False, True):
        program = load(is_writable=is_writable)
        assert program
        assert len(program) % 8 == 0


def test_data_files_lie_in_the_package() -> None:
    assert len(list(Path(rules.__file__).parent.glob("*.bpf"))) == 4
