"""What runs natively: the platform's filter and the table tell the same story, and what traps all the same is checked."""

from sentry.platform.filter.table import ALLOW, RULES, TRACE, TRACE_WAIT
from syscalls.abi.errno import EINVAL, ENOSYS, EOPNOTSUPP, EPERM
from syscalls.registry import proceeding
from tests.unit.syscalls.process_world import BUFFER, ENTRIES, TABLE, World


def cpu_clock(pid: int, *, is_thread: bool = False) -> int:
    return ~pid << 3 | 2 | 4 * is_thread


def test_filter_and_table_list_the_same_calls() -> None:
    allowed = {rule.call for rule in RULES if rule.action == ALLOW or rule.traced_data == TRACE_WAIT}
    assert {name for name, entry in ENTRIES.items() if entry.native} == allowed


def test_a_condition_has_a_handler_for_what_it_excludes() -> None:
    conditional = {rule.call for rule in RULES if rule.action == ALLOW and (rule.condition or rule.needs)}
    for name in conditional - {"fork", "vfork"}:
        assert ENTRIES[name].handler is not None, name
        assert ENTRIES[name].condition, name


def test_traced_calls_are_in_the_table() -> None:
    for rule in RULES:
        if rule.action == TRACE:
            assert rule.call in ENTRIES, rule.call
            entry = ENTRIES[rule.call]
            assert rule.call.startswith("exec") or entry.masked is not None or entry.native, rule.call


def test_priority_inheritance_needs_a_pid_namespace(world: World) -> None:
    lock_pi = 6 | 0x80
    assert world.init.call("futex", BUFFER, lock_pi, 0, 0, 0, 0) == "proceed"
    assert World().init.call("futex", BUFFER, lock_pi, 0, 0, 0, 0) == -ENOSYS
    assert world.init.call("futex", BUFFER, 2, 0, 0, 0, 0) == -ENOSYS
    assert world.init.call("futex", BUFFER, 77, 0, 0, 0, 0) == -ENOSYS


def test_clocks_of_processes_are_looked_up(world: World) -> None:
    child = world.init.fork()
    thread = world.init.thread()
    call = world.init.call
    assert call("clock_gettime", cpu_clock(0), BUFFER) == "proceed"
    assert call("clock_gettime", cpu_clock(child.pid), BUFFER) == "proceed"
    assert call("clock_gettime", cpu_clock(0x3FFFF0), BUFFER) == -EINVAL
    assert call("clock_gettime", cpu_clock(thread.task.tid, is_thread=True), BUFFER) == "proceed"
    assert call("clock_gettime", cpu_clock(child.pid, is_thread=True), BUFFER) == -EINVAL
    assert call("clock_gettime", ~5 << 3 | 3, BUFFER) == -EINVAL
    assert call("clock_getres", 10, BUFFER) == -EINVAL
    assert call("clock_gettime", 99, BUFFER) == -EINVAL


def test_sleeping_clocks(world: World) -> None:
    process = world.init.fork().become(1000)
    assert process.call("clock_nanosleep", 4, 0, BUFFER, 0) == -EOPNOTSUPP
    assert process.call("clock_nanosleep", 8, 0, BUFFER, 0) == -EPERM
    assert process.call("clock_nanosleep", 12, 0, BUFFER, 0) == -EINVAL
    assert process.call("clock_nanosleep", 1, 0, BUFFER, 0) == "proceed"


def test_barriers_reach_the_own_process_only(world: World) -> None:
    assert world.init.call("membarrier", 1, 0, 0) == -EINVAL
    assert world.init.call("membarrier", 8, 0, 0) == "proceed"


def test_segment_bases_only(world: World) -> None:
    assert world.init.call("arch_prctl", 0x1002, BUFFER) == "proceed"
    assert world.init.call("arch_prctl", 0x3001, BUFFER) == -EINVAL


def test_only_listed_calls_are_let_through() -> None:
    listed = proceeding(TABLE)
    assert {"mmap", "wait4", "waitid", "setsid", "close", "getrusage"} <= set(listed)
    assert not {"read", "write", "openat", "stat", "getpid", "execve", "socket", "clone3"} & set(listed)
