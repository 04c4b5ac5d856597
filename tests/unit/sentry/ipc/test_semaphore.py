"""Semaphore sets against a plain model: all or nothing, order, undo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.ipc.semaphore import Operation, SemaphoreSet, Sleeper, new_set
from sentry.kernel.creds import Credentials
from sentry.kernel.limits import SandboxLimits
from sentry.kernel.sem_undo import UndoList
from syscalls.abi.errno import EAGAIN, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import IPC_NOWAIT, SEM_UNDO, SEMVMX

ROOT = Credentials(0, 0, 0, 0, 0, 0, 0, 0)
OPERATIONS = st.lists(
    st.builds(Operation, st.integers(0, 2), st.integers(-3, 3), st.sampled_from((0, SEM_UNDO, IPC_NOWAIT))),
    min_size=1,
    max_size=5,
)


def fresh(values: list[int]) -> SemaphoreSet:
    made = new_set(ROOT, 0, 0o600, len(values), SandboxLimits(), 0)
    made.values[:] = values
    return made


@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), OPERATIONS)
def test_all_or_nothing_and_undo(values: list[int], operations: list[Operation]) -> None:
    semaphores, limits, undo_list = fresh(values), SandboxLimits(), UndoList()
    undo = undo_list.of(semaphores, limits)
    undo.reserve([operation.number for operation in operations])
    try:
        blocking = semaphores.perform(operations, undo, 7)
    except SyscallError:
        blocking = operations[0]
    if blocking is not None:
        assert semaphores.values == values
        assert not any(undo.adjustments.values())
        return
    expected = list(values)
    for number, change, _ in operations:
        expected[number] += change
    assert semaphores.values == expected
    undo_list.leave(7, 1)
    for number, change, flags in operations:
        if flags & SEM_UNDO:
            expected[number] -= change
    assert semaphores.values == [min(max(value, 0), SEMVMX) for value in expected]


def test_sleepers_are_served_in_order_and_a_large_wish_does_not_block_a_small_one() -> None:
    semaphores = fresh([0])
    wishes = [Operation(0, -3, 0), Operation(0, -1, 0), Operation(0, -1, 0)]
    sleepers = [Sleeper([wish], None, pid, wish) for pid, wish in enumerate(wishes)]
    for sleeper in sleepers:
        semaphores.enqueue(sleeper)
    assert semaphores.count_waiting(0, for_zero=False) == 3
    semaphores.assign({0: 1}, 9, 1)
    assert [sleeper.result for sleeper in sleepers] == [None, 0, None]
    semaphores.remove()
    assert sleepers[0].result is not None
    assert sleepers[0].result < 0


def test_memory_is_given_back() -> None:
    limits = SandboxLimits()
    made = new_set(ROOT, 0, 0o600, 1000, limits, 0)
    assert limits.bytes_used > 1000
    del made
    assert limits.bytes_used == 0


def errno_of(call: object, *arguments: object) -> int:
    with pytest.raises(SyscallError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.errno


def sleeper(*operations: Operation, pid: int = 1) -> Sleeper:
    return Sleeper(operations, None, pid, operations[0])


def test_the_values_and_adjustments_have_a_range() -> None:
    """semop(2), ERANGE: the value beyond SEMVMX; Linux also bounds the adjustment."""
    semaphores = fresh([SEMVMX - 1])
    assert semaphores.perform([Operation(0, 1, 0)], None, 1) is None
    assert errno_of(semaphores.perform, [Operation(0, 1, 0)], None, 1) == ERANGE
    assert semaphores.values == [SEMVMX]
    undo = semaphores.new_undo(SandboxLimits())
    undo.reserve([0])
    assert semaphores.perform([Operation(0, -SEMVMX, SEM_UNDO)], undo, 1) is None
    assert semaphores.perform([Operation(0, 5, 0)], None, 1) is None
    assert errno_of(semaphores.perform, [Operation(0, -1, SEM_UNDO)], undo, 1) == ERANGE
    assert (semaphores.values, undo.adjustments) == ([5], {0: SEMVMX})


def test_what_cannot_happen_waits_or_is_eagain() -> None:
    semaphores = fresh([1])
    for change in (-2, 0):
        assert semaphores.perform([Operation(0, change, 0)], None, 1) == Operation(0, change, 0)
        assert errno_of(semaphores.perform, [Operation(0, change, IPC_NOWAIT)], None, 1) == EAGAIN
    assert semaphores.pids == [0]
    assert semaphores.perform([Operation(0, -1, 0), Operation(0, 0, 0)], None, 9) is None
    assert (semaphores.values, semaphores.pids) == ([0], [9])


def test_who_waits_for_zero_goes_first_and_all_go_on_that_can() -> None:
    semaphores = fresh([2])
    taker, zero, second_zero = sleeper(Operation(0, -3, 0)), sleeper(Operation(0, 0, 0)), sleeper(Operation(0, 0, 0))
    for one in (taker, zero, second_zero):
        semaphores.enqueue(one)
    assert (semaphores.count_waiting(0, for_zero=True), semaphores.count_waiting(0, for_zero=False)) == (2, 1)
    semaphores.dequeue(second_zero)
    semaphores.dequeue(second_zero)
    semaphores.assign({0: 0}, 4, 50)
    assert (taker.result, zero.result, second_zero.result) == (None, 0, None)
    assert (semaphores.ctime, semaphores.otime, semaphores.pids) == (50, 50, [1])
    semaphores.assign({0: 3}, 4, 51)
    assert (taker.result, semaphores.values) == (0, [0])


def test_one_that_goes_on_may_let_the_next_go_on() -> None:
    semaphores = fresh([0, 0])
    chain = [sleeper(Operation(1, -1, 0)), sleeper(Operation(0, -1, 0), Operation(1, 1, 0)), sleeper(Operation(1, 0, 0))]
    for one in chain[:2]:
        semaphores.enqueue(one)
    semaphores.assign({0: 1}, 4, 50)
    assert [one.result for one in chain[:2]] == [0, 0]
    assert semaphores.values == [0, 0]


def test_a_sleeper_that_can_only_fail_is_told() -> None:
    semaphores = fresh([0, SEMVMX])
    hopeless = sleeper(Operation(0, -1, 0), Operation(1, 1, 0))
    semaphores.enqueue(hopeless)
    semaphores.assign({0: 1}, 4, 50)
    assert (hopeless.result, semaphores.values) == (-ERANGE, [1, SEMVMX])


def test_setting_values_drops_the_adjustments_for_them() -> None:
    """semctl(2), SETVAL and SETALL: the semadj values of all processes are cleared."""
    semaphores, undo_list = fresh([5, 5]), UndoList()
    undo = undo_list.of(semaphores, SandboxLimits())
    assert undo_list.of(semaphores, SandboxLimits()) is undo
    undo.reserve([0, 1])
    semaphores.perform([Operation(0, -2, SEM_UNDO), Operation(1, -2, SEM_UNDO)], undo, 7)
    assert errno_of(semaphores.assign, {0: SEMVMX + 1}, 4, 50) == errno_of(semaphores.assign, {0: -1}, 4, 50) == ERANGE
    semaphores.assign({0: 0}, 4, 50)
    undo_list.leave(7, 60)
    assert (semaphores.values, semaphores.pids, semaphores.otime) == ([0, 5], [4, 7], 60)
    assert semaphores.undos == []


def test_shared_adjustments_are_taken_back_by_the_last() -> None:
    """clone(2), CLONE_SYSVSEM."""
    semaphores, undo_list = fresh([5]), UndoList()
    undo = undo_list.of(semaphores, SandboxLimits())
    undo.reserve([0])
    semaphores.perform([Operation(0, -2, SEM_UNDO)], undo, 7)
    undo_list.references += 1
    undo_list.leave(7, 60)
    assert semaphores.values == [3]
    undo_list.leave(8, 61)
    assert semaphores.values == [5]


def test_removed_sets_are_left_alone() -> None:
    semaphores, undo_list = fresh([5]), UndoList()
    undo = undo_list.of(semaphores, SandboxLimits())
    undo.reserve([0])
    semaphores.perform([Operation(0, -2, SEM_UNDO)], undo, 7)
    semaphores.remove()
    semaphores.perm.is_removed = True
    undo_list.leave(7, 60)
    assert semaphores.values == [3]
