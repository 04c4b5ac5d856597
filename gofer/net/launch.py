"""Starts a network gofer; for the starter (CLI and API), not for the sentry."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from gofer.launch import NOBODY, GoferError, backend_path

_MAIN = Path(__file__).resolve().parent / "__main__.py"
_MESSAGE_MAX = 1 << 16


class NetworkGofer:
    """A started network gofer; it ends with the last copy of ``link``, the sentry's end."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Start it for ``config`` (see ``gofer.net.main``). Raises OSError."""
        self._control, control_child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link, link_child = socket.socketpair()
        with control_child, link_child:
            self._control.send(json.dumps({**config, "uid": NOBODY if os.geteuid() == 0 else -1}).encode())
            command = [sys.executable, "-I", "-S", str(_MAIN), str(control_child.fileno()), str(link_child.fileno())]
            environment = {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
            self.process = subprocess.Popen(
                [*command, *backend_path()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(control_child.fileno(), link_child.fileno()),
                env=environment,
                start_new_session=True,
            )

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Until it serves. Raises GoferError; nothing is left then."""
        self._control.settimeout(timeout)
        try:
            message = self._control.recv(_MESSAGE_MAX)
        except TimeoutError:
            message = b"it did not start in time"
        finally:
            self._control.close()
        if message != b"\0":
            self.stop()
            raise GoferError(message.decode(errors="replace") or "it ended before it was ready")

    def stop(self) -> None:
        """End it."""
        self.link.close()
        self._control.close()
        self.process.kill()
        self.process.wait()
