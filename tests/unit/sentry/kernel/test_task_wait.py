"""Which child has something to report to wait(2), and what a report leaves behind."""

import os

import pytest

from sentry.kernel.task_wait import WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WUNTRACED, consume, find_waitable, match_pid
from syscalls.abi.errno import ECHILD
from syscalls.abi.errors import SyscallError
from tests.unit.syscalls.process_world import Process, World

GONE = 0x3FFFFFF0
STILL_THERE = os.getpid()


@pytest.fixture
def world() -> World:
    return World("pidns")


def meant(parent: Process, pid: int) -> list[int]:
    matches = match_pid(parent.task, pid)
    return [child.tgid for child in parent.task.group.children.values() if matches(child)]


def test_whom_the_number_means(world: World) -> None:
    """waitpid(2): < -1 a process group, -1 any, 0 the caller's process group, > 0 one child."""
    first, second, third = (world.init.fork() for _ in range(3))
    world.init.call("setpgid", second.pid, second.pid)
    world.init.call("setpgid", third.pid, second.pid)
    assert meant(world.init, first.pid) == [first.pid]
    assert meant(world.init, -1) == [first.pid, second.pid, third.pid]
    assert meant(world.init, 0) == [first.pid]
    assert meant(world.init, -second.pid) == [second.pid, third.pid]
    assert meant(world.init, -third.pid) == []
    assert meant(world.init, 1) == []  # itself is no child


def found(parent: Process, options: int, pid: int = -1) -> int | None:
    child = find_waitable(parent.task, match_pid(parent.task, pid), options)
    return None if child is None else child.tgid


def test_a_living_child_makes_the_parent_wait(world: World) -> None:
    child = world.init.fork()
    assert found(world.init, WEXITED) is None
    with pytest.raises(SyscallError) as caught:
        found(world.init, WEXITED, child.pid + 1)
    assert caught.value.errno == ECHILD


def test_a_dead_child_is_reported_to_who_asks_for_the_dead(world: World) -> None:
    child = world.init.fork()
    child.die()
    child.task.group.host_pid = STILL_THERE
    assert found(world.init, WEXITED) == child.pid
    assert found(world.init, WUNTRACED | WCONTINUED | WNOHANG) is None


def test_a_child_that_was_waited_for_is_no_child(world: World) -> None:
    child = world.init.fork()
    child.die()
    child.task.group.host_pid = GONE
    with pytest.raises(SyscallError) as caught:
        found(world.init, WEXITED)
    assert caught.value.errno == ECHILD
    assert world.kernel.tasks.groups.keys() == {1}


@pytest.mark.parametrize(("report", "wanted"), [("stopped", WUNTRACED), ("continued", WCONTINUED)])
def test_a_stop_is_reported_once_to_who_asks_for_it(world: World, report: str, wanted: int) -> None:
    child = world.init.fork()
    child.task.group.stop_report = report
    assert found(world.init, WEXITED | (WUNTRACED | WCONTINUED) & ~wanted) is None
    assert found(world.init, wanted) == child.pid
    consume(child.task.group, wanted | WNOWAIT)
    assert found(world.init, wanted) == child.pid
    consume(child.task.group, wanted)
    assert found(world.init, wanted) is None


def test_the_report_of_a_dead_child_is_left_to_the_host(world: World) -> None:
    child = world.init.fork()
    child.task.group.stop_report = "stopped"
    child.die()
    consume(child.task.group, WEXITED)
    assert child.task.group.stop_report == "stopped"
    assert child.pid in world.init.task.group.children
