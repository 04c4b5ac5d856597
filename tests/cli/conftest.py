"""sandboxctl with a state folder of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")
TIME_MAX = 120


class Caller:
    """Calls sandboxctl; what was started under a name is removed at the end."""

    def __init__(self, folder):
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "PYTHONWARNINGS": "ignore"}
        self.names = []

    def __call__(self, *words, status=0, **options):
        if words[0] in {"run", "create"}:
            self.names.append(words[words.index("--name") + 1])
        done = subprocess.run(
            [SANDBOXCTL, *words], capture_output=True, text=True, timeout=TIME_MAX, check=False, env=self.environment, **options
        )
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done

    def name(self, word):
        """A name that nobody else has."""
        return f"{word}-{os.getpid()}-{time.monotonic_ns()}"

    def until(self, text, *words):
        """Call until the output is ``text``."""
        deadline = time.monotonic() + TIME_MAX
        while (found := self(*words).stdout) != text:
            assert time.monotonic() < deadline, found
        return found


@pytest.fixture
def call(tmp_path):
    made = Caller(tmp_path)
    yield made
    for name in made.names:
        made("rm", "--force", name)
