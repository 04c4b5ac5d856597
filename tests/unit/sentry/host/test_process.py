"""Host processes and their clocks, seen from the sentry."""

import os

import pytest

from sentry.host import clock
from sentry.host.process import close_pidfd, exists, open_pidfd
from syscalls.abi.errno import ECHILD
from syscalls.abi.errors import SyscallError

GONE = (1 << 22) + 5  # above every number that Linux gives out


def test_a_zombie_exists_until_it_is_waited_for() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert exists(child)
    close_pidfd(open_pidfd(child))
    os.waitpid(child, 0)
    assert not exists(GONE)


def test_there_is_no_handle_of_who_is_gone() -> None:
    with pytest.raises(SyscallError) as caught:
        open_pidfd(GONE)
    assert caught.value.errno == ECHILD


def test_processor_time_is_that_of_the_process_and_never_runs_back() -> None:
    before = clock.process_cpu_ns(os.getpid())
    sum(range(10_000))
    after = clock.process_cpu_ns(os.getpid())
    assert 0 < before <= after
    assert clock.thread_cpu_ns(os.getpid()) >= 0
    assert clock.process_cpu_ns(GONE) == clock.thread_cpu_ns(GONE) == 0


def test_the_time_of_a_thread_without_schedstat_is_counted_in_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """proc_pid_stat(5): utime and stime are fields 14 and 15; the name may hold blanks and brackets."""
    stat = b"7 (a) b (c) R " + b" ".join(b"%d" % number for number in range(4, 30))
    monkeypatch.setattr(clock.procfs, "read_thread", lambda tid, name: stat if name == "stat" else None)
    assert clock.thread_cpu_ns(7) == (14 + 15) * 10_000_000
    monkeypatch.setattr(clock.procfs, "read_thread", lambda tid, name: None)
    assert clock.thread_cpu_ns(7) == 0
    monkeypatch.setattr(clock.procfs, "read_thread", lambda tid, name: b"123 456 7\n" if name == "schedstat" else stat)
    assert clock.thread_cpu_ns(7) == 123
