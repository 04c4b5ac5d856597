"""The host calls that nothing can replace, and /proc: asked for when a sandbox does not start, and by ``doctor``."""

import ctypes
import errno
import os
from collections.abc import Callable
from typing import Final

from sandboxctl.doctor.check import Check, Verdict

_SYS_STATX, _SYS_SECCOMP, _SYS_MEMFD_CREATE = 332, 317, 319
_SYS_PROCESS_VM_READV, _SYS_PROCESS_VM_WRITEV = 310, 311
_FORBIDDEN: Final = (errno.EPERM, errno.ENOSYS, errno.EACCES)
_REMEDY: Final = "allow it in the seccomp profile that is around this process (docker: --security-opt seccomp=FILE)"

_TRACING_REMEDY: Final = (
    "start sandboxctl outside of the other sandbox, or allow ptrace in the seccomp profile around this process"
)


class _Piece(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _own_memory(libc: ctypes.CDLL, number: int) -> int:
    here = ctypes.create_string_buffer(1)
    piece = _Piece(ctypes.addressof(here), 1)
    return int(libc.syscall(number, os.getpid(), ctypes.byref(piece), 1, ctypes.byref(piece), 1, 0))


#: each is asked for something harmless; that its arguments may be refused is no matter
_ASKED: Final[dict[str, Callable[[ctypes.CDLL], int]]] = {
    "statx": lambda libc: int(libc.syscall(_SYS_STATX, -1, None, 0, 0, None)),
    "seccomp": lambda libc: int(libc.syscall(_SYS_SECCOMP, -1, 0, None)),
    "memfd_create": lambda libc: int(libc.syscall(_SYS_MEMFD_CREATE, None, 0)),
    "process_vm_readv": lambda libc: _own_memory(libc, _SYS_PROCESS_VM_READV),
    "process_vm_writev": lambda libc: _own_memory(libc, _SYS_PROCESS_VM_WRITEV),
}


def forbidden_calls() -> list[str]:
    """The names of the calls without which no sandbox works and which this host refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    return [name for name, ask in _ASKED.items() if ask(libc) < 0 and ctypes.get_errno() in _FORBIDDEN]


def check_calls() -> Check:
    """Calls without which no sandbox works."""
    missing = forbidden_calls()
    if missing:
        return Check("host calls", Verdict.BROKEN, f"this host forbids {', '.join(missing)}", _REMEDY)
    return Check("host calls", Verdict.OK, "all that are needed are allowed")


def check_proc() -> Check:
    """The sentry reads its guests' states from /proc."""
    if os.path.exists("/proc/self/status"):
        return Check("/proc", Verdict.OK, "mounted")
    return Check("/proc", Verdict.BROKEN, "no proc file system is mounted at /proc", "mount -t proc proc /proc")


def check_tracing() -> Check:
    """Guests are seized with ptrace(2): a child of ours asks to be traced."""
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        os._exit(ctypes.get_errno() & 0xFF if libc.ptrace(0, 0, None, None) else 0)
    error = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if error:
        why = f"processes cannot be traced here ({os.strerror(error) if error > 0 else 'killed'})"
        return Check("ptrace", Verdict.BROKEN, why, _TRACING_REMEDY)
    return Check("ptrace", Verdict.OK, "allowed")


def why_nothing_starts() -> str:
    """One line with the remedy, or nothing if it is not one of these."""
    for check in (check_proc(), check_calls(), check_tracing()):
        if check.verdict is Verdict.BROKEN:
            return f"{check.text}: {check.remedy}"
    return ""
