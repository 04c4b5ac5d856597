"""Identifiers and keys of System V objects: numbers that are not used again soon, and what ...get(2) finds or makes."""

import pytest

from sentry.ipc.permission import IpcPerm
from sentry.ipc.table import IPCMNI, IdTable
from sentry.kernel.creds import Credentials
from syscalls.abi.errno import EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import IPC_CREAT, IPC_EXCL, IPC_PRIVATE

MAX = 1000
MAKER = Credentials(5, 5, 5, 5, 5, 5, 5, 5)
STRANGER = Credentials(6, 6, 6, 6, 6, 6, 6, 6)


class Thing:
    def __init__(self, key: int = IPC_PRIVATE, mode: int = 0o600) -> None:
        self.perm = IpcPerm(key, mode, MAKER)


def errno_of(call: object, *arguments: object) -> int:
    with pytest.raises(SyscallError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.errno


def test_identifiers_count_up_and_are_found() -> None:
    table: IdTable[Thing] = IdTable()
    things = [Thing() for _ in range(3)]
    assert [table.add(thing, MAX) for thing in things] == [0, 1, 2]
    assert [table.get(number) for number in range(3)] == things == list(table)
    assert (len(table), table.index_max) == (3, 2)
    assert errno_of(table.get, 3) == EINVAL
    assert errno_of(table.get, -1) == EINVAL
    assert errno_of(table.at, -1) == EINVAL
    assert errno_of(table.at, 3) == EINVAL


def test_a_removed_index_is_used_again_only_after_the_others_and_under_another_number() -> None:
    """Linux: ipc_idr_alloc(), indexes go round; a stale identifier must not mean a new object."""
    table: IdTable[Thing] = IdTable()
    old = Thing()
    first = table.add(old, MAX)
    table.remove(old)
    assert old.perm.is_removed
    assert errno_of(table.get, first) == EINVAL
    numbers = []
    while True:
        new = Thing()
        numbers.append(table.add(new, MAX))
        if new.perm.seq:
            break
        table.remove(new)
    assert numbers[:-1] == list(range(1, 64))
    assert numbers[-1] == 1 << 15
    assert errno_of(table.get, first) == EIDRM
    assert table.get(1 << 15) is table.at(0) is new


def test_the_number_of_objects_is_limited() -> None:
    table: IdTable[Thing] = IdTable()
    things = [Thing() for _ in range(3)]
    for thing in things[:2]:
        table.add(thing, 2)
    assert errno_of(table.add, things[2], 2) == ENOSPC
    table.remove(things[0])
    assert table.add(things[2], 2) & IPCMNI - 1 == 0
    assert errno_of(IdTable[Thing]().add, Thing(), 0) == ENOSPC


def test_the_sequence_number_comes_round() -> None:
    table: IdTable[Thing] = IdTable()
    numbers = set()
    for _ in range(0xFFFF + 1):
        thing = Thing()
        numbers.add(table.add(thing, 1))
        assert 0 <= thing.perm.id < 1 << 31
        table.remove(thing)
    assert numbers == {seq << 15 for seq in range(0xFFFF)}


def obtain(table: IdTable[Thing], key: int, flags: int, *, creds: Credentials = MAKER, checked: list[Thing] | None = None) -> int:
    return table.obtain(
        creds, key, flags, lambda: table.add(Thing(key, flags & 0o777), MAX), lambda found: (checked or []).append(found)
    )


def test_a_key_is_found_or_made_as_the_flags_say() -> None:
    table: IdTable[Thing] = IdTable()
    assert errno_of(obtain, table, 7, 0o600) == ENOENT
    assert errno_of(obtain, table, 7, IPC_EXCL | 0o600) == ENOENT
    made = obtain(table, 7, IPC_CREAT | 0o600)
    assert obtain(table, 7, 0o600) == obtain(table, 7, IPC_CREAT | 0o400) == obtain(table, 7, IPC_EXCL) == made
    assert errno_of(obtain, table, 7, IPC_CREAT | IPC_EXCL | 0o600) == EEXIST
    assert len(table) == 1
    assert obtain(table, 8, IPC_CREAT | IPC_EXCL) != made


def test_private_objects_are_always_new() -> None:
    table: IdTable[Thing] = IdTable()
    assert obtain(table, IPC_PRIVATE, 0) != obtain(table, IPC_PRIVATE, IPC_CREAT | IPC_EXCL)
    assert len(table) == 2


def test_what_is_found_is_checked_and_needs_the_rights_that_are_asked_for() -> None:
    table: IdTable[Thing] = IdTable()
    made = obtain(table, 7, IPC_CREAT | 0o604)
    seen: list[Thing] = [Thing()]
    assert obtain(table, 7, 0o004, creds=STRANGER, checked=seen) == made
    assert seen[1:] == [table.get(made)]
    assert errno_of(lambda: obtain(table, 7, 0o200, creds=STRANGER)) == EACCES


def test_a_forgotten_key_is_free_while_the_object_lives_on() -> None:
    """shmctl(2), IPC_RMID: the segment stays until the last detach, its key becomes IPC_PRIVATE."""
    table: IdTable[Thing] = IdTable()
    first = obtain(table, 7, IPC_CREAT)
    old = table.get(first)
    table.forget_key(old)
    assert old.perm.key == IPC_PRIVATE
    assert table.get(first) is old
    second = obtain(table, 7, IPC_CREAT | IPC_EXCL)
    table.remove(old)
    assert obtain(table, 7, 0) == second
    table.remove(table.get(second))
    assert errno_of(obtain, table, 7, 0) == ENOENT
