"""Signals and parentage through the host: what the tracer may use while it has not reaped the thread."""

import os


def kill(pid: int, number: int) -> None:
    """kill(2); a process that is gone needs no signal."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


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

