"""The adapter of python-ptrace: what is not a matter of a running guest (the contract suite runs guests on it)."""

import errno
import os
import sys

import pytest

from sentry.platform._core import core as native
from sentry.platform.interface import PlatformError
from sentry.platform.ptrace.python_ptrace import PythonPtrace


@pytest.fixture
def adapter():
    core, ffi = native.load()
    return PythonPtrace(core, ffi.NULL)


def test_a_thread_that_is_not_ours_is_no_such_process(adapter):
    here = os.getpid()
    assert adapter.trace_resume(here, 0) == -errno.ESRCH
    assert adapter.trace_step(here) == -errno.ESRCH
    assert adapter.trace_call(here, 0, [0] * 6, 0) == -errno.ESRCH
    assert adapter.trace_result(here, 0, [0] * 6, -1, 0, 1) == -errno.ESRCH
    assert adapter.trace_again(here, 0) == -errno.ESRCH


def test_what_it_lacks_is_the_cores(adapter):
    assert adapter.trace_interrupt(os.getpid()) == -errno.ESRCH
    with pytest.raises(AttributeError):
        _ = adapter.trace_nothing


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ptrace", None)
    with pytest.raises(PlatformError, match=r"pip install 'sandboxctl\[ptrace\]'"):
        PythonPtrace(*native.load())
