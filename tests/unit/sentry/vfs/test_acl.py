"""Access control lists as pure values; what a real kernel does is in tests/syscalls/files/acl.c."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.kernel.creds import Credentials
from sentry.vfs.acl import ENTRIES_MAX, GROUP, GROUP_OBJ, MASK, OTHER, USER, USER_OBJ, Acl, Entry
from syscalls.abi.errno import EINVAL, ENOSPC, EOPNOTSUPP
from syscalls.abi.errors import SyscallError

_PERM = st.integers(0, 7)
_NAMED = st.lists(st.tuples(st.integers(0, 5), _PERM), max_size=4)


@st.composite
def lists(draw: st.DrawFn) -> Acl:
    """Any valid list."""
    users = [Entry(USER, perm, number) for number, perm in draw(_NAMED)]
    groups = [Entry(GROUP, perm, number) for number, perm in draw(_NAMED)]
    mask = [Entry(MASK, draw(_PERM))] if users or groups or draw(st.booleans()) else []
    owner, group, other = Entry(USER_OBJ, draw(_PERM)), Entry(GROUP_OBJ, draw(_PERM)), Entry(OTHER, draw(_PERM))
    return Acl((owner, *users, group, *groups, *mask, other))


@given(lists())
def test_what_is_written_is_read(acl: Acl) -> None:
    acl.check()
    assert Acl.parse(acl.encode()) == acl


@given(lists(), st.integers(0, 0o777))
def test_chmod_and_the_list_agree(acl: Acl, mode: int) -> None:
    assert acl.with_mode(mode).mode() == mode


@given(lists(), st.integers(0, 0o7777))
def test_inheritance_gives_no_more_than_asked_and_no_more_than_the_list(acl: Acl, mode: int) -> None:
    born, access = acl.inherited(mode)
    assert born == mode & (acl.mode() | ~0o777)
    if access is not None:
        assert access.mode() == born & 0o777


@given(lists(), st.integers(0, 5), st.integers(0, 5), _PERM)
def test_the_mask_bounds_all_but_the_owner_and_the_others(acl: Acl, uid: int, gid: int, wanted: int) -> None:
    creds = Credentials(uid, uid, uid, uid, gid, gid, gid, gid)
    bounds = [entry.perm for entry in acl.entries if entry.tag == MASK]
    named = any(entry.tag == USER and entry.id == uid for entry in acl.entries)
    member = gid == 1 or any(entry.tag == GROUP and entry.id == gid for entry in acl.entries)
    if uid != 0 and (named or member) and bounds and wanted & ~bounds[0]:
        assert not acl.grants(creds, 0, 1, wanted)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_refused(data: bytes) -> None:
    try:
        acl = Acl.parse(data)
        if acl is not None:
            acl.check()
    except SyscallError as error:
        assert error.errno in (EINVAL, EOPNOTSUPP)


def test_the_length_is_limited() -> None:
    named = tuple(Entry(USER, 7, number) for number in range(ENTRIES_MAX))
    acl = Acl((Entry(USER_OBJ, 7), *named, Entry(GROUP_OBJ, 7), Entry(MASK, 7), Entry(OTHER, 7)))
    with pytest.raises(SyscallError) as caught:
        acl.check()
    assert caught.value.errno == ENOSPC
