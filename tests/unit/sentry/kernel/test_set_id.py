"""Set-user-ID and set-group-ID programs (execve(2)): when the bits count and when they do not."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from sentry.kernel.set_id import executed, ids_of
from sentry.kernel.task_clone import CLONE_FS
from sentry.vfs.mount import MS_NOSUID, MS_RDONLY
from syscalls.abi.capability import CAP_SETUID
from tests.unit.syscalls.process_world import Process, World, user

OWNER, GROUP = 50, 60


@pytest.fixture
def guest() -> Process:
    return World("pidns").init.fork().become(1000, 1001)


def ids(guest: Process, mode: int, flags: int = 0) -> tuple[int, int]:
    path: Any = SimpleNamespace(mount=SimpleNamespace(flags=flags))
    attr: Any = SimpleNamespace(mode=mode, uid=OWNER, gid=GROUP)
    return ids_of(guest.task, path, attr)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o755, (1000, 1001)),
        (0o4755, (OWNER, 1001)),
        (0o2755, (1000, GROUP)),
        (0o6755, (OWNER, GROUP)),
        (0o2745, (1000, 1001)),  # no right to execute for the group: mandatory locking
        (0o6745, (OWNER, 1001)),
        (0o1755, (1000, 1001)),
    ],
)
def test_the_bits_give_the_files_owner_and_group(guest: Process, mode: int, expected: tuple[int, int]) -> None:
    assert ids(guest, mode) == expected


def test_mounts_with_nosuid_ignore_them(guest: Process) -> None:
    assert ids(guest, 0o6755, MS_NOSUID) == (1000, 1001)
    assert ids(guest, 0o6755, MS_RDONLY) == (OWNER, GROUP)


def test_no_new_privs_ignores_them(guest: Process) -> None:
    guest.task.credentials = replace(guest.task.credentials, no_new_privs=True)
    assert ids(guest, 0o6755) == (1000, 1001)


def test_a_working_directory_shared_with_another_process_forbids_them(guest: Process) -> None:
    """Linux: bprm_fill_uid() and check_unsafe_exec(), LSM_UNSAFE_SHARE."""
    guest.thread()
    assert ids(guest, 0o4755) == (OWNER, 1001)
    guest.fork(CLONE_FS)
    assert ids(guest, 0o4755) == (1000, 1001)
    guest.task.credentials = replace(guest.task.credentials, effective=1 << CAP_SETUID)
    assert ids(guest, 0o4755) == (OWNER, 1001)


def test_the_new_effective_ids_are_saved_and_the_real_ones_stay() -> None:
    after = executed(user(1000, 1001), (OWNER, GROUP))
    assert (after.uid, after.euid, after.suid, after.fsuid) == (1000, OWNER, OWNER, OWNER)
    assert (after.gid, after.egid, after.sgid, after.fsgid) == (1001, GROUP, GROUP, GROUP)


def test_becoming_root_by_a_program_gives_its_capabilities() -> None:
    assert user(1000).permitted == 0
    after = executed(user(1000), (0, 1000))
    assert after.permitted == after.effective == user(1000).bounding
    assert executed(user(1000), (OWNER, 1000)).permitted == 0


def test_ambient_capabilities_end_with_a_change_of_identity() -> None:
    """capabilities(7): executing a program that changes user or group clears the ambient set."""
    creds = replace(user(1000), permitted=4, inheritable=4, ambient=4)
    assert executed(creds, (1000, 1000)).ambient == 4
    assert executed(creds, (OWNER, 1000)).ambient == 0
    assert executed(creds, (1000, GROUP)).ambient == 0
    fixed = replace(creds, no_new_privs=True)
    assert executed(fixed, (OWNER, GROUP)).euid == 1000
