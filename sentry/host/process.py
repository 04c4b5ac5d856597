"""Host processes seen from the sentry: only whether a number is still taken."""

import os


def exists(host_pid: int) -> bool:
    """Whether ``host_pid`` is a process or a zombie (kill(2) with signal 0)."""
    try:
        os.kill(host_pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
