"""Engines start the runtime three to five times for a container: what a command does not need is not imported."""

import subprocess
import sys

import pytest

HEAVY = {"click", "rich", "subprocess", "sandboxctl.session", "sandboxctl.state.keeper", "asyncio", "logging", "sentry.boot.main"}


@pytest.mark.parametrize("module", ["life", "execute", "create", "manage"])
def test_what_is_not_needed_is_not_imported(module):
    """The keeper imports the session after it has started the sentry, so that both import at once."""
    code = f"import sys, sandboxctl.oci.main, sandboxctl.oci.{module}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(found) == set()
