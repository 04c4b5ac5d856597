"""Who may use an IPC object (sysvipc(7)): the first class that fits decides, creator and owner are alike."""

import pytest

from sentry.ipc.permission import CAP_IPC_OWNER, CAP_SYS_ADMIN, MAY_READ, MAY_WRITE, IpcPerm
from sentry.kernel.creds import Credentials
from syscalls.abi.errno import EACCES, EINVAL, EPERM
from syscalls.abi.errors import SyscallError


def who(uid: int, gid: int, *groups: int, capability: int | None = None) -> Credentials:
    effective = 0 if capability is None else 1 << capability
    return Credentials(0, uid, 0, 0, 0, gid, 0, gid, groups=groups, effective=effective)


OWNER, MEMBER, SUPPLEMENTARY, OTHER = who(10, 20), who(11, 20), who(12, 99, 20), who(12, 22)


def outcome(perm: IpcPerm, creds: Credentials, wanted: int) -> int:
    try:
        perm.check(creds, wanted)
    except SyscallError as error:
        return error.errno
    return 0


@pytest.mark.parametrize(
    ("mode", "creds", "reads", "writes"),
    [
        (0o600, OWNER, True, True),
        (0o400, OWNER, True, False),
        (0o200, OWNER, False, True),
        (0o066, OWNER, False, False),  # what others may is nothing to the owner
        (0o060, MEMBER, True, True),
        (0o040, MEMBER, True, False),
        (0o606, MEMBER, False, False),
        (0o020, SUPPLEMENTARY, False, True),
        (0o606, SUPPLEMENTARY, False, False),
        (0o006, OTHER, True, True),
        (0o004, OTHER, True, False),
        (0o660, OTHER, False, False),
    ],
)
def test_the_first_class_that_fits_decides(mode: int, creds: Credentials, reads: bool, writes: bool) -> None:
    perm = IpcPerm(1, mode, OWNER)
    assert outcome(perm, creds, MAY_READ) == (0 if reads else EACCES)
    assert outcome(perm, creds, MAY_WRITE) == (0 if writes else EACCES)
    assert outcome(perm, creds, MAY_READ | MAY_WRITE) == (0 if reads and writes else EACCES)
    assert outcome(perm, creds, 0) == 0


@pytest.mark.parametrize(("wanted", "expected"), [(0o400, 0), (0o040, 0), (0o004, 0), (0o600, EACCES), (0o020, EACCES)])
def test_the_bits_given_to_get_count_in_whichever_class_they_stand(wanted: int, expected: int) -> None:
    """semget(2) and its like ask for the union of the three classes (Linux: ipcperms())."""
    assert outcome(IpcPerm(1, 0o400, OWNER), OWNER, wanted) == expected


def test_cap_ipc_owner_passes_every_check() -> None:
    perm = IpcPerm(1, 0, OWNER)
    assert outcome(perm, who(12, 22, capability=CAP_IPC_OWNER), MAY_READ | MAY_WRITE) == 0
    assert outcome(perm, who(12, 22, capability=CAP_SYS_ADMIN), MAY_READ) == EACCES


def test_the_new_owner_and_the_creator_both_have_the_owners_rights() -> None:
    perm = IpcPerm(1, 0o640, OWNER)
    perm.change(11, 21, 0o600)
    assert outcome(perm, OWNER, MAY_WRITE) == 0
    assert outcome(perm, who(11, 99), MAY_WRITE) == 0
    assert outcome(perm, who(12, 20), MAY_READ) == EACCES
    perm.change(11, 21, 0o040)
    assert outcome(perm, who(12, 21), MAY_READ) == 0
    assert outcome(perm, who(12, 20), MAY_READ) == 0  # the creator's group
    assert perm.fields() == (1, 11, 21, 10, 20, 0o040, 0)


def test_only_nine_bits_of_the_mode_are_kept() -> None:
    perm = IpcPerm(1, 0o7777, OWNER)
    assert perm.mode == 0o777
    perm.change(10, 20, 0o7123)
    assert perm.mode == 0o123


@pytest.mark.parametrize(("uid", "gid"), [(0xFFFFFFFF, 0), (0, 0xFFFFFFFF)])
def test_nobody_cannot_become_the_owner(uid: int, gid: int) -> None:
    perm = IpcPerm(1, 0o600, OWNER)
    with pytest.raises(SyscallError) as caught:
        perm.change(uid, gid, 0)
    assert caught.value.errno == EINVAL
    assert perm.fields() == (1, 10, 20, 10, 20, 0o600, 0)


def test_who_may_change_and_remove() -> None:
    perm = IpcPerm(1, 0o777, OWNER)
    perm.change(11, 20, 0o777)
    for creds in (OWNER, who(11, 0), who(12, 0, capability=CAP_SYS_ADMIN)):
        perm.check_owner(creds)
    for creds in (who(12, 20), who(12, 0, capability=CAP_IPC_OWNER)):
        with pytest.raises(SyscallError) as caught:
            perm.check_owner(creds)
        assert caught.value.errno == EPERM
