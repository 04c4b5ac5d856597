"""Guests that attack the mechanism: foreign entry points, the stub, forbidden births, races, and the death of the sentry."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from isolated import NOBODY, isolated
from passthrough import Passthrough
from test_contract import DEGRADED, World, run

from sentry.platform.interface import JailConfig

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.security


def test_foreign_entry_points_and_unknown_numbers(guest):
    assert isolated(run, guest, "foreign") == (0, b"x32 -1 38\ni386 -38\nnone -1 38\n")


def test_the_stubs_rights_are_worth_nothing_to_a_guest(guest):
    def scenario():
        with World() as sink:
            sink.handlers["mmap"] = lambda context, a, b, prot, flags, fd, off: (
                -errno.EBADF if fd >= 1024 else sink.sys_mmap(context, a, b, prot, flags, fd, off)
            )
            sink.handlers["close"] = lambda context, fd, *_: -errno.EBADF if fd >= 1024 else sink.sys_close(context, fd)
            sink.handlers["open"] = lambda *_: -errno.ENOENT
            return sink.run_program(guest, "stub", "1024")

    status, output = isolated(scenario)
    assert (status, output) == (0, b"shared -9 own -9 load -9 closed -9 list -9 open -2\n")


@pytest.mark.parametrize("disable", DEGRADED.values(), ids=DEGRADED.keys())
def test_births_that_would_escape_are_refused(guest, disable):
    status, output = isolated(run, guest, "clone", disable=disable)
    assert status == 0
    assert {line.split()[1] for line in output.splitlines()} == {b"-%d" % errno.ENOSYS}


@pytest.mark.parametrize("disable", ["", "userns"], ids=["namespaces", "none"])
def test_the_number_of_tasks_is_limited(guest, disable):
    def scenario():
        with World(tasks_max=64) as sink:
            return sink.run_program(guest, "bomb")

    assert isolated(scenario, disable=disable) == (0, b"bomb limited errno 11\n")


def test_births_and_deaths_that_cross(guest):
    assert isolated(run, guest, "storm") == (0, b"storm over\n")


@pytest.mark.slow
def test_a_path_that_changes_during_exec_runs_nothing_of_the_host(guest):
    status, output = isolated(run, guest, "race")
    assert status == 0
    assert set(output.splitlines()) <= {b"stub", b"race over"}


def _descendants(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            if int(stat.rsplit(")", 1)[1].split()[1]) == pid:
                found += [int(entry), *_descendants(int(entry))]
    return found


SENTRY = f"""
import os, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "unit" / "platform")!r}]
from isolated import read_before_drop
from passthrough import Passthrough
from sentry.platform.interface import JailConfig
from sentry.platform.notify.platform import NotifyPlatform
if os.geteuid() == 0:
    read_before_drop()
    os.setgroups([]); os.setresgid({NOBODY}, {NOBODY}, {NOBODY}); os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
sink = Passthrough()
sink.start(NotifyPlatform(), JailConfig(b"guest"))
sink.spawn([b"/bin/sh", b"-c", b"sleep 90 & sleep 90 & sleep 90; :"])
while sink.execs < 4:
    sink.platform.run_once(100_000_000)
print("ready", flush=True)
while True:
    sink.platform.run_once(None)
"""


@pytest.mark.parametrize("disable", ["", "userns"], ids=["namespaces", "none"])
def test_everything_dies_with_the_sentry(disable):
    sentry = subprocess.Popen(
        [sys.executable, "-c", SENTRY], stdout=subprocess.PIPE, env={**os.environ, "SANDBOXCTL_DISABLE": disable}
    )
    try:
        assert sentry.stdout.readline() == b"ready\n"
        family = _descendants(sentry.pid)
    finally:
        os.kill(sentry.pid, signal.SIGKILL)
        sentry.wait()
        sentry.stdout.close()
    assert len(family) >= 4
    pidfds = []
    for pid in family:
        try:
            pidfds.append(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
    import select

    for pidfd in pidfds:
        assert select.select([pidfd], [], [], 5)[0], "a process outlives the sentry"
        os.close(pidfd)


def test_the_sentrys_own_filter_holds_and_lets_it_work(guest):
    def scenario():
        sink = Passthrough()
        from sentry.platform.notify.platform import NotifyPlatform

        platform = NotifyPlatform()
        sink.start(platform, JailConfig(b"guest"))
        platform.confine_sentry(has_overlay_on_disk=False)
        result = sink.run_program("/bin/sh", "-c", "echo a | cat")
        try:
            os.mkdir("/tmp/never")
            refused = False
        except PermissionError:
            refused = True
        return result, refused

    assert isolated(scenario) == ((0, b"a\n"), True)


def test_births_of_a_guest_that_is_root_outside_are_counted_too(guest):
    def scenario():
        with World(tasks_max=32) as sink:
            return sink.run_program(guest, "bomb")

    if os.geteuid() != 0:
        pytest.skip("only root can have such guests")
    assert isolated(scenario, as_root=True) == (0, b"bomb limited errno 11\n")


def test_memory_is_limited_for_each_process_where_there_is_no_control_group():
    def scenario():
        with World(memory_max=128 << 20) as sink:
            return sink.run_program("/bin/sh", "-c", "x=$(printf %300000000d 1); echo survived") == (0, b"survived\n")

    assert not isolated(scenario)
