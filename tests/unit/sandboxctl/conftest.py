import os
from pathlib import Path

import pytest

from sandboxctl import session
from sandboxctl.launcher import start_sentry

HERE = Path(__file__).resolve().parent
CODE = (
    "import sys;sys.path+=sys.argv[1:];import importlib.util as u;"
    f"s=u.spec_from_file_location('fake_sentry',{str(HERE / 'fake_sentry.py')!r});"
    "m=u.module_from_spec(s);s.loader.exec_module(m);m.main(3)"
)


class FakeGofer:
    """Serves nothing; remembers that it was stopped."""

    def __init__(self, _config):
        self.channel_fd = os.open("/dev/null", os.O_RDONLY)
        self.is_stopped = False

    def wait_ready(self):
        return frozenset({"seccomp"})

    def close_channel(self):
        if self.channel_fd >= 0:
            os.close(self.channel_fd)
            self.channel_fd = -1

    def stop(self):
        self.close_channel()
        self.is_stopped = True


@pytest.fixture
def fake_parts(monkeypatch):
    """Sandboxes made in the test get a fake sentry and fake gofers; gives the list of the gofers."""
    gofers = []

    def start(config):
        gofers.append(FakeGofer(config))
        return gofers[-1]

    monkeypatch.setattr(session, "start_gofer", start)
    monkeypatch.setattr(session, "start_sentry", lambda: start_sentry(CODE))
    return gofers
