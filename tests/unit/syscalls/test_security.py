"""Credentials: who may become whom, and what that does to capabilities (credentials(7), capabilities(7))."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.kernel import cred_change
from sentry.kernel.creds import Credentials
from syscalls.abi.capability import (
    ALL_CAPABILITIES,
    CAP_CHOWN,
    CAP_DATA_2,
    CAP_HEADER,
    CAP_KILL,
    CAP_SETPCAP,
    CAP_SETUID,
    LINUX_CAPABILITY_VERSION_3,
)
from syscalls.abi.errno import EACCES, EBUSY, EFAULT, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from tests.unit.syscalls.process_world import BUFFER, World, user

KEEP = 0xFFFFFFFF
ID = st.sampled_from([0, 1, 2, KEEP])
REAL_ID = st.sampled_from([0, 1, 2])


def ids(world: World) -> tuple[int, int, int, int]:
    creds = world.init.task.credentials
    return creds.uid, creds.euid, creds.suid, creds.fsuid


def attempt(change: Any, *arguments: int) -> Credentials | None:
    try:
        return change(*arguments)
    except SyscallError as error:
        assert error.errno == EPERM
        return None


def test_root_becomes_a_user_for_good(world: World) -> None:
    call = world.init.call
    assert call("setuid", 1000) == 0
    assert ids(world) == (1000, 1000, 1000, 1000)
    assert world.init.task.credentials.permitted == 0
    assert call("setuid", 0) == -EPERM
    assert (call("getuid"), call("geteuid")) == (1000, 1000)


def test_a_set_user_id_program_goes_back_and_forth(world: World) -> None:
    call = world.init.call
    assert call("setresuid", 1000, 1000, 0) == 0
    assert world.init.task.credentials.effective == 0
    assert world.init.task.credentials.permitted == ALL_CAPABILITIES
    assert call("setuid", 0) == 0
    assert ids(world) == (1000, 0, 0, 0)
    assert world.init.task.credentials.effective == ALL_CAPABILITIES


def test_setuid_of_minus_one(world: World) -> None:
    assert world.init.call("setuid", -1) == -EINVAL
    assert world.init.call("setgid", -1) == -EINVAL
    assert world.init.call("setresuid", -1, -1, -1) == 0
    assert ids(world) == (0, 0, 0, 0)


@given(REAL_ID, REAL_ID, REAL_ID, ID, ID)
def test_setreuid_without_privilege(real: int, effective: int, saved: int, new_real: int, new_effective: int) -> None:
    creds = Credentials(real, effective, saved, effective, 0, 0, 0, 0)
    result = attempt(cred_change.set_reuid, creds, new_real, new_effective)
    allowed = new_real in (KEEP, real, effective) and new_effective in (KEEP, real, effective, saved)
    assert (result is not None) == allowed
    if result is not None:
        assert result.uid == (real if new_real == KEEP else new_real)
        assert result.euid == result.fsuid == (effective if new_effective == KEEP else new_effective)
        follows = new_real != KEEP or new_effective not in (KEEP, real)
        assert result.suid == (result.euid if follows else saved)


@given(REAL_ID, REAL_ID, REAL_ID, st.tuples(ID, ID, ID))
def test_setresgid_without_privilege(real: int, effective: int, saved: int, new: tuple[int, int, int]) -> None:
    creds = Credentials(0, 0, 0, 0, real, effective, saved, effective)
    result = attempt(cred_change.set_resgid, creds, *new)
    assert (result is not None) == all(number in (KEEP, real, effective, saved) for number in new)
    if result is not None:
        before = (real, effective, saved)
        expected = tuple(old if number == KEEP else number for old, number in zip(before, new, strict=True))
        assert (result.gid, result.egid, result.sgid) == expected
        assert result.fsgid == result.egid


def test_fsuid_never_fails(world: World) -> None:
    process = world.init.fork().become(1000)
    assert process.call("setfsuid", 0) == 1000
    assert process.call("setfsuid", -1) == 1000
    assert world.init.call("setfsuid", 1000) == 0
    assert not world.init.task.credentials.has(CAP_CHOWN)
    assert world.init.task.credentials.has(CAP_KILL)
    assert world.init.call("setfsuid", 0) == 1000
    assert world.init.task.credentials.has(CAP_CHOWN)


def test_groups(world: World) -> None:
    process = world.init
    assert process.call("setgroups", 3, process.poke(b"".join(gid.to_bytes(4, "little") for gid in (30, 10, 20)))) == 0
    assert process.call("getgroups", 0, 0) == 3
    assert process.call("getgroups", 2, BUFFER) == -EINVAL
    assert process.call("getgroups", -1, BUFFER) == -EINVAL
    assert process.call("getgroups", 3, BUFFER + 64) == 3
    assert [process.number(64 + at) for at in (0, 4, 8)] == [10, 20, 30]
    assert process.call("setgroups", 65537, BUFFER) == -EINVAL
    assert process.call("setgroups", 1, 8) == -EFAULT
    process.become(1000)
    assert process.call("setgroups", 0, 0) == -EPERM


def test_ids_are_stored(world: World) -> None:
    process = world.init
    process.call("setresuid", 1, 2, 3)
    assert process.call("getresuid", BUFFER, BUFFER + 4, BUFFER + 8) == 0
    assert [process.number(at) for at in (0, 4, 8)] == [1, 2, 3]
    assert process.call("getresgid", BUFFER, BUFFER + 4, 8) == -EFAULT


def header(world: World, version: int = LINUX_CAPABILITY_VERSION_3, pid: int = 0) -> int:
    return world.init.poke(CAP_HEADER.pack(version, pid), 512)


def test_capget(world: World) -> None:
    process = world.init
    assert process.call("capget", header(world), BUFFER) == 0
    low, high = ALL_CAPABILITIES & 0xFFFFFFFF, ALL_CAPABILITIES >> 32
    assert CAP_DATA_2.unpack(process.peek(24)) == (low, low, 0, high, high, 0)
    assert process.call("capget", header(world, 1), 0) == 0
    assert CAP_HEADER.unpack(process.peek(8, 512))[0] == LINUX_CAPABILITY_VERSION_3
    assert process.call("capget", header(world, 1), BUFFER) == -EINVAL
    assert process.call("capget", header(world, pid=-1), BUFFER) == -EINVAL
    assert process.call("capget", header(world, pid=4711), BUFFER) == -ESRCH


def test_capset_only_takes_away(world: World) -> None:
    process = world.init
    one = 1 << CAP_KILL
    assert process.call("capset", header(world), process.poke(CAP_DATA_2.pack(one, one, 0, 0, 0, 0))) == 0
    assert process.task.credentials.effective == one
    more = one | 1 << CAP_SETUID
    assert process.call("capset", header(world), process.poke(CAP_DATA_2.pack(one, more, 0, 0, 0, 0))) == -EPERM
    assert process.call("capset", header(world), process.poke(CAP_DATA_2.pack(more, one, 0, 0, 0, 0))) == -EPERM
    assert process.call("capset", header(world, pid=4711), BUFFER) == -EPERM
    assert process.call("capset", header(world, 5), BUFFER) == -EINVAL


def test_inheritable_is_bounded() -> None:
    creds = user(0)
    bounded = Credentials(0, 0, 0, 0, 0, 0, 0, 0, permitted=ALL_CAPABILITIES, effective=1 << CAP_SETPCAP, bounding=1 << CAP_KILL)
    assert cred_change.set_capabilities(creds, 0, 0, 1 << CAP_KILL).inheritable == 1 << CAP_KILL
    with pytest.raises(SyscallError):
        cred_change.set_capabilities(bounded, 0, 0, 1 << CAP_CHOWN)


def test_exec_of_a_user_loses_all_but_ambient() -> None:
    kill = 1 << CAP_KILL
    creds = Credentials(1, 1, 1, 1, 1, 1, 1, 1, permitted=kill | 1, effective=1, inheritable=kill, bounding=3, ambient=kill)
    after = cred_change.after_exec(creds)
    assert (after.permitted, after.effective, after.ambient, after.inheritable) == (kill, kill, kill, kill)


def test_exec_of_root_regains_the_bounding_set() -> None:
    creds = Credentials(0, 0, 5, 0, 0, 0, 0, 0, bounding=6, inheritable=8)
    after = cred_change.after_exec(creds)
    assert (after.permitted, after.effective, after.suid) == (14, 14, 0)
    only_real = cred_change.after_exec(Credentials(0, 5, 5, 5, 0, 0, 0, 0, bounding=6))
    assert (only_real.permitted, only_real.effective) == (6, 0)
    noroot = Credentials(0, 0, 0, 0, 0, 0, 0, 0, bounding=6, securebits=cred_change.SECBIT_NOROOT)
    assert cred_change.after_exec(noroot).permitted == 0


def test_keepcaps_survives_setuid(world: World) -> None:
    process = world.init
    assert process.call("prctl", 8, 1) == 0
    process.call("setuid", 1000)
    assert process.task.credentials.permitted == ALL_CAPABILITIES
    assert process.task.credentials.effective == 0


def test_securebits_lock(world: World) -> None:
    process = world.init
    assert process.call("prctl", 28, 0x30) == 0
    assert process.call("prctl", 8, 0) == -EPERM
    assert process.call("prctl", 28, 0) == -EPERM
    assert process.call("prctl", 27) == 0x30


def test_what_is_refused(world: World) -> None:
    call = world.init.call
    assert call("seccomp", 1, 0, BUFFER) == -EINVAL
    assert call("seccomp", 2, 0, world.init.poke((0x12340000).to_bytes(4, "little"))) == -EOPNOTSUPP
    assert call("bpf", 0, 0, 0) == -EPERM
    assert call("keyctl", 0) == -ENOSYS
    assert call("ptrace", 0) == -EPERM
    assert call("reboot", 0) == -EPERM


def test_a_filter_needs_no_new_privs_and_is_inherited(world: World) -> None:
    process = world.init
    code = process.poke(bytes.fromhex("0600 00 00 0000ff7f"), 1024)
    program = process.poke((1).to_bytes(8, "little") + code.to_bytes(8, "little"))
    process.task.credentials = replace(process.task.credentials, effective=0)
    assert process.call("seccomp", 1, 0, program) == -EACCES
    assert process.call("prctl", 38, 1, 0, 0, 0) == 0
    assert process.call("seccomp", 1, 8, program) == -EBUSY
    assert process.call("seccomp", 1, 1 | 8, program) == -EINVAL
    assert process.call("seccomp", 1, 2, program) == 0
    assert process.call("prctl", 22, 2, program) == 0
    assert [flags for _, flags in process.context.filters] == [0, 0]
    assert process.call("prctl", 21) == 2
    child = process.fork()
    assert (child.task.seccomp_mode, child.task.seccomp_filters) == (2, 2)
    assert child.call("prctl", 22, 1) == -EINVAL
