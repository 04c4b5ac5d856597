"""Identity, process groups, sessions, waits, limits, prctl: the rules of the man pages."""

import pytest

from syscalls.abi.errno import EACCES, EAGAIN, EBADF, ECHILD, EFAULT, EINVAL, EMFILE, ENOSYS, EPERM, ESRCH
from syscalls.abi.prctl import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_IS_SET,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    PR_GET_DUMPABLE,
    PR_GET_NAME,
    PR_GET_NO_NEW_PRIVS,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_MM,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
)
from syscalls.abi.resource import RLIMIT, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_STACK
from syscalls.abi.sched import (
    CLONE_ARGS,
    CLONE_CLEAR_SIGHAND,
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_PTRACE,
    CLONE_THREAD,
    CLONE_UNTRACED,
)
from syscalls.abi.wait import P_ALL, P_PGID, P_PID, P_PIDFD, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED
from tests.unit.syscalls.process_world import BUFFER, CLONE_THREAD_FLAGS, Process, World

WCLONE, WALL = 0x80000000, 0x40000000
NOWHERE = 0x3FFFFFF0


def test_numbers_of_threads_and_processes(world: World) -> None:
    child = world.init.fork()
    thread = child.thread()
    assert (thread.call("getpid"), thread.call("gettid"), thread.call("getppid")) == (child.pid, thread.task.tid, 1)
    assert world.init.call("getppid") == 0


def test_setsid_makes_a_session_once(world: World) -> None:
    assert world.init.call("setsid") == -EPERM
    child = world.init.fork()
    assert child.call("getsid", 0) == 1
    assert child.call("setsid") == "proceed"
    assert (child.call("getsid", 0), child.call("getpgrp"), child.call("getpgid", 0)) == (child.pid,) * 3
    assert child.call("setsid") == -EPERM
    assert child.call("setpgid", 0, 0) == -EPERM


def test_a_group_leader_cannot_make_a_session(world: World) -> None:
    child = world.init.fork()
    assert child.call("setpgid", 0, 0) == "proceed"
    assert child.call("setsid") == -EPERM


def test_a_number_that_names_a_group_cannot_lead_a_session(world: World) -> None:
    child = world.init.fork()
    other = world.init.fork()
    world.init.call("setpgid", child.pid, child.pid)
    world.init.call("setpgid", other.pid, child.pid)
    world.init.call("setpgid", child.pid, 1)
    assert child.call("setsid") == -EPERM


def test_setpgid_moves_children_before_they_execute(world: World) -> None:
    child, other = world.init.fork(), world.init.fork()
    assert world.init.call("setpgid", child.pid, 0) == "proceed"
    assert world.init.call("setpgid", other.pid, child.pid) == "proceed"
    assert world.init.call("getpgid", other.pid) == child.pid
    other.task.group.has_execed = True
    assert world.init.call("setpgid", other.pid, 1) == -EACCES


def test_setpgid_refuses(world: World) -> None:
    child = world.init.fork()
    thread = child.thread()
    grandchild = child.fork()
    assert world.init.call("setpgid", 0, -1) == -EINVAL
    assert world.init.call("setpgid", NOWHERE, 0) == -ESRCH
    assert world.init.call("setpgid", grandchild.pid, 0) == -ESRCH
    assert world.init.call("setpgid", thread.task.tid, 0) == -EINVAL
    assert child.call("setpgid", 0, NOWHERE) == -EPERM
    child.call("setsid")
    assert world.init.call("setpgid", child.pid, 1) == -EPERM


def test_getpgid_takes_any_thread_number(world: World) -> None:
    thread = world.init.fork().thread()
    assert world.init.call("getpgid", thread.task.tid) == 1
    assert world.init.call("getpgid", -1) == -ESRCH
    assert world.init.call("getsid", NOWHERE) == -ESRCH


@pytest.fixture
def zombies(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Host pids that still exist although their processes have ended."""
    kept: set[int] = set()
    for module in ("task_wait", "task_table", "task_exit"):
        monkeypatch.setattr(f"sentry.kernel.{module}.exists", lambda pid: pid in kept)
    return kept


def test_wait_without_children(world: World, zombies: set[int]) -> None:
    assert world.init.call("wait4", -1, 0, 0, 0) == -ECHILD
    assert world.init.call("wait4", -1, 0, WNOHANG, 0) == -ECHILD
    assert world.init.call("wait4", -1, 0, 0x100, 0) == -EINVAL
    assert world.init.call("wait4", -0x80000000, 0, 0, 0) == -ESRCH


def test_wait_is_held_until_a_child_ends(world: World, zombies: set[int]) -> None:
    child = world.init.fork()
    assert world.init.call("wait4", -1, 0, WNOHANG, 0) == "proceed"
    assert world.init.call("wait4", child.pid + 50, 0, 0, 0) == -ECHILD
    assert world.init.call("wait4", child.pid, 0, 0, 0) == "waits"
    zombies.add(child.context.host_tid)
    child.die()
    world.run()
    assert world.init.last == "proceed"
    assert world.init.call("kill", child.pid, 0) == 0  # the host's wait has not run yet
    zombies.remove(child.context.host_tid)
    assert world.init.call("kill", child.pid, 0) == -ESRCH
    assert world.init.call("wait4", child.pid, 0, 0, 0) == -ECHILD


def test_nowait_leaves_the_child(world: World, zombies: set[int]) -> None:
    child = world.init.fork()
    zombies.add(child.context.host_tid)
    child.die()
    assert world.init.call("waitid", P_PID, child.pid, 0, WEXITED | WNOWAIT, 0) == "proceed"
    assert world.init.call("waitid", P_PID, child.pid, 0, WEXITED, 0) == "proceed"
    zombies.remove(child.context.host_tid)
    assert world.init.call("waitid", P_PID, child.pid, 0, WEXITED, 0) == -ECHILD


def test_stops_are_reported_on_request_only(world: World, zombies: set[int]) -> None:
    child = world.init.fork()
    world.dispatcher.stopped(child.context, 19)
    assert world.init.call("wait4", -1, 0, WUNTRACED, 0) == "proceed"
    world.dispatcher.continued(child.context)
    assert world.init.call("wait4", -1, 0, WUNTRACED, 0) == "waits"


def test_clone_children_wait_for_their_flag(world: World, zombies: set[int]) -> None:
    child = world.init.fork(flags=0)
    zombies.add(child.context.host_tid)
    child.die()
    assert world.init.call("wait4", child.pid, 0, 0, 0) == -ECHILD
    assert world.init.call("wait4", child.pid, 0, WCLONE | WNOHANG, 0) == "proceed"
    again = world.init.fork(flags=0)
    zombies.add(again.context.host_tid)
    again.die()
    assert world.init.call("wait4", again.pid, 0, WALL, 0) == "proceed"


def test_waitid_arguments(world: World, zombies: set[int]) -> None:
    call = world.init.call
    assert call("waitid", P_ALL, 0, 0, 0, 0) == -EINVAL
    assert call("waitid", P_ALL, 0, 0, WNOHANG, 0) == -EINVAL
    assert call("waitid", 99, 0, 0, WEXITED, 0) == -EINVAL
    assert call("waitid", P_PID, 0, 0, WEXITED, 0) == -EINVAL
    assert call("waitid", P_PGID, -1, 0, WEXITED, 0) == -EINVAL
    assert call("waitid", P_PIDFD, 77, 0, WEXITED, 0) == -EBADF
    assert call("waitid", P_ALL, 0, 0, WSTOPPED, 0) == -ECHILD


def test_waitid_by_pidfd(world: World, zombies: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentry.fs.pidfd.open_pidfd", lambda pid: 900 + pid)
    closed: list[int] = []
    monkeypatch.setattr("sentry.fs.pidfd.close_pidfd", closed.append)
    child = world.init.fork()
    fd = world.init.call("pidfd_open", child.pid, 0)
    busy = world.init.call("pidfd_open", child.pid, 0o4000)
    assert world.init.call("waitid", P_PIDFD, busy, 0, WEXITED, 0) == -EAGAIN
    zombies.add(child.context.host_tid)
    child.die()
    assert world.init.call("waitid", P_PIDFD, fd, 0, WEXITED, 0) == "proceed"
    assert world.init.context.added[fd] == 900 + child.context.host_tid
    assert closed


def test_pidfd_tells_the_end(world: World) -> None:
    child = world.init.fork()
    fd = world.init.call("pidfd_open", child.pid, 0)
    file = world.init.task.fds.get(fd)
    woken: list[int] = []
    file.queue.enqueue(woken.append)
    assert world.init.task.fds.is_cloexec(fd)
    assert not file.readiness()
    child.die()
    assert file.readiness()
    assert woken


def test_pidfd_refuses(world: World) -> None:
    thread = world.init.fork().thread()
    assert world.init.call("pidfd_open", 0, 0) == -EINVAL
    assert world.init.call("pidfd_open", 1, 0x40000000) == -EINVAL
    assert world.init.call("pidfd_open", NOWHERE, 0) == -ESRCH
    assert world.init.call("pidfd_open", thread.task.tid, 0) == -EINVAL
    assert world.init.call("pidfd_send_signal", 5, 0, 0, 0) == -EBADF
    fd = world.init.call("pidfd_open", 1, 0)
    assert world.init.call("pidfd_send_signal", fd, 0, 0, 3) == -EINVAL
    assert world.init.call("pidfd_send_signal", fd, 99, 0, 0) == -EINVAL


def test_clone_flags(world: World) -> None:
    call = world.init.call
    assert call("clone", CLONE_THREAD_FLAGS, 0, 0, 0, 0) == "proceed"
    assert call("clone", 0xDEADBEEF_00000000 | 17, 0, 0, 0, 0) == "proceed"
    assert call("clone", CLONE_NEWUSER | 17, 0, 0, 0, 0) == -EPERM
    assert call("clone", CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0) == -EINVAL
    assert call("clone", CLONE_PARENT | 17, 0, 0, 0, 0) == -EINVAL  # a sibling of the first process
    assert call("clone", CLONE_PIDFD | 17, 0, 0x10, 0, 0) == -EFAULT
    assert call("clone", CLONE_PIDFD | CLONE_PARENT_SETTID | 17, 0, BUFFER, 0, 0) == -EINVAL


def bearing(process: Process, name: str, *arguments: int) -> tuple[object, ...]:
    """What the platform is asked for by a call that makes a task."""
    assert process.call(name, *arguments) == "bear"
    return process.context.replies[-1][1:]


def test_births_by_the_sentry(world: World) -> None:
    maker = world.init
    assert bearing(maker, "clone", CLONE_UNTRACED | CLONE_PTRACE | 17, 1, 2, 3, 4) == (17, 1, 2, 3, 4, False)
    maker.context.injected(7)
    world.run()
    assert maker.last == 7
    plain = CLONE_ARGS.pack(CLONE_CLEAR_SIGHAND | CLONE_PARENT_SETTID, 0, 3, 2, 17, 0x1000, 0x100, 4, 0, 0, 0)
    expected = (CLONE_PARENT_SETTID | 17, 0x1100, 2, 3, 4, True)
    assert bearing(maker, "clone3", maker.poke(plain), len(plain)) == expected
    maker.context.injected(-EAGAIN)
    world.run()
    assert maker.last == -EAGAIN
    thread = CLONE_ARGS.pack(CLONE_THREAD_FLAGS, 0, 0, 0, 0, 0x1000, 0x100, 0, 0, 0, 0)
    assert maker.call("clone3", maker.poke(thread), len(thread)) == -ENOSYS
    world.kernel.limits.tasks_max = 1
    assert maker.call("clone3", maker.poke(plain), len(plain)) == -EAGAIN


def test_a_pidfd_is_there_before_the_child_runs(world: World) -> None:
    maker = world.init
    plain = CLONE_ARGS.pack(CLONE_PIDFD, BUFFER + 0x100, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    maker.poke((99).to_bytes(4, "little"), 0x100)
    assert bearing(maker, "clone3", maker.poke(plain), len(plain)) == (17, 0, 0, 0, 0, False)
    assert maker.number(0x100) == 99
    child = world.platform.new_context()
    world.dispatcher.birth(maker.context, child, 17)
    number = maker.number(0x100)
    assert maker.task.fds.get(number).group.tgid == child.guest_tid
    assert maker.task.fds.is_cloexec(number)
    assert child.data.fds.find(number) is None
    maker.context.injected(child.guest_tid)
    world.run()
    assert maker.last == child.guest_tid


def test_a_child_whose_pidfd_has_no_room_never_runs(world: World) -> None:
    maker = world.init
    plain = CLONE_ARGS.pack(CLONE_PIDFD, BUFFER + 0x100, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    bearing(maker, "clone3", maker.poke(plain), len(plain))
    maker.task.fds.limit = 0  # a sibling has taken the last number meanwhile
    child = world.platform.new_context()
    world.dispatcher.birth(maker.context, child, 17)
    assert [signal for signal, *_ in child.signals] == [9]
    maker.context.injected(child.guest_tid)
    world.run()
    assert maker.last == -EMFILE
    assert maker.call("clone3", maker.poke(plain), len(plain)) == -EMFILE


def test_unshare_splits_descriptors_and_folders(world: World) -> None:
    sibling = world.init.fork(flags=CLONE_FILES | CLONE_FS | 17)
    assert sibling.task.fds is world.init.task.fds
    assert sibling.call("unshare", CLONE_FILES) == "proceed"
    assert sibling.task.fds is not world.init.task.fds
    assert sibling.call("unshare", CLONE_FS) == 0
    assert sibling.task.fs is not world.init.task.fs
    assert sibling.call("unshare", CLONE_FILES) == 0
    assert sibling.call("unshare", CLONE_NEWPID) == -EPERM
    assert sibling.call("unshare", 1) == -EINVAL
    sibling.thread()
    assert sibling.call("unshare", CLONE_THREAD) == -EINVAL


def test_limits_are_kept_and_followed(world: World) -> None:
    process = world.init
    assert process.call("setrlimit", RLIMIT_NOFILE, process.poke(RLIMIT.pack(50, 60))) == 0
    assert process.task.fds.limit == 50
    assert process.context.limits[RLIMIT_NOFILE] == (50, 60)
    assert process.call("getrlimit", RLIMIT_NOFILE, BUFFER + 64) == 0
    assert RLIMIT.unpack(process.peek(16, 64)) == (50, 60)
    assert process.call("setrlimit", RLIMIT_NOFILE, process.poke(RLIMIT.pack(70, 60))) == -EINVAL
    assert process.call("getrlimit", 16, BUFFER) == -EINVAL
    assert process.call("getrlimit", RLIMIT_STACK, 8) == -EFAULT
    child = process.fork()
    assert child.task.group.limits[RLIMIT_NOFILE] == (50, 60)


def test_only_the_privileged_raise_a_hard_limit(world: World) -> None:
    child = world.init.fork().become(1000)
    child.call("setrlimit", RLIMIT_NPROC, child.poke(RLIMIT.pack(5, 5)))
    assert child.call("setrlimit", RLIMIT_NPROC, child.poke(RLIMIT.pack(5, 6))) == -EPERM
    assert world.init.call("prlimit64", child.pid, RLIMIT_NPROC, world.init.poke(RLIMIT.pack(5, 6)), 0) == 0
    assert child.call("prlimit64", 1, RLIMIT_NPROC, 0, BUFFER) == -EPERM
    assert child.call("prlimit64", NOWHERE, RLIMIT_NPROC, 0, BUFFER) == -ESRCH
    assert world.init.call("setrlimit", RLIMIT_NOFILE, world.init.poke(RLIMIT.pack(5, 1 << 21))) == -EPERM


def test_prctl_name(world: World) -> None:
    process = world.init
    assert process.call("prctl", PR_SET_NAME, process.poke(b"a-name-that-is-too-long\0")) == 0
    assert process.task.name == b"a-name-that-is-"
    assert process.call("prctl", PR_GET_NAME, BUFFER + 100) == 0
    assert process.peek(16, 100) == b"a-name-that-is-\0"
    assert process.call("prctl", PR_SET_NAME, 16) == -EFAULT


def test_prctl_privileges(world: World) -> None:
    process = world.init
    assert process.call("prctl", PR_SET_NO_NEW_PRIVS, 0) == -EINVAL
    assert process.call("prctl", PR_SET_NO_NEW_PRIVS, 1, 1) == -EINVAL
    assert process.call("prctl", PR_SET_NO_NEW_PRIVS, 1) == 0
    assert process.call("prctl", PR_GET_NO_NEW_PRIVS) == 1
    assert process.fork().call("prctl", PR_GET_NO_NEW_PRIVS) == 1
    assert process.call("prctl", PR_CAPBSET_READ, 41) == -EINVAL
    assert process.call("prctl", PR_CAPBSET_READ, 7) == 1
    assert process.call("prctl", PR_CAPBSET_DROP, 7) == 0
    assert process.call("prctl", PR_CAPBSET_READ, 7) == 0
    assert process.call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 6) == -EPERM
    assert process.call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 6) == 0
    assert process.call("prctl", PR_SET_DUMPABLE, 2) == -EINVAL
    assert process.call("prctl", PR_SET_DUMPABLE, 0) == 0
    assert process.call("prctl", PR_GET_DUMPABLE) == 0
    assert process.call("prctl", 0x7FFF) == -EINVAL
    process.become(1000)
    assert process.call("prctl", PR_CAPBSET_DROP, 6) == -EPERM
    assert process.call("prctl", PR_SET_MM, 1) == -EPERM


def test_subreaper_inherits_orphans(world: World) -> None:
    reaper = world.init.fork()
    assert reaper.call("prctl", PR_SET_CHILD_SUBREAPER, 1) == "proceed"
    middle = reaper.fork()
    orphan = middle.fork()
    middle.die()
    assert orphan.call("getppid") == reaper.pid


def test_pdeathsig_is_sent(world: World) -> None:
    parent = world.init.fork()
    child = parent.fork()
    assert child.call("prctl", PR_SET_PDEATHSIG, 65) == -EINVAL
    assert child.call("prctl", PR_SET_PDEATHSIG, 15) == 0
    parent.die()
    assert child.context.signals == [(15, False, None)]


def test_scheduling_checks_who(world: World) -> None:
    child = world.init.fork().become(1000)
    assert child.call("sched_getaffinity", 0, 128, BUFFER) == "proceed"
    assert child.call("sched_setaffinity", 1, 128, BUFFER) == -EPERM
    assert child.call("sched_getaffinity", NOWHERE, 128, BUFFER) == -ESRCH
    assert child.call("sched_setscheduler", 0, 1, BUFFER) == "proceed"  # the host refuses it
    assert child.call("sched_setscheduler", 1, 1, BUFFER) == -EPERM
    assert child.call("sched_setattr", 0, BUFFER, 0) == "proceed"
    assert child.call("sched_setattr", 1, BUFFER, 0) == -EPERM
    assert child.call("sched_setattr", 0, 0, 0) == child.call("sched_setattr", 0, BUFFER, 1) == -EINVAL
    assert child.call("sched_setscheduler", 0, 99, BUFFER) == -EINVAL
    assert child.call("sched_setscheduler", 0, 0, BUFFER) == "proceed"
    assert child.call("sched_get_priority_max", 1) == 99
    assert child.call("sched_get_priority_min", 99) == -EINVAL
    assert child.call("getpriority", 9, 0) == -EINVAL
    assert child.call("setpriority", 0, 1, 5) == -EPERM
    assert child.call("setpriority", 0, 0, 5) == "proceed"
    assert child.call("setpriority", 2, 4711, 5) == -ESRCH


def test_kcmp_tells_what_is_shared(world: World) -> None:
    child = world.init.fork(flags=CLONE_FILES | 17)
    assert world.init.call("kcmp", 1, child.pid, 2, 0, 0) == 0
    assert world.init.call("kcmp", 1, child.pid, 1, 0, 0) in (1, 2)
    assert world.init.call("kcmp", 1, child.pid, 0, 3, 3) == -EBADF
    assert world.init.call("kcmp", 1, NOWHERE, 0, 3, 3) == -ESRCH
    assert child.become(1000).call("kcmp", 1, child.pid, 1, 0, 0) == -EPERM
