"""Resource limits (getrlimit(2)): who may raise them, what the host is told, and who feels them."""

import pytest

from sentry.kernel.rlimits import DEFAULTS, get_limit, set_limit
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import (
    RLIM_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_STACK,
)
from tests.unit.syscalls.process_world import Process, World


@pytest.fixture
def world() -> World:
    return World("pidns")


def change(process: Process, resource: int, soft: int, hard: int) -> int:
    try:
        set_limit(process.task, process.task.group, resource, soft, hard)
    except SyscallError as error:
        return -error.errno
    return 0


def test_every_resource_has_a_limit_and_no_other(world: World) -> None:
    group = world.init.task.group
    for resource in range(RLIM_NLIMITS):
        assert get_limit(group, resource) == DEFAULTS.get(resource, (RLIM_INFINITY, RLIM_INFINITY))
    for resource in (-1, RLIM_NLIMITS):
        with pytest.raises(SyscallError) as caught:
            get_limit(group, resource)
        assert caught.value.errno == EINVAL


def test_an_ordinary_process_lowers_for_good(world: World) -> None:
    child = world.init.fork().become(1000)
    assert change(child, RLIMIT_NPROC, 5, 10) == 0
    assert change(child, RLIMIT_NPROC, 10, 10) == 0
    assert change(child, RLIMIT_NPROC, 0, 11) == -EPERM
    assert change(child, RLIMIT_NPROC, 11, 10) == -EINVAL
    assert get_limit(child.task.group, RLIMIT_NPROC) == (10, 10)
    assert change(world.init, RLIMIT_NPROC, 5, 10) == 0
    assert change(world.init, RLIMIT_NPROC, 12, 12) == 0


def test_only_what_the_host_enforces_is_told_to_it(world: World) -> None:
    for resource in (RLIMIT_STACK, RLIMIT_CPU, RLIMIT_CORE, RLIMIT_RTPRIO):
        assert change(world.init, resource, 7, 8) == 0
    assert world.init.context.limits == {RLIMIT_STACK: (7, 8), RLIMIT_CPU: (7, 8)}


def test_descriptors_are_bounded_by_what_the_sandbox_has_even_for_root(world: World) -> None:
    most = world.kernel.limits.descriptors_max
    assert change(world.init, RLIMIT_NOFILE, 9, most) == 0
    assert change(world.init, RLIMIT_NOFILE, 9, most + 1) == -EPERM
    assert get_limit(world.init.task.group, RLIMIT_NOFILE) == (9, most)
    world.init.task.group.limits[RLIMIT_NOFILE] = (9, most + 5)
    assert change(world.init, RLIMIT_NOFILE, 10, most + 5) == 0  # what it had it may keep


def test_every_thread_feels_the_new_number_of_descriptors(world: World) -> None:
    child = world.init.fork()
    thread = child.thread()
    assert change(child, RLIMIT_NOFILE, 33, 44) == 0
    assert (child.task.fds.limit, thread.task.fds.limit) == (33, 33)
    assert world.init.task.fds.limit == 1024
    assert change(child, RLIMIT_STACK, 3, 3) == 0
    assert child.task.fds.limit == 33
