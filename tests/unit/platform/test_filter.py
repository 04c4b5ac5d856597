"""The installed filters, evaluated instruction by instruction: default deny, and nothing that host-surface does not list."""

import os
from struct import unpack_from

import pytest

from sentry.arch import x86_64
from sentry.platform._core.core import stub_path
from sentry.platform.filter import bpf, build, sentry, surface
from sentry.platform.filter.compose import cached, guest_filter, variant
from sentry.platform.filter.table import RULES, rules_in_force
from sentry.platform.interface import JailConfig
from syscalls.abi.nr_x86_64 import NAMES, NUMBERS

FIRST, LAST = 1025, 1031
IN_STUB = x86_64.STUB_CODE_START + 0x200
VARIANTS = build.variants()
ARGUMENTS = [
    (0,) * 6,
    (1,) * 6,
    (0, 0, 0, 0, 0, 1 << 40),
    (2**64 - 1,) * 6,
    (0, 4096, 3, 0x22, 0xFFFFFFFF, 0),
    (17, 0, 0, 0, 0, 0),
    (0x10000011, 0, 0, 0, 0, 0),
    (0, 0x86, 0, 0, 0, 0),
    (0, 0, 12, 0, 0, 0),
]


@pytest.mark.parametrize(("profile", "layers"), VARIANTS)
def test_the_cache_is_fresh(profile, layers):
    assert bpf.pack(cached(profile, layers)) == build.compose(profile, layers), "run python -m sentry.platform.filter.build"


@pytest.mark.parametrize(("profile", "layers"), VARIANTS)
def test_only_listed_calls_leave_the_sentry(profile, layers):
    program = guest_filter(profile, layers, FIRST, LAST)
    listed = {}
    for rule in rules_in_force(profile, layers):
        listed.setdefault(NUMBERS[rule.call], []).append(rule)
    for nr in range(1024):
        for arguments in ARGUMENTS:
            actual = bpf.evaluate(program, nr, arguments)
            holding = [rule for rule in listed.get(nr, ()) if rule.holds(arguments)]
            if not holding:
                expected = bpf.RET_USER_NOTIF
            elif holding[0].action == "trace":
                expected = bpf.RET_TRACE | holding[0].traced_data
            else:
                expected = bpf.RET_ALLOW
            assert actual == expected, (NAMES.get(nr, nr), arguments, hex(actual))


@pytest.mark.parametrize(("profile", "layers"), VARIANTS)
def test_foreign_entry_points_do_not_exist(profile, layers):
    program = guest_filter(profile, layers, FIRST, LAST)
    for nr in range(1024):
        assert bpf.evaluate(program, 0x40000000 | nr) == bpf.RET_ERRNO | 38
        for arch in (0x40000003, 0xC00000B7, 0x80000015):
            assert bpf.evaluate(program, nr, arch=arch) == bpf.RET_ERRNO | 38
    assert bpf.evaluate(program, 0xFFFFFFFF) == bpf.RET_ERRNO | 38


def test_the_stubs_exemption_is_narrow():
    program = guest_filter("strict", (), FIRST, LAST)

    def allowed(nr, *arguments, at=IN_STUB):
        return bpf.evaluate(program, nr, arguments, instruction_pointer=at) == bpf.RET_ALLOW

    private_fixed, shared, validate = 0x12, 0x11, 0x13
    assert allowed(9, 0, 4096, 5, private_fixed, FIRST)
    assert allowed(9, 0, 4096, 5, private_fixed, LAST)
    assert not allowed(9, 0, 4096, 5, shared, FIRST)
    assert not allowed(9, 0, 4096, 5, validate, FIRST)
    assert not allowed(9, 0, 4096, 5, private_fixed, FIRST - 1)
    assert not allowed(9, 0, 4096, 5, private_fixed, LAST + 1)
    assert not allowed(9, 0, 4096, 5, private_fixed, FIRST, at=x86_64.STUB_CODE_START - 1)
    assert not allowed(9, 0, 4096, 5, private_fixed, FIRST, at=x86_64.STUB_CODE_END)
    assert allowed(3, FIRST)
    assert not allowed(3, FIRST - 1)
    assert not allowed(3, 3)
    assert allowed(157, 35, 14)
    assert not allowed(157, 35, 13)
    assert not allowed(157, 38, 14)
    for nr in range(1024):
        if nr not in (3, 9, 157):
            assert bpf.evaluate(program, nr, instruction_pointer=IN_STUB) == bpf.evaluate(program, nr)


def test_the_sentrys_filter_allows_what_it_lists_and_kills_programs():
    program = sentry.program(has_overlay_on_disk=False)
    listed = {call.name: call for call in sentry.CALLS}
    for nr in range(1024):
        action = bpf.evaluate(program, nr, (0,) * 6)
        name = NAMES.get(nr, "")
        if name in sentry.KILLED:
            assert action == bpf.RET_KILL_PROCESS
        elif name in listed and (listed[name].masked is None or any(value == 0 for _, value in listed[name].masked[1])):
            assert action == bpf.RET_ALLOW
        else:
            assert action == bpf.RET_ERRNO | 1
    assert bpf.evaluate(program, 39, arch=0x40000003) == bpf.RET_KILL_PROCESS
    assert bpf.evaluate(program, 0x40000000) == bpf.RET_KILL_PROCESS
    assert bpf.evaluate(program, 9, (0, 4096, 7, 0x22)) == bpf.RET_ERRNO | 1
    assert bpf.evaluate(program, 16, (3, 0xC0502100)) == bpf.RET_ALLOW
    assert bpf.evaluate(program, 16, (3, 0x5413)) == bpf.RET_ALLOW
    assert bpf.evaluate(program, 16, (3, 0x5412)) == bpf.RET_ERRNO | 1
    assert len(program) < 4096


@pytest.mark.parametrize(
    ("flags", "in_memory", "on_disk"),
    [
        (os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, True, True),
        (os.O_RDONLY | os.O_DIRECTORY, True, True),
        (os.O_PATH, True, True),
        (os.O_WRONLY, False, False),
        (os.O_RDWR, False, False),
        (3, False, False),
        (os.O_RDONLY | os.O_TRUNC, False, False),
        (os.O_RDONLY | os.O_CREAT, False, False),
        (os.O_RDWR | os.O_CREAT | os.O_TRUNC, False, False),
        (os.O_RDWR | os.O_CREAT | os.O_EXCL, False, True),
        (os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, False, True),
    ],
)
def test_the_sentry_opens_nothing_that_is_there_for_writing(flags, in_memory, on_disk):
    for has_overlay_on_disk, is_allowed in ((False, in_memory), (True, on_disk)):
        program = sentry.program(has_overlay_on_disk=has_overlay_on_disk)
        action = bpf.evaluate(program, NUMBERS["openat"], (3, 4096, flags, 0o600))
        assert action == (bpf.RET_ALLOW if is_allowed else bpf.RET_ERRNO | 1)
        removed = bpf.evaluate(program, NUMBERS["unlinkat"], (3, 4096, 0))
        assert removed == (bpf.RET_ALLOW if has_overlay_on_disk else bpf.RET_ERRNO | 1)


def test_the_surface_names_every_rule_with_a_reason():
    for profile in ("default", "strict"):
        rows = surface.host_rules(profile)
        assert {row.call for row in rows if row.process == "guest"} >= {rule.call for rule in RULES}
        assert all(row.reason and row.action in {"allow", "notify", "trace", "continue", "errno", "kill"} for row in rows)
    strict = {row.call: row.action for row in surface.host_rules("strict") if row.process == "guest"}
    assert strict["futex"] == "continue"


def test_the_stub_lies_where_the_filter_expects_it():
    image = stub_path().read_bytes()
    entry, phoff = unpack_from("<QQ", image, 24)
    (count,) = unpack_from("<H", image, 56)
    headers = [unpack_from("<IIQQQQQQ", image, phoff + 56 * index) for index in range(count)]
    loads = [header for header in headers if header[0] == 1]
    assert x86_64.STUB_CODE_START <= entry < x86_64.STUB_CODE_END
    code, data = loads
    assert code[1] == 5
    assert code[3] >= x86_64.STUB_CODE_START
    assert code[3] + code[6] <= x86_64.STUB_CODE_END
    assert data[1] == 6
    assert data[3] == x86_64.STUB_SCRATCH
    assert data[3] + data[6] <= x86_64.STUB_END
    assert data[6] >= x86_64.STUB_SCRATCH_LENGTH
    assert all(header[1] & 3 != 3 for header in headers)


def test_variant_names():
    assert variant("default", {"userns", "pidns", "landlock"}) == "default-pidns-userns"
    assert JailConfig(b"x").nofile + 1 == FIRST
