"""Whether this host lets us listen to seccomp notifications (seccomp(2), SECCOMP_FILTER_FLAG_NEW_LISTENER).

A thread without a filter may always; below another's filter a listener can be forbidden, or there is one already and the
kernel allows no second. Only a trial tells, so a child makes one.
"""

import errno
import os
from typing import Final

from sentry.platform.interface import PlatformError

_PR_SET_NO_NEW_PRIVS, _PR_GET_SECCOMP = 38, 21
_SYS_SECCOMP: Final = 317
_GET_ACTION_AVAIL, _RET_USER_NOTIF = 2, 0x7FC00000
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
#: SECCOMP_IOCTL_NOTIF_ADDFD, its argument's size, and the answers of a kernel that knows it (no such notification, descriptor)
_ADD_FD, _ADD_FD_SIZE, _UNDERSTOOD = 0x40182103, 24, (errno.ENOENT, errno.EBADF, errno.EINPROGRESS)


def listener_error() -> int:
    """0, or the errno with which the host refuses a listener.

    EBUSY: another one is there; EOPNOTSUPP: before Linux 5.0; ENOTTY: it cannot give descriptors (before Linux 5.9).
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    action = ctypes.c_uint32(_RET_USER_NOTIF)
    if libc.syscall(_SYS_SECCOMP, _GET_ACTION_AVAIL, 0, ctypes.byref(action)):
        return ctypes.get_errno()
    if libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) == 0:
        return 0
    allow = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\xff\x7f", 8)  # struct sock_filter: return SECCOMP_RET_ALLOW

    class Program(ctypes.Structure):
        """struct sock_fprog."""

        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    program = Program(1, ctypes.addressof(allow))
    pid = os.fork()
    if pid == 0:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        fd = libc.syscall(_SYS_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program))
        if fd < 0:
            os._exit(ctypes.get_errno())
        libc.ioctl(fd, _ADD_FD, ctypes.create_string_buffer(_ADD_FD_SIZE))  # of a notification that does not exist
        os._exit(0 if ctypes.get_errno() in _UNDERSTOOD else errno.ENOTTY)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else errno.EPERM  # killed by the filter that is there


def explain(error: int) -> str:
    """What a refused listener means."""
    if error == errno.EBUSY:
        return "another program listens to seccomp notifications here already (podman's notify, LXD, another sandbox)"
    if error in (errno.EOPNOTSUPP, errno.ENOSYS):
        return "this kernel has no seccomp notification"
    if error == errno.ENOTTY:
        return "seccomp notification cannot give descriptors here (SECCOMP_IOCTL_NOTIF_ADDFD)"
    return f"seccomp notification is refused here: {os.strerror(error)}"


def require_listener() -> None:
    """Raises PlatformError with what to do."""
    error = listener_error()
    if error:
        raise PlatformError(f"{explain(error)}; use --platform ptrace")
