"""A guest's own seccomp program as the host gets to see it (seccomp(2), kernel-facts.md 24).

It is stacked on the jail's filter, so the host evaluates it, with Linux's own precedence and inheritance, and it can only take
away. Two things are changed. What the sentry makes a thread do (the exec stub's calls, the calls that a stopped one is
turned into) is exempted first, each by a condition that is of no use to the guest. And no program may summon the tracer, a
listener or the host's log: without them Linux answers ENOSYS, ENOSYS and lets the call go on.
"""

from collections.abc import Sequence

from sentry.arch.x86_64 import (
    NR_CLOSE,
    NR_DUP3,
    NR_EXECVEAT,
    NR_MMAP,
    NR_MPROTECT,
    NR_PPOLL,
    NR_PRCTL,
    NR_READ,
    NR_RECVMSG,
    NR_RT_SIGTIMEDWAIT,
    STUB_CODE_END,
    STUB_CODE_START,
    STUB_LOAD_FD,
    STUB_SCRATCH,
    STUB_SCRATCH_LENGTH,
)
from sentry.platform.filter import bpf
from sentry.platform.filter.bpf import Instruction, Program

BPF_MAXINSNS = 4096
#: what strict mode answers to a forbidden call: the tracer turns this SIGSYS into SIGKILL
STRICT_TRAP = 0x7AC7
_STRICT_CALLS = (0, 1, 15, 60)  # read write rt_sigreturn exit
_AT_EMPTY_PATH, _PROT_EXEC = 0x1000, 4
_PR_SET_MM, _PR_SET_MM_MAP = 35, 14
_LD_IMM, _LD_MEM, _ST = 0x00, 0x60, 0x02
_RET_ENOSYS = bpf.RET_ERRNO | 38
_FULL_ACTION = 0xFFFF0000
_HIGH = STUB_SCRATCH >> 32
_ALLOW = Instruction(bpf.RET, bpf.RET_ALLOW)

#: a condition: offset of a word in struct seccomp_data, a jump, its operand, and whether the jump must be taken
Condition = tuple[int, int, int, bool]


def exemptions(stub_number: int, reserved: int) -> Program:
    """The prologue: allow what the sentry itself makes a thread call; ``reserved`` is the last of its descriptors."""
    at_stub = [
        (bpf.IP_HIGH, bpf.JEQ, STUB_CODE_START >> 32, True),
        (bpf.IP_LOW, bpf.JGE, STUB_CODE_START & 0xFFFFFFFF, True),
        (bpf.IP_LOW, bpf.JGE, STUB_CODE_END & 0xFFFFFFFF, False),
    ]
    cases: list[tuple[int, list[Condition]]] = [
        (NR_EXECVEAT, [_is(0, stub_number), _is(4, _AT_EMPTY_PATH)]),
        (NR_PPOLL, [_is(0, 0), _is(1, 0), *_in_scratch(3)]),
        (NR_RT_SIGTIMEDWAIT, _in_scratch(0)),
        (NR_RECVMSG, [_is(0, reserved), *_in_scratch(1)]),
        (NR_DUP3, [_is(1, reserved, bpf.JGT, wanted=False), *_in_scratch(5)]),
        (NR_CLOSE, _in_scratch(5)),
        (NR_CLOSE, at_stub),
        (NR_PRCTL, [*at_stub, _is(0, _PR_SET_MM), _is(1, _PR_SET_MM_MAP)]),
        (NR_MMAP, [*at_stub, (bpf.argument_low(2), bpf.JSET, _PROT_EXEC, False)]),
        (NR_MMAP, [*at_stub, _is(4, stub_number, bpf.JGT), _is(4, reserved, bpf.JGT, wanted=False)]),
        (NR_MPROTECT, [*at_stub, (bpf.argument_low(2), bpf.JSET, _PROT_EXEC, False)]),
        (NR_READ, [*at_stub, _is(0, STUB_LOAD_FD)]),
    ]
    body: Program = []
    for nr, conditions in cases:
        body += _case([(bpf.NR, bpf.JEQ, nr, True), *conditions])
    native = [
        Instruction(bpf.LD_ABS, bpf.ARCH),
        Instruction(bpf.JEQ, bpf.AUDIT_ARCH_X86_64, 1, 0),
        Instruction(bpf.JA, len(body)),
    ]
    return [*native, *body, Instruction(_LD_IMM, 0)]


def _is(argument: int, value: int, jump: int = bpf.JEQ, *, wanted: bool = True) -> Condition:
    return bpf.argument_low(argument), jump, value & 0xFFFFFFFF, wanted


def _in_scratch(argument: int) -> list[Condition]:
    low, start = bpf.argument_low(argument), STUB_SCRATCH & 0xFFFFFFFF
    return [
        (low + 4, bpf.JEQ, _HIGH, True),
        (low, bpf.JGE, start, True),
        (low, bpf.JGE, start + STUB_SCRATCH_LENGTH, False),
    ]


def _case(conditions: list[Condition]) -> Program:
    """Allow if every condition holds, else fall through."""
    program: Program = []
    for position, (offset, jump, value, wanted) in enumerate(conditions):
        away = 2 * (len(conditions) - position) - 1
        program.append(Instruction(bpf.LD_ABS, offset))
        program.append(Instruction(jump, value, 0, away) if wanted else Instruction(jump, value, away, 0))
    program.append(_ALLOW)
    return program


def stacked(program: Sequence[Instruction], stub_number: int, reserved: int) -> Program:
    """Return what the host gets for the guest's ``program``; the host's own checker judges it (EINVAL)."""
    body = [Instruction(item.code, _harmless(item.k)) if item.code == bpf.RET else item for item in program]
    returns = [position for position, item in enumerate(body) if item.code == bpf.RET_A]
    for position in returns:
        body[position] = Instruction(bpf.JA, len(body) - position - 1)
    return exemptions(stub_number, reserved) + body + (_computed_return() if returns else [])


def _harmless(verdict: int) -> int:
    action = verdict & _FULL_ACTION
    if action in (bpf.RET_TRACE, bpf.RET_USER_NOTIF):
        return _RET_ENOSYS
    return bpf.RET_ALLOW if action == bpf.RET_LOG else verdict


def _computed_return() -> Program:
    """``return A`` with the same replacements, done at run time."""
    return [
        Instruction(_ST, 0),
        Instruction(bpf.AND, _FULL_ACTION),
        Instruction(bpf.JEQ, bpf.RET_TRACE, 3, 0),
        Instruction(bpf.JEQ, bpf.RET_USER_NOTIF, 2, 0),
        Instruction(bpf.JEQ, bpf.RET_LOG, 2, 0),
        Instruction(bpf.JA, 2),
        Instruction(bpf.RET, _RET_ENOSYS),
        _ALLOW,
        Instruction(_LD_MEM, 0),
        Instruction(bpf.RET_A, 0),
    ]


def strict() -> Program:
    """SECCOMP_MODE_STRICT as a program of the guest's."""
    body: Program = [
        Instruction(bpf.LD_ABS, bpf.ARCH),
        Instruction(bpf.JEQ, bpf.AUDIT_ARCH_X86_64, 0, len(_STRICT_CALLS) + 1),
        Instruction(bpf.LD_ABS, bpf.NR),
    ]
    for position, nr in enumerate(_STRICT_CALLS):
        body.append(Instruction(bpf.JEQ, nr, len(_STRICT_CALLS) - position, 0))
    return [*body, Instruction(bpf.RET, bpf.RET_TRAP | STRICT_TRAP), _ALLOW]
