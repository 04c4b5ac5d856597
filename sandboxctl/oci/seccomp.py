"""``linux.seccomp`` of config.json as a program for seccomp(2), which the sentry stacks on the first program (ADR 19).

Meaning as libseccomp 2.5 and runc give it: a rule without arguments outranks the others of its call, the first of several that
hold wins, an unknown call is passed over, and a call that is newer than every call of a profile that allows by list is ENOSYS.
"""

from collections.abc import Mapping, Sequence
from errno import ENOSYS, EPERM
from typing import Any, NamedTuple

from sandboxctl.errors import SandboxError
from sentry.platform.filter import bpf
from sentry.platform.filter.bpf import Instruction, Program
from syscalls.abi.nr_x86_64 import NUMBERS

Object = Mapping[str, Any]

#: with what the sentry puts before it, no more fit where the guest's thread keeps the program (BPF_MAXINSNS is 4096)
INSTRUCTIONS_MAX = 3900
#: the guest's first program has one thread, so TSYNC says nothing; the others tell the host of logs and of speculation
FLAGS = ("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW")
ACTIONS = {
    "SCMP_ACT_KILL": bpf.RET_KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": bpf.RET_KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": bpf.RET_KILL_PROCESS,
    "SCMP_ACT_TRAP": bpf.RET_TRAP,
    "SCMP_ACT_ERRNO": bpf.RET_ERRNO,
    "SCMP_ACT_TRACE": bpf.RET_TRACE,
    "SCMP_ACT_LOG": bpf.RET_LOG,
    "SCMP_ACT_ALLOW": bpf.RET_ALLOW,
}
OPERATORS = (
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
)  # fmt: skip
_WITH_ERRNO = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
_PERMISSIVE = (bpf.RET_ALLOW, bpf.RET_LOG, bpf.RET_TRACE)
_FULL_ACTION, _ERRNO_MAX, _WORD, _JUMP_MAX = 0xFFFF0000, 4095, 0xFFFFFFFF, 255
#: where a jump of a condition goes: on to what follows the condition, or behind the rule
_HOLDS, _FAILS = -1, -2


class Condition(NamedTuple):
    """One comparison of an argument (seccomp_rule_add(3)); with MASKED_EQ ``value`` is the mask and ``second`` the value."""

    argument: int
    operator: str
    value: int
    second: int


#: what becomes of one call: the conditional rules in their order, and the verdict if none holds
Fate = tuple[tuple[tuple[tuple[Condition, ...], int], ...], int]


def program_of(seccomp: Object) -> bytes:
    """struct sock_filter[] for a profile. Raises SandboxError for what is no profile, and for what cannot be honoured."""
    default = _verdict(seccomp.get("defaultAction"), seccomp.get("defaultErrnoRet"))
    for flag in seccomp.get("flags") or ():
        if flag not in FLAGS:
            raise SandboxError(f"linux.seccomp.flags: {flag!r} is not supported; there are: {', '.join(FLAGS)}")
    fates, last = _fates(seccomp.get("syscalls") or (), default)
    segments: list[tuple[int, Fate]] = [(0, ((), default))]
    for nr in sorted(fates):
        _append(segments, nr, fates[nr])
        _append(segments, nr + 1, ((), default))
    if default & _FULL_ACTION not in _PERMISSIVE:
        _append(segments, last + 1, ((), bpf.RET_ERRNO | ENOSYS))
    body = _search(segments)
    program = [
        Instruction(bpf.LD_ABS, bpf.ARCH),
        Instruction(bpf.JEQ, bpf.AUDIT_ARCH_X86_64, 1, 0),
        Instruction(bpf.RET, bpf.RET_KILL_THREAD),
        Instruction(bpf.LD_ABS, bpf.NR),
        *body,
    ]
    if len(program) > INSTRUCTIONS_MAX:
        raise SandboxError(f"linux.seccomp: the profile needs {len(program)} instructions; {INSTRUCTIONS_MAX} are the limit")
    return bpf.pack(program)


def _verdict(action: object, errno: object) -> int:
    if action == "SCMP_ACT_NOTIFY":
        raise SandboxError("linux.seccomp: SCMP_ACT_NOTIFY is not supported: no process of the host answers calls of a guest")
    if not isinstance(action, str) or action not in ACTIONS:
        raise SandboxError(f"linux.seccomp: action {action!r} is not known; there are: {', '.join(ACTIONS)}")
    if action not in _WITH_ERRNO:
        if errno is not None:
            raise SandboxError(f"linux.seccomp: errnoRet says nothing with {action}; leave it out")
        return ACTIONS[action]
    if errno is None:
        errno = EPERM
    if not isinstance(errno, int) or not 0 <= errno <= _ERRNO_MAX:
        raise SandboxError(f"linux.seccomp: errnoRet {errno!r} is not a number from 0 to {_ERRNO_MAX}")
    return ACTIONS[action] | errno


def _fates(rules: Sequence[Object], default: int) -> tuple[dict[int, Fate], int]:
    """What becomes of each call that has rules, and the highest number that any rule names."""
    always: dict[int, int] = {}
    sometimes: dict[int, list[tuple[tuple[Condition, ...], int]]] = {}
    last = -1
    for rule in rules:
        verdict = _verdict(rule.get("action"), rule.get("errnoRet"))
        alternatives = _alternatives(rule.get("args") or ())
        names = rule.get("names") or ()
        if not names:
            raise SandboxError("linux.seccomp.syscalls: a rule without names")
        for nr in (NUMBERS[name] for name in names if name in NUMBERS):
            last = max(last, nr)
            if verdict == default:
                continue
            if not alternatives:
                always.setdefault(nr, verdict)
            for one in alternatives:
                sometimes.setdefault(nr, []).append((one, verdict))
    fates: dict[int, Fate] = {nr: (tuple(found), default) for nr, found in sometimes.items()}
    fates.update({nr: ((), verdict) for nr, verdict in always.items()})
    return fates, last


def _alternatives(arguments: Sequence[Object]) -> list[tuple[Condition, ...]]:
    """All conditions of a rule must hold; but if two are of the same argument, any of them is enough, as runc has it."""
    found = [_condition(one) for one in arguments]
    if len({one.argument for one in found}) < len(found):
        return [(one,) for one in found]
    return [tuple(found)] if found else []


def _condition(one: Object) -> Condition:
    index, operator = one.get("index"), one.get("op")
    if not isinstance(index, int) or not 0 <= index <= 5:
        raise SandboxError(f"linux.seccomp.syscalls.args: index {index!r} is not a number from 0 to 5")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise SandboxError(f"linux.seccomp.syscalls.args: op {operator!r} is not known; there are: {', '.join(OPERATORS)}")
    values = one.get("value") or 0, one.get("valueTwo") or 0
    for value in values:
        if not isinstance(value, int) or not 0 <= value < 1 << 64:
            raise SandboxError(f"linux.seccomp.syscalls.args: {value!r} is not a number of 64 bits")
    return Condition(index, operator, *values)


def _append(segments: list[tuple[int, Fate]], start: int, fate: Fate) -> None:
    """From the number ``start`` on ``fate`` is in force; neighbours with the same one become one."""
    if segments[-1][0] == start:
        segments.pop()
    if not segments or segments[-1][1] != fate:
        segments.append((start, fate))


def _search(segments: Sequence[tuple[int, Fate]]) -> Program:
    """A binary search of the number, which the accumulator holds; every leaf returns."""
    if len(segments) == 1:
        return _leaf(segments[0][1])
    middle = len(segments) // 2
    below, above = _search(segments[:middle]), _search(segments[middle:])
    start = segments[middle][0]
    if len(below) <= _JUMP_MAX:
        return [Instruction(bpf.JGE, start, len(below), 0), *below, *above]
    return [Instruction(bpf.JGE, start, 0, 1), Instruction(bpf.JA, len(below)), *below, *above]


def _leaf(fate: Fate) -> Program:
    rules, otherwise = fate
    made: Program = []
    for conditions, verdict in rules:
        made += _rule(conditions, verdict)
    return [*made, Instruction(bpf.RET, otherwise)]


def _rule(conditions: Sequence[Condition], verdict: int) -> Program:
    """Return ``verdict`` if all conditions hold, else go on behind it."""
    parts = [_compared(one) for one in conditions]
    length = sum(len(part) for part in parts) + 1
    made: Program = []
    for part in parts:
        end = len(made) + len(part)
        for item in part:
            away = {_HOLDS: end - len(made) - 1, _FAILS: length - len(made) - 1}
            made.append(item._replace(jt=away.get(item.jt, item.jt), jf=away.get(item.jf, item.jf)))
    return [*made, Instruction(bpf.RET, verdict)]


def _compared(one: Condition) -> Program:
    """A comparison of 64 bits by its halves; the last instruction falls through, or jumps behind the rule."""
    low = Instruction(bpf.LD_ABS, bpf.argument_low(one.argument))
    high = Instruction(bpf.LD_ABS, bpf.argument_low(one.argument) + 4)
    value_high, value_low = one.value >> 32, one.value & _WORD
    if one.operator == "SCMP_CMP_MASKED_EQ":
        return [
            high,
            Instruction(bpf.AND, value_high),
            Instruction(bpf.JEQ, one.second >> 32, 0, _FAILS),
            low,
            Instruction(bpf.AND, value_low),
            Instruction(bpf.JEQ, one.second & _WORD, 0, _FAILS),
        ]
    if one.operator == "SCMP_CMP_EQ":
        return [
            high,
            Instruction(bpf.JEQ, value_high, 0, _FAILS),
            low,
            Instruction(bpf.JEQ, value_low, 0, _FAILS),
        ]
    if one.operator == "SCMP_CMP_NE":
        return [high, Instruction(bpf.JEQ, value_high, 0, _HOLDS), low, Instruction(bpf.JEQ, value_low, _FAILS, 0)]
    is_upward = one.operator in ("SCMP_CMP_GT", "SCMP_CMP_GE")
    above, below = (_HOLDS, _FAILS) if is_upward else (_FAILS, _HOLDS)
    last = bpf.JGT if one.operator in ("SCMP_CMP_GT", "SCMP_CMP_LE") else bpf.JGE
    return [
        high,
        Instruction(bpf.JGT, value_high, above, 0),
        Instruction(bpf.JEQ, value_high, 0, below),
        low,
        Instruction(last, value_low, 0, _FAILS) if is_upward else Instruction(last, value_low, _FAILS, 0),
    ]
