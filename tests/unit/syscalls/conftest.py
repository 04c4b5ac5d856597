"""A world with a pid namespace, as on a host that allows everything."""

import pytest

from tests.unit.syscalls.process_world import World


@pytest.fixture
def world() -> World:
    return World("pidns")
