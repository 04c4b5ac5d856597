"""Signals and parentage through the host: what the tracer may use while it has not reaped the thread."""

import ctypes
import os
from struct import pack_into

_SI_QUEUE = -1
_SYS_rt_sigqueueinfo, _SYS_rt_tgsigqueueinfo, _SYS_tgkill = 129, 297, 234


def kill(pid: int, number: int) -> None:
    """kill(2); a process that is gone needs no signal."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def send(tgid: int, tid: int, number: int, value: int | None) -> None:
    """Send to the process, or to one thread; with a value as by sigqueue(3)."""
    if value is None and not tid:
        kill(tgid, number)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if value is None:
        libc.syscall(_SYS_tgkill, tgid, tid, number)
        return
    info = ctypes.create_string_buffer(128)
    pack_into("<iiiiiiQ", info, 0, number, 0, _SI_QUEUE, 0, 0, 0, value & 0xFFFFFFFFFFFFFFFF)
    if tid:
        libc.syscall(_SYS_rt_tgsigqueueinfo, tgid, tid, number, info)
    else:
        libc.syscall(_SYS_rt_sigqueueinfo, tgid, number, info)


def _status_field(proc_fd: int, tid: int, names: tuple[str, ...]) -> dict[str, str]:
    try:
        fd = os.open(f"{tid}/status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc_fd)
    except OSError:
        return {}
    try:
        text = os.read(fd, 4096).decode("ascii", "replace")
    except OSError:
        return {}
    finally:
        os.close(fd)
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key: rest.strip() for key, rest in pairs if key in names}


def parent_of(proc_fd: int, tid: int) -> int:
    """The thread group that made ``tid``: its own for a thread, its parent's for a process; 0 if it is gone."""
    fields = _status_field(proc_fd, tid, ("Tgid", "PPid"))
    tgid = int(fields.get("Tgid", 0))
    return tgid if tgid != tid else int(fields.get("PPid", 0))


def innermost_pid(proc_fd: int, tid: int) -> int:
    """The thread's number in its own pid namespace; the host's where that is unknown."""
    numbers = _status_field(proc_fd, tid, ("NSpid",)).get("NSpid", "").split()
    return int(numbers[-1]) if numbers else tid

