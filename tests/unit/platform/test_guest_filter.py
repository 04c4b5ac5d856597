"""The guest's own seccomp program as it is stacked on the jail's: nothing is lost, and only the sentry's own calls are exempt."""

from hypothesis import given
from hypothesis import strategies as st

from sentry.arch import x86_64 as arch
from sentry.platform.filter import bpf, guest
from sentry.platform.filter.bpf import Instruction

STUB, LAST = 1024, 1031
KILL_ALL = [Instruction(bpf.RET, bpf.RET_KILL_PROCESS)]
ENOSYS = bpf.RET_ERRNO | 38
SCRATCH = arch.STUB_SCRATCH + 64
ACTIONS = (0, 0x80000000, bpf.RET_TRAP, bpf.RET_ERRNO, bpf.RET_USER_NOTIF, bpf.RET_TRACE, bpf.RET_LOG, bpf.RET_ALLOW, 0x12340000)
verdicts = st.builds(lambda action, data: action | data, st.sampled_from(ACTIONS), st.integers(0, 0xFFFF))
ELSEWHERE = (0x400000, arch.STUB_CODE_END, arch.STUB_CODE_START - 1)
words = st.integers(0, (1 << 64) - 1)


def expected(verdict: int) -> int:
    action = verdict & 0xFFFF0000
    if action in (bpf.RET_TRACE, bpf.RET_USER_NOTIF):
        return ENOSYS
    return bpf.RET_ALLOW if action == bpf.RET_LOG else verdict


@given(verdicts, verdicts, st.integers(0, 400), st.integers(0, 400), words)
def test_verdicts_are_the_programs_own(first: int, second: int, compared: int, nr: int, argument: int) -> None:
    program = [
        Instruction(bpf.LD_ABS, bpf.NR),
        Instruction(bpf.JEQ, compared, 0, 1),
        Instruction(bpf.RET, first),
        Instruction(bpf.RET, second),
    ]
    stacked = guest.stacked(program, STUB, LAST)
    verdict = bpf.evaluate(stacked, nr, [argument] * 6)
    if argument >> 32 != arch.STUB_SCRATCH >> 32 and argument & 0xFFFFFFFF not in (0, STUB, LAST):
        assert verdict == expected(first if nr == compared else second)


@given(verdicts)
def test_a_computed_verdict_is_replaced_too(verdict: int) -> None:
    program = [Instruction(bpf.LD_ABS, bpf.argument_low(0)), Instruction(bpf.RET_A, 0)]
    assert bpf.evaluate(guest.stacked(program, STUB, LAST), 39, [verdict]) == expected(verdict)


@given(st.integers(0, 450), st.lists(words, min_size=6, max_size=6), st.sampled_from(ELSEWHERE))
def test_elsewhere_nothing_is_exempt_but_the_sentrys_own(nr: int, arguments: list[int], ip: int) -> None:
    if bpf.evaluate(guest.stacked(KILL_ALL, STUB, LAST), nr, arguments, instruction_pointer=ip) == bpf.RET_ALLOW:
        assert nr in (arch.NR_EXECVEAT, arch.NR_PPOLL, arch.NR_RT_SIGTIMEDWAIT, arch.NR_RECVMSG, arch.NR_DUP3, arch.NR_CLOSE)


def allowed(nr: int, *arguments: int, ip: int = 0x400000, machine: int = bpf.AUDIT_ARCH_X86_64) -> bool:
    stacked = guest.stacked(KILL_ALL, STUB, LAST)
    return bpf.evaluate(stacked, nr, arguments, arch=machine, instruction_pointer=ip) == bpf.RET_ALLOW


def test_what_the_sentry_makes_a_thread_do_is_exempt() -> None:
    stub = arch.STUB_CODE_START + 100
    assert allowed(arch.NR_EXECVEAT, STUB, SCRATCH, SCRATCH, SCRATCH, 0x1000)
    assert not allowed(arch.NR_EXECVEAT, STUB, SCRATCH, SCRATCH, SCRATCH, 0)
    assert not allowed(arch.NR_EXECVEAT, 3, SCRATCH, SCRATCH, SCRATCH, 0x1000)
    assert allowed(arch.NR_PPOLL, 0, 0, 0, SCRATCH, 8)
    assert not allowed(arch.NR_PPOLL, 0, 0, 0, 0x1234, 8)
    assert allowed(arch.NR_READ, arch.STUB_LOAD_FD, ip=stub)
    assert not allowed(arch.NR_READ, arch.STUB_LOAD_FD)
    assert not allowed(arch.NR_READ, 0, ip=stub)
    assert allowed(arch.NR_MMAP, 0, 4096, 3, 0x32, (1 << 64) - 1, ip=stub)
    assert not allowed(arch.NR_MMAP, 0, 4096, 7, 0x32, (1 << 64) - 1, ip=stub)
    assert allowed(arch.NR_MMAP, 0, 4096, 5, 0x12, STUB + 1, ip=stub)
    assert not allowed(arch.NR_MMAP, 0, 4096, 5, 0x12, STUB, ip=stub)
    assert not allowed(arch.NR_MPROTECT, 0, 4096, 7, ip=stub)
    assert not allowed(39, ip=stub)
    assert not allowed(arch.NR_EXECVEAT, STUB, 0, 0, 0, 0x1000, machine=0x40000003)


def test_strict_mode() -> None:
    strict = guest.strict()
    for nr in range(335):
        assert (bpf.evaluate(strict, nr) == bpf.RET_ALLOW) is (nr in (0, 1, 15, 60))
    assert bpf.evaluate(strict, 0, arch=0x40000003) == bpf.RET_TRAP | guest.STRICT_TRAP
