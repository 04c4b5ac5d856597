"""The host calls that nothing can replace, and /proc: asked for when a sandbox does not start, and by ``doctor``."""

import ctypes
import errno
import os
from collections.abc import Callable
from typing import Final

from sandboxctl.doctor.check import Check, Verdict
from sandboxctl.doctor.tracing import check_tracing, check_yama

_SYS_STATX, _SYS_SECCOMP, _SYS_MEMFD_CREATE = 332, 317, 319
_SYS_PROCESS_VM_READV, _SYS_PROCESS_VM_WRITEV = 310, 311
_FORBIDDEN: Final = (errno.EPERM, errno.ENOSYS, errno.EACCES)
_REMEDY: Final = "allow it in the seccomp profile that is around this process (docker: --security-opt seccomp=FILE)"


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
}
#: /proc/PID/mem does the same, slowly
_REPLACED: Final[dict[str, Callable[[ctypes.CDLL], int]]] = {
    "process_vm_readv": lambda libc: _own_memory(libc, _SYS_PROCESS_VM_READV),
    "process_vm_writev": lambda libc: _own_memory(libc, _SYS_PROCESS_VM_WRITEV),
}


def _forbidden(asked: dict[str, Callable[[ctypes.CDLL], int]]) -> str:
    """The names of those calls that this host refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    return ", ".join(name for name, ask in asked.items() if ask(libc) < 0 and ctypes.get_errno() in _FORBIDDEN)


def check_calls() -> Check:
    """Calls without which no sandbox works."""
    missing = _forbidden(_ASKED)
    if missing:
        return Check("host calls", Verdict.BROKEN, f"this host forbids {missing}", _REMEDY)
    missing = _forbidden(_REPLACED)
    if missing:
        text = f"this host forbids {missing}: /proc/PID/mem is used, which is slower"
        return Check("host calls", Verdict.WEAKER, text, _REMEDY)
    return Check("host calls", Verdict.OK, "all that are needed are allowed")


def check_proc() -> Check:
    """The sentry reads its guests' states from /proc."""
    if os.path.exists("/proc/self/status"):
        return Check("/proc", Verdict.OK, "mounted")
    return Check("/proc", Verdict.BROKEN, "no proc file system is mounted at /proc", "mount -t proc proc /proc")


def why_nothing_starts() -> str:
    """One line with the remedy, or nothing if it is not one of these."""
    for check in (check_proc(), check_calls(), check_yama(), check_tracing()):
        if check.verdict is Verdict.BROKEN:
            return f"{check.text}: {check.remedy}"
    return ""
