"""tmpfs and overlay against the host's own file system (rule: tests compare with the real kernel)."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentry.fs.overlay.filesystem import OverlayFileSystem
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from tests.unit.sentry.vfs.model import GuestSide, HostSide, compare_trees, operations, play
from tests.unit.sentry.vfs.world import World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "150"))
_settings = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize="MODEL_EXAMPLES" not in os.environ
)
scripts = st.lists(operations, min_size=3, max_size=30)


@pytest.fixture
def playground():
    made = []

    def make() -> HostSide:
        base = Path(tempfile.mkdtemp())
        host = HostSide(base)
        made.append((base, host))
        return host

    yield make
    for base, host in made:
        host.close()
        shutil.rmtree(base)


@pytest.mark.slow
@_settings
@given(script=scripts)
def test_tmpfs_agrees_with_the_host(playground, script):
    host, guest = playground(), GuestSide(World())
    play(script, host, guest)
    host.chdir(host.top)
    compare_trees(host, GuestSide(guest.world))


@pytest.mark.slow
@_settings
@given(before=scripts, script=scripts)
def test_overlay_agrees_with_the_host(playground, before, script):
    host, below = playground(), World()
    play(before, host, GuestSide(below))
    reference = playground()
    play(before, reference, GuestSide(World()))
    host.chdir(host.top)
    above = World(OverlayFileSystem(99, TmpFileSystem(98, below.clock), [below.root_fs]), clock=below.clock)
    guest = GuestSide(above)
    play(script, host, guest)
    host.chdir(host.top)
    compare_trees(host, GuestSide(World(above.root_fs)))
    reference.chdir(reference.top)
    compare_trees(reference, GuestSide(below))
