"""Which platform is used where: by itself the best one that the host allows, by name only that one."""

import errno

import pytest

from sentry.platform import choose, probe
from sentry.platform.choose import choose_platform
from sentry.platform.interface import PlatformError


@pytest.fixture
def host(monkeypatch):
    def make(*, is_filtered: bool = True, error: int = 0, is_old: bool = False) -> None:
        monkeypatch.setattr(choose, "is_filtered", lambda: is_filtered)
        monkeypatch.setattr(choose, "is_old", lambda: is_old)
        monkeypatch.setattr(probe, "listener_error", lambda: error)

    return make


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"is_filtered": False, "error": errno.EBUSY}, "notify"),
        ({}, "notify"),
        ({"error": errno.EBUSY}, "ptrace"),
        ({"error": errno.EPERM}, "ptrace"),
        ({"is_old": True, "is_filtered": False}, "ptrace"),
    ],
)
def test_the_best_one_that_is_allowed(host, facts, name):
    host(**facts)
    assert choose_platform("", str).name == name


def test_what_was_asked_for_or_a_refusal_that_names_the_other(host):
    host(error=errno.EBUSY)
    with pytest.raises(PlatformError, match=r"another program listens .* use --platform ptrace"):
        choose_platform("notify", str)
    assert choose_platform("ptrace", str).name == "ptrace"
    host(error=errno.EPERM)
    with pytest.raises(PlatformError, match="refused here: Operation not permitted; use --platform ptrace"):
        choose_platform("notify", str)
    with pytest.raises(PlatformError, match="not available"):
        choose_platform("kvm", str)


@pytest.mark.parametrize(("release", "is_old"), [("5.8.0-1", True), ("5.9", False), ("4.19.0-27-amd64", True), ("6.1.0", False)])
def test_old_kernels(monkeypatch, release, is_old):
    monkeypatch.setattr(choose.os, "uname", lambda: type("Uname", (), {"release": release}))
    assert choose.is_old() is is_old


def test_this_host_is_asked_without_harm():
    assert probe.listener_error() in {0, errno.EBUSY, errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS}
    assert "notification" in probe.explain(errno.EOPNOTSUPP)
