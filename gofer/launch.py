"""Starts a gofer process; for the starter (CLI and API), not for the sentry."""

import os
import socket
import subprocess
import sys

from gofer.protocol.config import Config, decode_ready, encode_config, required_dirfds

_MAIN = os.path.join(os.path.dirname(os.path.realpath(__file__)), "__main__.py")
NOBODY = 65534


class GoferError(Exception):
    """The gofer could not start; the message is one line."""


class GoferProcess:
    """A started gofer. ``channel_fd`` goes to the sentry (inherited, then closed here with ``close_channel``)."""

    def __init__(self, process: "subprocess.Popen[bytes]", control: socket.socket, channel: socket.socket) -> None:
        self.process = process
        self._control = control
        self._channel = channel

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def channel_fd(self) -> int:
        """The sentry's end of the channel."""
        return self._channel.fileno()

    def wait_ready(self, timeout: float = 10.0) -> frozenset[str]:
        """Return the protection layers in force. Raises: GoferError, and nothing is left of the gofer."""
        try:
            return self._wait_ready(timeout)
        except GoferError:
            self.stop()
            raise
        finally:
            self._control.close()

    def _wait_ready(self, timeout: float) -> frozenset[str]:
        self._control.settimeout(timeout)
        try:
            message = self._control.recv(65536)
        except TimeoutError:
            raise GoferError("the gofer did not start in time") from None
        if not message:
            raise GoferError("the gofer ended before it was ready")
        layers, error = decode_ready(message)
        if error:
            raise GoferError(error)
        return layers

    def close_channel(self) -> None:
        """Close the starter's copy, so that the gofer ends with the sentry."""
        self._channel.close()

    def stop(self, timeout: float = 2.0) -> int:
        """Close the channel and wait for the end; a gofer that is stuck is killed. Returns its exit status."""
        self._channel.close()
        self._control.close()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start(config: Config) -> GoferProcess:
    """Start a gofer for ``config`` without waiting for it (``wait_ready`` does). Raises: OSError."""
    control, control_child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel, channel_child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with control_child, channel_child:
        control.send(encode_config(config))
        command = [sys.executable, "-I", "-S", _MAIN, str(control_child.fileno()), str(channel_child.fileno())]
        command += backend_path()
        inherited = (control_child.fileno(), channel_child.fileno(), *required_dirfds(config))
        environment = {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
        null = subprocess.DEVNULL
        process = subprocess.Popen(
            command, stdin=null, stdout=null, pass_fds=inherited, env=environment, close_fds=True, start_new_session=True
        )  # a session of its own: a Ctrl-C at the caller's terminal is not for it
    return GoferProcess(process, control, channel)


def backend_path() -> list[str]:
    """The folder of cffi's backend, which ``-S`` takes from the search path, if it is not the one this package is in."""
    import _cffi_backend

    folder = os.path.dirname(os.path.realpath(_cffi_backend.__file__))
    return [] if folder == os.path.dirname(os.path.dirname(_MAIN)) else [folder]
