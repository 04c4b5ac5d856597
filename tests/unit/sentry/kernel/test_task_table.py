"""The tables of processes, process groups and sessions: what is found, what is forgotten when, and what is orphaned."""

import os

import pytest

from sentry.kernel.task_table import DEPARTED_MAX
from tests.unit.syscalls.process_world import Process, World

GONE = 0x3FFFFFF0  # above every number that Linux gives out
STILL_THERE = os.getpid()


@pytest.fixture
def world() -> World:
    return World("pidns")


def zombie(parent: Process, host_pid: int) -> Process:
    """A dead child; ``host_pid`` tells whether the host still keeps its zombie."""
    child = parent.fork()
    child.die()
    child.task.group.host_pid = host_pid
    return child


def test_a_zombie_is_found_until_its_parent_has_waited(world: World) -> None:
    tables = world.kernel.tasks
    child = zombie(world.init, STILL_THERE)
    assert tables.find_group(child.pid) is child.task.group
    assert child.task.group in tables.processes()
    child.task.group.host_pid = GONE
    assert tables.find_group(child.pid) is None
    assert tables.find_group(GONE) is None
    assert world.init.task.group.children == {}


def test_who_was_waited_for_is_forgotten_though_nobody_asks(world: World) -> None:
    kept = [zombie(world.init, STILL_THERE) for _ in range(5)]
    for _ in range(200):
        zombie(world.init, GONE)
    tables = world.kernel.tasks
    assert len(tables.groups) < 20
    assert len(world.init.task.group.children) < 20
    assert all(tables.groups[child.pid] is child.task.group for child in kept)


def test_the_list_of_processes_leaves_out_who_was_waited_for(world: World) -> None:
    gone, kept, alive = zombie(world.init, GONE), zombie(world.init, STILL_THERE), world.init.fork()
    alive.task.group.host_pid = GONE  # alive is alive: the tracer says when it is dead, not the host's number
    assert [group.tgid for group in world.kernel.tasks.processes()] == [1, kept.pid, alive.pid]
    assert gone.pid not in world.kernel.tasks.groups


def test_a_process_group_ends_with_the_last_that_was_waited_for(world: World) -> None:
    child = world.init.fork()
    child.call("setpgid", 0, 0)
    child.die()
    child.task.group.host_pid = STILL_THERE
    tables = world.kernel.tasks
    process_group = tables.find_process_group(child.pid)
    assert process_group is not None
    assert list(process_group.members) == [child.pid]
    child.task.group.host_pid = GONE
    assert tables.find_process_group(child.pid) is None
    assert process_group.members == {}
    assert child.pid not in process_group.session.process_groups


def test_a_session_ends_with_its_last_process_group(world: World) -> None:
    leader = world.init.fork()
    leader.call("setsid")
    member, tables = leader.fork(), world.kernel.tasks
    member.call("setpgid", 0, 0)
    session = tables.sessions[leader.pid]
    assert session.leader is leader.task.group
    assert set(session.process_groups) == {leader.pid, member.pid}
    tables.leave(leader.task.group)
    assert set(session.process_groups) == {member.pid}
    assert leader.pid not in tables.process_groups
    assert tables.sessions[leader.pid] is session
    tables.leave(member.task.group)
    assert leader.pid not in tables.sessions
    assert set(tables.sessions) == {1}


def test_a_process_moves_whole_from_one_group_to_another(world: World) -> None:
    first, second, tables = world.init.fork(), world.init.fork(), world.kernel.tasks
    first.call("setpgid", 0, 0)
    world.init.call("setpgid", second.pid, first.pid)
    old, home = tables.process_groups[first.pid], tables.process_groups[1]
    assert set(old.members) == {first.pid, second.pid}
    assert set(home.members) == {1}
    tables.join(first.task.group, old)  # it is there already
    assert set(old.members) == {first.pid, second.pid}
    world.init.call("setpgid", first.pid, 1)
    assert set(old.members) == {second.pid}
    assert set(home.members) == {1, first.pid}
    assert tables.process_groups[first.pid] is old


def test_the_owner_of_a_process_is_known_for_a_while_after_its_end(world: World) -> None:
    tables = world.kernel.tasks
    child = world.init.fork().become(1000)
    assert tables.uid_of(child.pid) == 1000
    child.die()
    tables.forget(child.task.group)
    assert tables.uid_of(child.pid) == 1000
    assert tables.uid_of(GONE) is None


def test_only_the_last_departed_are_remembered_and_a_number_that_comes_again_is_young(world: World) -> None:
    tables = world.kernel.tasks
    first, second = world.init.fork(), world.init.fork()
    tables.forget(first.task.group)
    tables.forget(second.task.group)
    tables.departed.update({10_000 + number: 7 for number in range(DEPARTED_MAX - 2)})
    assert len(tables.departed) == DEPARTED_MAX
    tables.forget(first.task.group)
    assert len(tables.departed) == DEPARTED_MAX
    tables.forget(world.init.fork().task.group)
    assert len(tables.departed) == DEPARTED_MAX
    assert second.pid not in tables.departed
    assert first.pid in tables.departed


def test_forgetting_an_old_bearer_of_a_number_leaves_the_new_one(world: World) -> None:
    old = zombie(world.init, GONE)
    new = world.init.fork()
    tables, number = world.kernel.tasks, old.pid
    new.task.group.tgid = number
    tables.groups[number] = world.init.task.group.children[number] = new.task.group
    tables.forget(old.task.group)
    assert tables.groups[number] is new.task.group
    assert world.init.task.group.children[number] is new.task.group


def test_a_group_is_orphaned_when_no_parent_is_elsewhere_in_its_session(world: World) -> None:
    """setpgid(2): "orphaned process group"; POSIX 3.264."""
    tables = world.kernel.tasks
    shell = world.init.fork()
    shell.call("setsid")
    job = shell.fork()
    shell.call("setpgid", job.pid, job.pid)
    helper = job.fork()
    groups = tables.process_groups
    assert tables.is_orphaned(groups[shell.pid])  # its parent is in another session
    assert not tables.is_orphaned(groups[job.pid])
    assert tables.is_orphaned(groups[1])  # init has no parent
    shell.fork()
    assert tables.is_orphaned(groups[shell.pid])  # a parent in the same group is no way out
    job.die()  # helper is left, whose parent was in the same group and is now init
    helper.task.group.parent = world.init.task.group
    assert tables.is_orphaned(groups[job.pid])
