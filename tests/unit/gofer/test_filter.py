import os
from pathlib import Path

import pytest

from gofer.filter import rules
from gofer.filter.install import load
from tests.unit.gofer.bpf import AARCH64, ALLOW, I386, KILL_PROCESS, X86_64, evaluate

SAMPLES = [(), (2,), (0, 1030), (0, 4096, 3, 0x22), (0, 4096, 7, 0x22), (3, 0, os.O_RDWR), (3, 0, 0o010600), (3, 0, 0, 0, 1)]


def meaning(program: bytes, arch: int) -> list[int]:
    return [evaluate(program, arch, nr, *arguments) for nr in range(512) for arguments in SAMPLES]


def test_the_compiled_filters_are_fresh() -> None:
    """Another libseccomp may order a program otherwise; then it must mean the same."""
    pytest.importorskip("pyseccomp", exc_type=ImportError)
    from gofer.filter.build import HERE, programs

    for name, program in programs().items():
        kept = (HERE / name).read_bytes()
        arch = X86_64 if "x86_64" in name else AARCH64
        assert kept == program or meaning(kept, arch) == meaning(program, arch), f"{name}: run python -m gofer.filter.build"


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
    assert len(list(Path(rules.__file__).parent.glob("*.bpf"))) == 6


HERE = Path(rules.__file__).parent
X32 = 0x40000000
NUMBERS = {  # x86_64: the calls of the read-only filter
    "sendto": 44, "recvfrom": 45, "sendmsg": 46, "openat": 257, "openat2": 437, "statx": 332, "fstatfs": 138,
    "getdents64": 217, "readlinkat": 267, "pread64": 17, "fsync": 74, "fdatasync": 75, "inotify_init1": 294,
    "inotify_add_watch": 254, "inotify_rm_watch": 255, "fgetxattr": 193, "flistxattr": 196, "fcntl": 72, "close": 3,
    "geteuid": 107, "getegid": 108, "brk": 12, "mmap": 9, "munmap": 11, "mremap": 25, "madvise": 28, "futex": 202,
    "rt_sigreturn": 15, "write": 1, "exit_group": 231,
}  # fmt: skip


def allowed(program: bytes, arch: int = X86_64) -> set[int]:
    """Numbers that pass with some arguments that the rules allow."""
    good = {72: (0, 1030), 9: (0, 4096, 3, 0x22), 1: (2,)}
    return {nr for nr in range(1024) if evaluate(program, arch, nr, *good.get(nr, ())) == ALLOW}


def test_every_number_that_is_not_listed_kills() -> None:
    program = (HERE / "ro.x86_64.bpf").read_bytes()
    assert {rule.call for rule in rules.READING} == set(NUMBERS)
    assert allowed(program) == set(NUMBERS.values())
    assert {evaluate(program, X86_64, nr) for nr in range(1024) if nr not in NUMBERS.values()} == {KILL_PROCESS}


@pytest.mark.parametrize("kind", ["ro", "rw"])
def test_other_entry_points_kill(kind: str) -> None:
    program = (HERE / f"{kind}.x86_64.bpf").read_bytes()
    for nr in range(1024):
        assert evaluate(program, X86_64, nr | X32) == KILL_PROCESS
        assert evaluate(program, I386, nr) == KILL_PROCESS
        assert evaluate(program, AARCH64, nr) == KILL_PROCESS
    arm = (HERE / f"{kind}.aarch64.bpf").read_bytes()
    assert evaluate(arm, AARCH64, 57) == ALLOW  # close
    assert evaluate(arm, X86_64, 3) == KILL_PROCESS


def test_arguments_are_checked() -> None:
    reading, writing = ((HERE / f"{kind}.x86_64.bpf").read_bytes() for kind in ("ro", "rw"))
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        assert evaluate(reading, X86_64, 257, 3, 0, flags) == KILL_PROCESS
        assert evaluate(writing, X86_64, 257, 3, 0, flags) == ALLOW
    assert evaluate(reading, X86_64, 9, 0, 4096, 7, 0x22) == KILL_PROCESS  # executable memory
    assert evaluate(reading, X86_64, 9, 0, 4096, 1, 0x02) == KILL_PROCESS  # a file
    assert evaluate(reading, X86_64, 1, 1) == KILL_PROCESS
    assert evaluate(reading, X86_64, 44, 3, 0, 0, 0, 1) == KILL_PROCESS  # a datagram to an address
    assert evaluate(writing, X86_64, 259, 3, 0, 0o010600) == ALLOW  # mknodat: FIFO
    assert evaluate(writing, X86_64, 259, 3, 0, 0o020600) == KILL_PROCESS
