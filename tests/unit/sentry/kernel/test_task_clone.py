"""What a new task shares with its maker and what it copies (clone(2)), and what it has of its own."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.kernel.task_clone import CLONE_FILES, CLONE_FS, CLONE_PARENT, CLONE_SYSVSEM, CLONE_VM
from syscalls.abi.resource import RLIMIT_STACK
from syscalls.abi.signal import SIGCHLD, SIGUSR1
from tests.unit.syscalls.process_world import World


@pytest.fixture
def world() -> World:
    return World("pidns")


class Segment:
    """A System V segment, as far as a birth needs it."""

    def __init__(self) -> None:
        self.attached: set[Any] = set()


def test_descriptors_and_working_directory_are_shared_or_copied(world: World) -> None:
    maker = world.init.task
    apart, files, folder = world.init.fork(), world.init.fork(CLONE_FILES), world.init.fork(CLONE_FS)
    assert files.task.fds is maker.fds
    assert apart.task.fds is not maker.fds
    assert folder.task.fds is not maker.fds
    assert maker.fds.references == 2
    assert apart.task.fds.references == 1
    assert folder.task.fs is maker.fs
    assert apart.task.fs is not maker.fs
    assert files.task.fs is not maker.fs


def test_attached_segments_are_inherited_but_counted_once_in_shared_memory(world: World) -> None:
    segment, origin = Segment(), world.init.task.group
    origin.segments.add(segment)  # type: ignore[arg-type]
    segment.attached.add(origin)
    child = world.init.fork().task.group
    assert child.segments == {segment}
    assert segment.attached == {origin, child}
    vfork = world.init.fork(CLONE_VM | SIGCHLD).task.group
    assert vfork.segments == set()
    assert segment.attached == {origin, child}
    child.segments.clear()
    assert origin.segments == {segment}


def test_a_thread_is_a_member_of_the_process_and_no_child(world: World) -> None:
    thread = world.init.thread().task
    group = world.init.task.group
    assert thread.group is group
    assert set(group.tasks) == {1, thread.tid}
    assert group.leader is world.init.task
    assert group.children == {}
    assert set(world.kernel.tasks.groups) == {1}
    assert world.kernel.tasks.find_task(thread.tid) is thread
    assert thread.context.data is thread


def test_the_parent_is_the_maker_or_the_makers_own(world: World) -> None:
    child = world.init.fork(SIGUSR1)
    sibling = child.fork(CLONE_PARENT | SIGCHLD)
    assert child.task.group.parent is sibling.task.group.parent is world.init.task.group
    assert set(world.init.task.group.children) == {child.pid, sibling.pid}
    # Linux: kernel/fork.c, copy_process()
    assert (child.task.group.exit_signal, sibling.task.group.exit_signal) == (SIGUSR1, SIGUSR1)


def test_a_process_begins_with_its_makers_properties_and_changes_its_own(world: World) -> None:
    maker = world.init.task
    maker.group.limits[RLIMIT_STACK] = (1, 2)
    maker.group.is_dumpable = False
    maker.group.arguments, maker.group.environment, maker.group.auxv = b"a", b"b", b"c"
    maker.seccomp_mode, maker.seccomp_filters, maker.name = 2, 3, b"made"
    world.now_ns += 5
    child = world.init.fork().task
    group = child.group
    assert (group.arguments, group.environment, group.auxv, group.is_dumpable) == (b"a", b"b", b"c", False)
    assert (child.seccomp_mode, child.seccomp_filters, child.name) == (2, 3, b"made")
    assert child.credentials is maker.credentials
    assert child.namespaces is maker.namespaces
    assert (group.start_time_ns, group.host_pid) == (world.now_ns, child.context.host_tid)
    assert group.process_group is maker.group.process_group
    assert child.tid in group.process_group.members
    group.limits[RLIMIT_STACK] = (0, 0)
    assert maker.group.limits[RLIMIT_STACK] == (1, 2)


def test_adjustments_of_semaphores_are_shared_on_demand(world: World) -> None:
    apart = world.init.fork()
    shared = world.init.fork(CLONE_SYSVSEM)
    assert apart.task.sem_undo is None
    assert shared.task.sem_undo is world.init.task.sem_undo is not None
    assert shared.task.sem_undo.references == 2


def test_a_number_that_the_host_gives_again_takes_the_place_of_the_zombie(world: World) -> None:
    """The parent has waited, the sentry has not looked yet, and the number is taken anew."""
    old = world.init.fork()
    old.die()
    number = old.pid
    world.platform.new_context = lambda: SimpleNamespace(  # type: ignore[assignment,method-assign]
        guest_tid=number, host_tid=number, memory=old.context.memory, fake_memory=old.context.fake_memory, data=None
    )
    new = world.init.fork()
    assert new.pid == number
    assert world.kernel.tasks.groups[number] is new.task.group
    assert world.init.task.group.children[number] is new.task.group
    assert new.task.group.process_group.members[number] is new.task.group
    assert world.kernel.tasks.departed[number] == 0
