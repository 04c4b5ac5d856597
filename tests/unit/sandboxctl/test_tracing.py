"""What the doctor makes of Yama's scopes; the kernel's part is injected, as most machines have scope 0 or 1."""

import errno

import pytest

from sandboxctl.doctor import tracing
from sandboxctl.doctor.calls import why_nothing_starts
from sandboxctl.doctor.check import Verdict


def place(monkeypatch, scope, *, capabilities="0000000000000000", namespaces=errno.EPERM):
    files = {"/proc/sys/kernel/yama/ptrace_scope": scope, "/proc/self/status": f"Name:\tx\nCapEff:\t{capabilities}"}
    monkeypatch.setattr(tracing.proc_files, "read", files.get)
    monkeypatch.setattr(tracing, "user_namespace_error", lambda: namespaces)


@pytest.mark.parametrize("scope", [None, "0", "1"])
def test_scopes_that_do_not_matter(monkeypatch, scope):
    place(monkeypatch, scope)
    assert tracing.check_yama().verdict is Verdict.OK


def test_scope_2_with_the_capability(monkeypatch):
    place(monkeypatch, "2", capabilities="00000000000c0000")
    assert "CAP_SYS_PTRACE" in tracing.check_yama().text
    assert tracing.check_yama().verdict is Verdict.OK


def test_scope_2_where_guests_get_a_user_namespace(monkeypatch):
    place(monkeypatch, "2", namespaces=0)
    assert tracing.check_yama().verdict is Verdict.OK


def test_scope_2_without_either_is_one_line_with_the_remedy(monkeypatch):
    place(monkeypatch, "2")
    assert why_nothing_starts() == (
        "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may trace, and user namespaces are refused: "
        "sysctl -w kernel.yama.ptrace_scope=1, or allow user namespaces"
    )


def test_scope_3_is_refused_even_with_the_capability(monkeypatch):
    place(monkeypatch, "3", capabilities="000001ffffffffff", namespaces=0)
    assert why_nothing_starts() == (
        "kernel.yama.ptrace_scope is 3: nothing may be traced until the next boot: "
        "write kernel.yama.ptrace_scope=1 into /etc/sysctl.d and reboot, as 3 cannot be taken back before"
    )


def test_a_child_can_be_seized_here():
    assert tracing.check_tracing().verdict is Verdict.OK


def test_what_seizing_answers_is_shown(monkeypatch):
    monkeypatch.setattr(tracing, "_seize_a_child", lambda: errno.EPERM)
    check = tracing.check_tracing()
    assert (check.verdict, "Operation not permitted" in check.text) == (Verdict.BROKEN, True)
