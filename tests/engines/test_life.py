"""Sandboxes of the command line: random lives beside a model, deaths of our own processes, and many at once."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import SANDBOXCTL, TIME_MAX, Caller

IS_WHOLE = bool(os.environ.get("SANDBOXCTL_ENGINES"))
EXAMPLES, STEPS, COUNT = (40, 14, 50) if IS_WHOLE else (3, 6, 4)
PROGRAM = "echo run >>/opt/runs; cat /opt/runs | wc -l; exec sleep 1000"
#: what each command makes of each state; what is not named is refused and changes nothing
MOVES = {
    "create": {"absent": "created"},
    "start": {"created": "running", "exited": "running"},
    "stop": {"created": "created", "exited": "exited", "running": "exited", "paused": "exited"},
    "kill": {"running": "exited", "paused": "exited"},
    "pause": {"running": "paused"},
    "unpause": {"paused": "running"},
    "rm": {"created": "absent", "exited": "absent"},
    "rm-f": {"absent": "absent", "created": "absent", "exited": "absent", "running": "absent", "paused": "absent"},
    "keeper-dies": {"running": "exited", "paused": "exited"},
    "sentry-dies": {"running": "exited"},
}
WORDS = {"stop": ("stop", "--time", "0"), "rm-f": ("rm", "--force")}


class Life:
    """One name, what we think of it, and what there is."""

    def __init__(self, call):
        self.call = call
        self.name = call.name("life")
        self.state = "absent"
        self.kept = self.runs = self.lines = 0

    def step(self, command):
        new = MOVES[command].get(self.state)
        if command.endswith("-dies"):
            if new is not None:
                self._die(command)
        elif command == "create":
            words = ("create", "--name", self.name, "host", "--", "sh", "-c", PROGRAM)
            self.call(*words, status=0 if new else 125)
        else:
            self.call(*WORDS.get(command, (command,)), self.name, status=0 if new is not None else 125)
        if new is not None:
            self._moved(command, new)
        self.check()

    def _moved(self, command, new):
        if command == "start":
            self.runs = self.kept + 1
            self.lines += 1
            self._until(lambda: len(self.call("logs", self.name).stdout.split()) == self.lines)
        elif new == "exited" and self.state != "exited":
            self.call("wait", self.name)
            if command in {"stop", "kill"}:
                self.kept = self.runs
        elif new == "absent":
            self.kept = self.runs = self.lines = 0
        self.state = new

    def _die(self, command):
        keeper = int(self.call("inspect", "--format", "{{.State.Pid}}", self.name).stdout)
        victim = keeper
        if command == "sentry-dies":
            with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as file:
                victim = int(file.read().split()[0])
        end = os.pidfd_open(keeper)
        os.kill(victim, signal.SIGKILL)
        assert signal.pidfd_send_signal is not None
        self._until(lambda: _has_ended(end))
        os.close(end)

    def check(self):
        """The state is what we think, and so is what was kept of the runs."""
        words = ("ps", "-a", "--filter", f"name={self.name}", "--format", "{{.State}}")
        assert self.call(*words).stdout.strip() == ("" if self.state == "absent" else self.state)
        if self.state == "exited" and self.lines:
            assert int(self.call("logs", "--tail", "1", self.name).stdout) == self.runs

    @staticmethod
    def _until(condition):
        deadline = time.monotonic() + TIME_MAX
        while not condition():
            assert time.monotonic() < deadline


def _has_ended(pidfd):
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(1000))


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    return Caller(tmp_path_factory.mktemp("state"))


@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(commands=st.lists(st.sampled_from(list(MOVES)), min_size=STEPS, max_size=STEPS))
def test_random_lives(call, commands):
    life = Life(call)
    try:
        for command in ("create", "start", *commands):
            life.step(command)
    finally:
        call("rm", "--force", life.name)
    life.state = "absent"
    life.check()


def test_many_at_once(call):
    names = [call.name(f"many{number}") for number in range(COUNT)]

    def live(name):
        call("create", "--name", name, "host", "--", "sh", "-c", PROGRAM)
        call("start", name)
        call("stop", "--time", "0", name)
        call("start", name)
        call("rm", "--force", name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(live, names))
    left = set(call("ps", "-a", "--format", "{{.Names}}").stdout.split())
    assert not left & set(names)


@pytest.mark.parametrize("which", ["keeper", "sentry", "program"])
def test_rm_leaves_nothing_after_any_death(call, which):
    name = call.name("gone")
    ident = call("run", "-d", "--rm", "--name", name, "host", "--", "sleep", "1000").stdout.strip()
    keeper = int(call("inspect", "--format", "{{.State.Pid}}", name).stdout)
    folder = call("inspect", "--format", "{{.StateFolder}}", name).stdout.strip()
    end = os.pidfd_open(keeper)
    if which == "program":
        call("kill", name)
    else:
        victim = keeper
        if which == "sentry":
            with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as file:
                victim = int(file.read().split()[0])
        os.kill(victim, signal.SIGKILL)
    Life._until(lambda: _has_ended(end))
    os.close(end)
    assert name not in call("ps", "-a", "--format", "{{.Names}}").stdout.split()
    assert not os.path.exists(folder)
    events = call("events", "--no-stream", "--filter", f"container={ident}", "--format", "{{.Status}}").stdout.split()
    assert events == ["create", "start", "died", "remove"]


def test_two_of_a_name_are_never_made(call):
    """However many try at once."""
    name = call.name("one")
    words = [SANDBOXCTL, "create", "--name", name, "host", "true"]
    tries = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=call.environment) for _ in range(COUNT)
    ]
    outcomes = [(attempt.communicate(timeout=TIME_MAX), attempt.returncode) for attempt in tries]
    assert sorted(code for _, code in outcomes) == [0] + [125] * (COUNT - 1)
    call("rm", name)
