"""Whether guests can be traced here (ptrace(2), "Ptrace access mode checking")."""

import ctypes
import os
import signal
from typing import Final

from sandboxctl.doctor import proc_files
from sandboxctl.doctor.check import Check, Verdict

_PTRACE_SEIZE, _CLONE_NEWUSER, _CAP_SYS_PTRACE = 0x4206, 0x10000000, 19
_SCOPE: Final = "/proc/sys/kernel/yama/ptrace_scope"
_OUTSIDE: Final = "start sandboxctl outside of the other sandbox, or allow ptrace in the seccomp profile around this process"


def check_yama() -> Check:
    """Who may trace whom (Yama). The sentry traces its own descendants, in a user namespace of its own if it can have one."""
    scope = proc_files.number(_SCOPE)
    if scope is None or scope == 0:
        return Check("ptrace (Yama)", Verdict.OK, "not restricted")
    if scope == 1:
        return Check("ptrace (Yama)", Verdict.OK, "descendants only, which is enough")
    text = f"kernel.yama.ptrace_scope is {scope}"
    if scope > 2:
        remedy = "write kernel.yama.ptrace_scope=1 into /etc/sysctl.d and reboot, as 3 cannot be taken back before"
        return Check("ptrace (Yama)", Verdict.BROKEN, f"{text}: nothing may be traced until the next boot", remedy)
    if _has_ptrace_capability():
        return Check("ptrace (Yama)", Verdict.OK, f"{text}, and this process has CAP_SYS_PTRACE")
    if user_namespace_error() == 0:
        return Check("ptrace (Yama)", Verdict.OK, f"{text}, and guests are in a user namespace of their tracer's")
    return Check(
        "ptrace (Yama)",
        Verdict.BROKEN,
        f"{text}: only CAP_SYS_PTRACE may trace, and user namespaces are refused",
        "sysctl -w kernel.yama.ptrace_scope=1, or allow user namespaces",
    )


def check_tracing() -> Check:
    """Guests are seized with ptrace(2), in their own user namespace where there is one: so is a child's child here."""
    pid = os.fork()
    if pid == 0:
        os._exit(_seize_a_child() & 0xFF)
    error = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if error:
        why = f"processes cannot be traced here ({os.strerror(error) if error > 0 else 'killed'})"
        return Check("ptrace", Verdict.BROKEN, why, _OUTSIDE)
    return Check("ptrace", Verdict.OK, "allowed")


def user_namespace_error() -> int:
    """0, or the errno of unshare(CLONE_NEWUSER) in a child of ours."""
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        os._exit(ctypes.get_errno() if libc.unshare(_CLONE_NEWUSER) else 0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _seize_a_child() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        libc.unshare(_CLONE_NEWUSER)  # refused: then guests stay in ours as well
        os.write(told, b"r")
        signal.pause()
    os.read(ready, 1)
    error = ctypes.get_errno() if libc.ptrace(_PTRACE_SEIZE, child, None, None) else 0
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return error


def _has_ptrace_capability() -> bool:
    status = proc_files.read("/proc/self/status") or ""
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> _CAP_SYS_PTRACE & 1)
