"""Semaphore sets against a plain model: all or nothing, order, undo."""

from hypothesis import given
from hypothesis import strategies as st

from sentry.ipc.semaphore import Operation, SemaphoreSet, Sleeper, new_set
from sentry.kernel.creds import Credentials
from sentry.kernel.limits import SandboxLimits
from sentry.kernel.sem_undo import UndoList
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
