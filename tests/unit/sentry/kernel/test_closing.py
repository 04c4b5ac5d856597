"""Host copies that are being closed: who may have one under way, and who waits for that."""

import pytest

from sentry.kernel import closing
from tests.unit.syscalls.process_world import Process, World

FD = 5


@pytest.fixture
def world() -> World:
    return World("pidns")


def let_through(process: Process) -> None:
    """``process`` is in a call that closes the copy at ``FD``."""
    process.task.trap = (3, FD, 0, 0, 0, 0, 0)
    closing.note(process.task, FD)


def test_a_close_is_under_way_until_its_thread_makes_another_call_or_ends(world: World) -> None:
    main, closer = world.init, world.init.thread()
    let_through(closer)
    assert closing.has(main.task, FD)
    assert not closing.has(main.task, FD + 1)
    closer.task.trap = (39, 0, 0, 0, 0, 0, 0)
    assert not closing.has(main.task, FD)
    let_through(closer)
    closer.die()
    assert not closing.has(main.task, FD)


def test_what_is_over_is_forgotten(world: World) -> None:
    for _ in range(100):
        let_through(world.init)
    assert len(world.init.task.fds.closing) == 1


def test_who_needs_the_number_waits_until_the_closer_was_stopped(world: World) -> None:
    main, closer = world.init, world.init.thread()
    let_through(closer)
    done = []

    async def needs() -> int:
        await closing.wait_for(main.task, FD)
        done.append(True)
        return 0

    main.task.fiber.start(needs())
    world.run()
    assert not done
    assert closer.context.stop is not None
    closer.context.stop()
    world.run()
    assert done
    assert not main.task.fds.closing
