"""Starts the sentry process. Light on purpose: the command line calls it before it reads its own options.

The sentry gets /dev/null as standard input and output, our standard error, the control socket as descriptor 3 and nothing else;
it leads a session of its own, so that a Ctrl-C at our terminal reaches only us.
"""

import os
import sys
from _socket import AF_UNIX, SOCK_STREAM, socket, socketpair

from sentry.boot.control_protocol import ControlChannel

CONTROL_FD = 3
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CODE = "import os,sys;os.chdir('/');os.closerange(4,1<<20);sys.path+=sys.argv[1:];from sentry.boot.main import main;main(3)"


class SentryProcess:
    """A started sentry: its pid and our end of its control socket. Its parent is this process, which must reap it."""

    def __init__(self, pid: int, channel: ControlChannel) -> None:
        self.pid = pid
        self.channel = channel
        self.status: int | None = None

    def poll(self) -> int | None:
        """Return the wait status if the process has ended, reaping it."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status

    def kill(self) -> None:
        """SIGKILL it and reap it; its guests die with it."""
        if self.poll() is None:
            os.kill(self.pid, 9)
            self.status = os.waitpid(self.pid, 0)[1]


def package_paths() -> list[str]:
    """Return where our packages and their compiled dependencies lie, for an interpreter that skips ``site``."""
    return [_ROOT, *(path for path in sys.path if path.endswith("-packages") and path != _ROOT)]


def child_environment() -> dict[str, str]:
    """Return the environment of our own processes: a locale, and the switches that turn kernel features off."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("SANDBOXCTL_") or name == "LD_LIBRARY_PATH"}
    return {"LC_ALL": "C.UTF-8", **kept}


def start_sentry(code: str = _CODE) -> SentryProcess:
    """Start a sentry, which then waits for its configuration. Raises OSError."""
    ours, theirs = _pair()
    argv = [sys.executable, "-I", "-S", "-c", code, *package_paths()]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL_FD),
    ]
    try:
        pid = os.posix_spawn(
            sys.executable, argv, child_environment(), file_actions=actions, setsid=True, setsigdef=(1, 2, 13, 15)
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return SentryProcess(pid, ControlChannel(ours))


def _pair() -> tuple[socket, socket]:
    """A socket pair whose second end is not one of the numbers that the child's own descriptors take."""
    low = [os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) for _ in range(CONTROL_FD + 1)]
    try:
        return socketpair(AF_UNIX, SOCK_STREAM)
    finally:
        for fd in low:
            os.close(fd)
