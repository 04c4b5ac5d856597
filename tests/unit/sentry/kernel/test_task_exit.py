"""Deaths (exit(2), wait(2), credentials(7)): what is released, who inherits the children, who is told."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from sentry.kernel.task_exit import kill_rest
from sentry.kernel.timers import set_interval_timer
from sentry.sched.wait import wait_until
from syscalls.abi.sched import CLONE_FILES
from syscalls.abi.signal import SIGCHLD, SIGCONT, SIGHUP, SIGKILL, SIGUSR1
from tests.unit.syscalls.process_world import Process, World

GONE = 0x3FFFFFF0
STILL_THERE = os.getpid()


@pytest.fixture
def world() -> World:
    made = World("pidns")
    made.kernel.tasks.init = made.init.task.group
    return made


def told(process: Process) -> list[int]:
    return [signal for signal, *_ in process.context.signals]


def keep_zombie(process: Process) -> None:
    process.task.group.host_pid = STILL_THERE


def test_a_thread_goes_alone_and_the_leader_takes_all(world: World) -> None:
    child = world.init.fork()
    first, second = child.thread(), child.thread()
    first.die()
    assert set(child.task.group.tasks) == {child.pid, second.task.tid}
    assert child.task.group.is_alive
    child.die(256)
    assert child.task.group.exit_status == 256
    assert child.task.group.tasks == {}
    assert second.task.is_exiting
    assert set(world.kernel.tasks.tasks) == {1}


def test_descriptors_close_with_their_last_holder(world: World) -> None:
    closed: list[int] = []
    one, two = world.init.fork(), world.init.fork()
    shared = one.fork(CLONE_FILES | SIGCHLD)
    for number, process in enumerate((one, two)):
        fds: Any = SimpleNamespace(references=process.task.fds.references, close_all=lambda number=number: closed.append(number))
        process.task.fds = fds
    shared.task.fds = one.task.fds
    one.die()
    assert closed == []
    shared.die()
    two.die()
    assert closed == [0, 1]


def test_timers_end_with_the_process(world: World) -> None:
    child = world.init.fork()
    set_interval_timer(child.task.group, 1_000_000_000, 0)
    child.die()
    assert world.runner.next_deadline_ns() is None
    assert child.task.group.timers == {}


def test_who_waits_for_the_end_is_woken_once(world: World) -> None:
    child, woken = world.init.fork(), []
    child.task.group.exit_queue.enqueue(lambda _: woken.append("pidfd"))
    world.init.task.group.wait_queue.enqueue(lambda _: woken.append("parent"))
    child.die()
    child.die(5)
    assert woken == ["pidfd", "parent"]
    assert child.task.group.exit_status == 0


def test_orphans_go_to_init_or_to_the_nearest_subreaper(world: World) -> None:
    """prctl(2), PR_SET_CHILD_SUBREAPER."""
    reaper = world.init.fork()
    reaper.task.group.is_child_subreaper = True
    middle = reaper.fork()
    low, other = middle.fork(), world.init.fork()
    grandchild, cousin = low.fork(), other.fork()
    for process in (low, other):
        keep_zombie(process)
        process.die()
    assert grandchild.task.group.parent is reaper.task.group
    assert cousin.task.group.parent is world.init.task.group
    assert set(reaper.task.group.children) == {middle.pid, grandchild.pid}
    assert low.task.group.children == {}
    keep_zombie(reaper)
    reaper.die()
    assert grandchild.task.group.parent is world.init.task.group


def test_zombies_are_inherited_too_unless_they_were_waited_for(world: World) -> None:
    middle = world.init.fork()
    kept, gone = middle.fork(), middle.fork()
    for process, host_pid in ((kept, STILL_THERE), (gone, GONE)):
        process.die()
        process.task.group.host_pid = host_pid
    woken: list[int] = []
    world.init.task.group.wait_queue.enqueue(woken.append)
    keep_zombie(middle)
    middle.die()
    assert set(world.init.task.group.children) == {middle.pid, kept.pid}
    assert gone.pid not in world.kernel.tasks.groups
    assert woken


def test_a_child_hears_of_its_parents_end_if_it_asked(world: World) -> None:
    """prctl(2), PR_SET_PDEATHSIG: si_pid is the parent's."""
    middle = world.init.fork()
    asked, silent, dead = middle.fork(), middle.fork(), middle.fork()
    asked.task.pdeath_signal = dead.task.pdeath_signal = SIGUSR1
    dead.die()
    keep_zombie(dead)
    middle.die()
    assert (told(asked), told(silent), told(dead)) == ([SIGUSR1], [], [])
    info = asked.context.infos[0]
    assert info is not None
    assert info.pid == middle.pid


class Terminal:
    """A controlling terminal with a foreground process group."""

    def __init__(self, foreground: object) -> None:
        self.foreground = foreground
        self.log: list[str] = []

    def disassociate(self) -> None:
        self.log.append("free")


def test_the_end_of_a_session_leader_hangs_up_the_foreground(world: World) -> None:
    shell = world.init.fork()
    shell.call("setsid")
    job, background = shell.fork(), shell.fork()
    shell.call("setpgid", job.pid, job.pid)
    shell.call("setpgid", background.pid, background.pid)
    session = shell.task.group.process_group.session
    terminal = session.terminal = Terminal(job.task.group.process_group)
    background.die()
    assert terminal.log == []
    keep_zombie(shell)
    shell.die()
    assert told(job) == [SIGHUP, SIGCONT]
    assert (terminal.log, session.terminal, session.leader) == (["free"], None, None)


def test_a_session_without_a_terminal_just_ends(world: World) -> None:
    shell = world.init.fork()
    shell.call("setsid")
    job = shell.fork()
    shell.die()
    assert told(job) == []


def test_the_end_of_init_ends_all(world: World) -> None:
    one, two = world.init.fork(), world.init.fork()
    two.die()
    kill_rest(world.kernel)
    assert (told(one), told(two)) == ([SIGKILL], [])


class Counted:
    """Memory that a process leaves behind: a segment, or an AIO context."""

    def __init__(self) -> None:
        self.log: list[object] = []

    def left(self, group: object) -> None:
        self.log.append(group)

    def destroy(self) -> None:
        self.log.append("destroyed")


def test_segments_and_aio_contexts_go_with_the_address_space(world: World) -> None:
    child = world.init.fork()
    segment, context = Counted(), Counted()
    group: Any = child.task.group
    group.segments.add(segment)
    group.aio[0x1000] = context
    child.die()
    assert (segment.log, context.log) == ([group], ["destroyed"])
    assert (group.segments, group.aio) == (set(), {})


def test_a_call_under_way_and_an_exec_asked_for_are_dropped(world: World) -> None:
    child, released = world.init.fork(), []
    child.task.fiber.start(wait_until(child.task.fiber, lambda: None, []))
    pending: Any = SimpleNamespace(held=SimpleNamespace(release=lambda: released.append(1)))
    child.task.pending_exec = pending
    child.die()
    assert not child.task.fiber.is_busy
    assert (released, child.task.pending_exec) == ([1], None)


def test_adjustments_of_semaphores_are_taken_back(world: World) -> None:
    child, log = world.init.fork(), []
    undo: Any = SimpleNamespace(leave=lambda pid, now: log.append(pid))
    child.task.sem_undo = undo
    child.die()
    assert (log, child.task.sem_undo) == ([child.pid], None)


def test_a_parent_that_waits_deaf_is_woken_for_its_handler(world: World) -> None:
    """The host sends SIGCHLD; a thread that sleeps in a call of the sentry's must be kicked to take it."""
    world.init.context.caught = 1 << (SIGCHLD - 1)
    child = world.init.fork()
    fiber = world.init.task.fiber
    fiber.start(wait_until(fiber, lambda: None, []))
    child.die()
    world.run()
    assert world.init.context.replies[-1][0] == "kick"


def test_the_heir_is_kicked_for_a_dead_child_too(world: World) -> None:
    middle = world.init.fork()
    dead = middle.fork()
    dead.die()
    keep_zombie(dead)
    reaper: Any = world.init
    reaper.context.caught = 1 << (SIGCHLD - 1)
    epoch = reaper.task.group.signal_epoch
    middle.die()
    assert reaper.task.group.signal_epoch == epoch + 2  # for the inherited one and for its own


def test_nobody_waits_for_who_has_no_parent(world: World) -> None:
    child = world.init.fork()
    child.task.group.parent = None
    child.die()
    assert child.pid not in world.kernel.tasks.groups
