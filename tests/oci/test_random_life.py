"""Random sequences of operations: ours, Debian's runc and a table made from runtime.md must agree after each."""

import json
import os
import shutil
import subprocess
import time
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: (operation, state before): the state after; what is missing is an error and changes nothing
TABLE = {
    ("create", "none"): "created",
    ("start", "created"): "running",
    ("kill", "created"): "stopped",
    ("kill", "running"): "stopped",
    ("kill", "paused"): "stopped",
    ("pause", "created"): "paused",
    ("pause", "running"): "paused",
    ("delete", "created"): "none",
    ("delete", "stopped"): "none",
    ("exec", "running"): "running",
    **{("force", state): "none" for state in ("none", "created", "running", "paused", "stopped")},
}
WORDS = {
    "start": ("start", "c1"),
    "kill": ("kill", "c1", "KILL"),
    "pause": ("pause", "c1"),
    "resume": ("resume", "c1"),
    "delete": ("delete", "c1"),
    "force": ("delete", "--force", "c1"),
    "exec": ("exec", "c1", "/bin/true"),
}
OPERATIONS = ("create", *WORDS)
EXAMPLES = 40 if os.environ.get("SANDBOXCTL_ENGINES") else 4
TIME_MAX = 100
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


class Model:
    """What runtime.md says; pausing is runc's."""

    def __init__(self):
        self.state = "none"
        self.before_pause = "created"

    def do(self, operation):
        after = TABLE.get((operation, self.state))
        if operation == "resume" and self.state == "paused":
            after = self.before_pause
        if operation == "pause" and after:
            self.before_pause = self.state
        self.state = after or self.state
        return after is not None


class Driver:
    """One runtime with one container at most."""

    def __init__(self, command, folder, bundle):
        self.command = [*command, "--root", str(folder)]
        self.bundle = bundle

    def call(self, *words):
        """Its streams are files: a container that goes on keeps them open."""
        with open(self.bundle / "output", "w+b") as output:
            done = subprocess.run(
                [*self.command, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=TIME_MAX, check=False
            )
            output.seek(0)
            return SimpleNamespace(is_good=done.returncode == 0, text=output.read().decode())

    def do(self, operation):
        words = WORDS.get(operation) or ("create", "--bundle", str(self.bundle), "c1")
        return self.call(*words)

    def state(self):
        told = self.call("state", "c1")
        return json.loads(told.text)["status"] if told.is_good else "none"

    def reaches(self, state):
        """A kill ends the container a moment later."""
        deadline = time.monotonic() + TIME_MAX
        while (found := self.state()) != state:
            assert state == "stopped", found
            assert time.monotonic() < deadline, found


@pytest.fixture
def drivers(runtime, tmp_path, rootfs):
    process = {"args": ["/bin/sleep", "1000"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"]}
    linux = {"namespaces": [{"type": kind} for kind in ("pid", "network", "mount")]}
    linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"}]
    spec = {"ociVersion": "1.0.2", "process": process, "root": {"path": str(rootfs)}, "mounts": mounts, "linux": linux}
    (tmp_path / "config.json").write_text(json.dumps(spec))
    made = [Driver([runtime], tmp_path / "ours", tmp_path)]
    runc = shutil.which("runc")
    if runc and os.geteuid() == 0:
        theirs = Driver([runc], tmp_path / "theirs", tmp_path)
        if theirs.do("create").is_good:  # not in every container
            made.append(theirs)
        theirs.do("force")
    yield made
    for driver in made:
        driver.do("force")


@pytest.mark.timeout(1200)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=SLOW)
@given(operations=st.lists(st.sampled_from(OPERATIONS), min_size=4, max_size=12))
def test_random_sequences_agree(drivers, operations):
    for driver in drivers:
        model = Model()
        for operation in ["force", "create", *operations]:
            before = model.state
            is_good = model.do(operation)
            done = driver.do(operation)
            assert done.is_good == is_good, (driver.command, operation, before, done.text)
            driver.reaches(model.state)
