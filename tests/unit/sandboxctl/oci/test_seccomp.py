"""A profile's verdicts are those of the program that libseccomp makes of it."""

import tempfile

import pyseccomp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxctl.errors import SandboxError
from sandboxctl.oci import seccomp
from sentry.platform.filter import bpf
from syscalls.abi.nr_x86_64 import NUMBERS

NAMES = ["read", "clone", "personality", "socket", "mount", "faccessat2"]
EDGES = [0, 1, 0x7E020000, 0xFFFFFFFF, 1 << 32, (1 << 32) + 5, (1 << 64) - 1]
words = st.sampled_from(EDGES) | st.integers(0, (1 << 64) - 1)
ACTIONS = [("SCMP_ACT_ALLOW", None), ("SCMP_ACT_ERRNO", 13), ("SCMP_ACT_KILL_PROCESS", None), ("SCMP_ACT_TRAP", None)]
COMPARISONS = {
    "SCMP_CMP_NE": pyseccomp.NE, "SCMP_CMP_LT": pyseccomp.LT, "SCMP_CMP_LE": pyseccomp.LE, "SCMP_CMP_EQ": pyseccomp.EQ,
    "SCMP_CMP_GE": pyseccomp.GE, "SCMP_CMP_GT": pyseccomp.GT,
}  # fmt: skip


THEIRS = {"SCMP_ACT_ALLOW": pyseccomp.ALLOW, "SCMP_ACT_KILL_PROCESS": pyseccomp.KILL_PROCESS, "SCMP_ACT_TRAP": pyseccomp.TRAP}


def theirs(action):
    name, errno = action
    if name == "SCMP_ACT_ERRNO":
        return pyseccomp.ERRNO(errno)
    return THEIRS[name]


def spelled(action):
    name, errno = action
    return {"action": name} if errno is None else {"action": name, "errnoRet": errno}


@st.composite
def arguments(draw):
    made = []
    for index in draw(st.lists(st.integers(0, 5), max_size=3, unique=True)):
        operator = draw(st.sampled_from([*COMPARISONS, "SCMP_CMP_MASKED_EQ"]))
        value, second = draw(words), draw(words)
        if operator == "SCMP_CMP_MASKED_EQ":
            second &= value
        made.append({"index": index, "value": value, "valueTwo": second, "op": operator})
    return made


def argument(one):
    if one["op"] == "SCMP_CMP_MASKED_EQ":
        return pyseccomp.Arg(one["index"], pyseccomp.MASKED_EQ, one["value"], one["valueTwo"])
    return pyseccomp.Arg(one["index"], COMPARISONS[one["op"]], one["value"])


def near(draw, rules):
    """Argument values at the edges of what the rules compare."""
    found = [[value, value - 1, value + 1] for rule in rules for one in rule["args"] for value in (one["value"], one["valueTwo"])]
    choices = st.sampled_from([value & (1 << 64) - 1 for values in found for value in values] or [0]) | words
    return draw(st.lists(choices, min_size=6, max_size=6))


@given(st.data())
def test_verdicts_are_those_of_libseccomp(data):
    """One rule for a call: what overlapping ones mean libseccomp's manual leaves open."""
    default, *others = data.draw(st.permutations(ACTIONS))
    chosen = data.draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=True))
    rules = [{"names": [name], "args": data.draw(arguments()), **spelled(data.draw(st.sampled_from(others)))} for name in chosen]
    profile = {"defaultAction": default[0], "syscalls": rules}
    if default[1] is not None:
        profile["defaultErrnoRet"] = default[1]
    program = pyseccomp.SyscallFilter(theirs(default))
    for rule in rules:
        program.add_rule(theirs((rule["action"], rule.get("errnoRet"))), rule["names"][0], *map(argument, rule["args"]))
    with tempfile.TemporaryFile() as file:
        program.export_bpf(file)
        file.seek(0)
        expected = bpf.unpack(file.read())
    ours = bpf.unpack(seccomp.program_of(profile))
    last = max((NUMBERS[name] for name in chosen), default=-1)
    for nr in {*(NUMBERS[name] for name in NAMES), 0, last + 1, 500}:
        values = near(data.draw, rules)
        verdict = bpf.evaluate(ours, nr, values)
        if nr > last and default[0] != "SCMP_ACT_ALLOW":
            assert verdict == bpf.RET_ERRNO | 38
        else:
            assert verdict == bpf.evaluate(expected, nr, values)


def test_other_machines_calls_kill():
    program = bpf.unpack(seccomp.program_of({"defaultAction": "SCMP_ACT_ALLOW"}))
    assert bpf.evaluate(program, 0, arch=0x40000003) == bpf.RET_KILL_THREAD
    assert bpf.evaluate(program, 0) == bpf.RET_ALLOW


def verdict(rules, nr, *values, default="SCMP_ACT_ERRNO"):
    program = seccomp.program_of({"defaultAction": default, "syscalls": rules})
    return bpf.evaluate(bpf.unpack(program), NUMBERS[nr], values)


def test_a_rule_without_arguments_outranks_the_others():
    conditional = {"names": ["mount"], "action": "SCMP_ACT_TRAP", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 1}]}
    always = {"names": ["mount"], "action": "SCMP_ACT_ALLOW"}
    for rules in ([conditional, always], [always, conditional]):
        assert verdict(rules, "mount", 1) == bpf.RET_ALLOW


def test_two_conditions_on_one_argument_are_alternatives():
    args = [{"index": 0, "op": "SCMP_CMP_EQ", "value": value} for value in (0, 8)]
    rules = [{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": args}]
    assert [verdict(rules, "personality", value) for value in (0, 4, 8)] == [bpf.RET_ALLOW, bpf.RET_ERRNO | 1, bpf.RET_ALLOW]


def test_unknown_calls_are_passed_over_and_newer_ones_are_not_there():
    rules = [{"names": ["read", "from_the_future"], "action": "SCMP_ACT_ALLOW"}]
    assert verdict(rules, "read") == bpf.RET_ALLOW
    assert verdict(rules, "write") == bpf.RET_ERRNO | 38
    assert verdict([{"names": ["write"], "action": "SCMP_ACT_ALLOW"}], "read") == bpf.RET_ERRNO | 1


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ({}, "action None is not known"),
        ({"defaultAction": "SCMP_ACT_NOTIFY"}, "SCMP_ACT_NOTIFY is not supported"),
        ({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}, "errnoRet says nothing"),
        ({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000}, "0 to 4095"),
        ({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}, "is not supported"),
        ({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_TRAP"}]}, "without names"),
    ],
)
def test_what_is_no_profile_is_refused(profile, text):
    with pytest.raises(SandboxError, match=text):
        seccomp.program_of(profile)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        ({"index": 6, "op": "SCMP_CMP_EQ"}, "0 to 5"),
        ({"index": 0, "op": "=="}, "is not known"),
        ({"index": 0, "op": "SCMP_CMP_EQ", "value": -1}, "64 bits"),
    ],
)
def test_what_is_no_condition_is_refused(one, text):
    with pytest.raises(SandboxError, match=text):
        verdict([{"names": ["read"], "action": "SCMP_ACT_TRAP", "args": [one]}], "read")


def test_a_profile_of_too_many_conditions_is_refused():
    rules = [
        {"names": [name], "action": "SCMP_ACT_TRAP", "args": [{"index": i, "op": "SCMP_CMP_EQ", "value": nr} for i in range(6)]}
        for name, nr in NUMBERS.items()
    ]
    with pytest.raises(SandboxError, match="3900 are the limit"):
        verdict(rules, "read")
