"""The host's end of a container's terminal: a pseudo-terminal whose master goes to the engine over its console socket.

The guest's own terminal does the line discipline, so ours is raw; only its size matters.
"""

import fcntl
import os
import signal
import termios
import tty
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket

from sandboxctl.errors import SandboxError


def open_console(path: str, rows: int = 0, columns: int = 0) -> int:
    """Make a terminal, make it ours (we lead a session), send its master to ``path``; return the slave. Raises SandboxError."""
    master, slave = os.openpty()
    tty.setraw(slave)
    if rows and columns:
        termios.tcsetwinsize(slave, (rows, columns))
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    sock = socket(AF_UNIX, SOCK_STREAM)
    try:
        sock.connect(path)
        sock.sendmsg([os.ttyname(slave).encode()], [(SOL_SOCKET, SCM_RIGHTS, master.to_bytes(4, "little"))])
    except OSError as error:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # we lead its session, and must live to tell
        raise SandboxError(f"--console-socket {path}: {error.strerror}") from None
    finally:
        sock.close()
        os.close(master)
    return slave
