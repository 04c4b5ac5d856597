"""Whom getpriority(2) and ioprio_set(2) mean."""

import pytest

from sentry.kernel.scheduled import targets
from syscalls.abi.errno import EINVAL, ESRCH
from syscalls.abi.errors import SyscallError
from tests.unit.syscalls.process_world import Process, World

THREAD, GROUP, USER = 0, 1, 2
NOBODY = 0x3FFFFFF0


@pytest.fixture
def world() -> World:
    return World("pidns")


def meant(process: Process, which: int, who: int) -> list[int] | int:
    try:
        return [task.tid for task in targets(process.task, (THREAD, GROUP, USER), which, who)]
    except SyscallError as error:
        return -error.errno


def test_one_thread(world: World) -> None:
    thread = world.init.fork().thread()
    assert meant(thread, THREAD, 0) == [thread.task.tid]
    assert meant(world.init, THREAD, thread.task.tid) == [thread.task.tid]
    assert meant(world.init, THREAD, NOBODY) == -ESRCH


def test_all_threads_of_a_process_group(world: World) -> None:
    first, second = world.init.fork(), world.init.fork()
    first.call("setpgid", 0, 0)
    world.init.call("setpgid", second.pid, first.pid)
    thread = first.thread()
    expected = [first.pid, thread.task.tid, second.pid]
    assert meant(world.init, GROUP, first.pid) == meant(second, GROUP, 0) == expected
    assert meant(world.init, GROUP, 0) == [1]
    assert meant(world.init, GROUP, second.pid) == meant(world.init, GROUP, NOBODY) == -ESRCH


def test_a_user_is_only_the_caller(world: World) -> None:
    child = world.init.fork()
    assert meant(child, USER, 0) == [child.pid]
    assert meant(child, USER, 1) == meant(child, USER, 1000) == -ESRCH


def test_other_kinds_are_invalid(world: World) -> None:
    assert meant(world.init, 3, 0) == meant(world.init, -1, 0) == -EINVAL
