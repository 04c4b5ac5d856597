"""A raw peer of a gofer process: sends what it likes. Shared by the gofer's unit and security tests."""

import array
import os
import socket

from gofer import launch
from gofer.protocol.config import Config, Tree
from gofer.protocol.message import ATTACH, Message
from gofer.protocol.wire import REPLY, REQUEST, VERSION

TIMEOUT = 20.0


class Gone(Exception):
    """The gofer has closed the connection."""


class Refused(Exception):
    """The reply was an errno."""

    def __init__(self, errno: int) -> None:
        super().__init__(os.strerror(errno))
        self.errno = errno


class Peer:
    """One gofer and the socket to it."""

    def __init__(self, config: Config) -> None:
        self.process = launch.start(config)
        self.layers = self.process.wait_ready()
        self.socket = socket.socket(fileno=os.dup(self.process.channel_fd))
        self.process.close_channel()
        self.socket.settimeout(TIMEOUT)
        self._id = 0

    def raw(self, frame: bytes) -> None:
        """Send anything."""
        self.socket.send(frame)

    def receive(self) -> tuple[int, int, int, bytes, list[int]]:
        """(id, errno, flags, body, descriptors). Raises: Gone."""
        fds = array.array("i")
        try:
            frame, ancillary, _, _ = self.socket.recvmsg(70000, 64)
        except ConnectionResetError:
            raise Gone from None
        if not frame:
            raise Gone
        for _, _, data in ancillary:
            fds.frombytes(data)
        number, errno, flags = REPLY.unpack_from(frame)
        return number, errno, flags, frame[REPLY.size :], list(fds)

    def call(self, message: Message, *values: object) -> tuple[list[bytes], list[int]]:
        """One request. Raises: Refused, Gone."""
        self._id += 1
        self.raw(REQUEST.pack(self._id, message.op, VERSION, 0) + message.encode(*values))
        bodies, fds = [], []
        while True:
            number, errno, flags, body, got = self.receive()
            assert number == self._id
            fds += got
            if errno:
                assert not fds
                raise Refused(errno)
            bodies.append(body)
            if not flags:
                return bodies, fds

    def attach(self, tree: int = 0) -> int:
        """The root node of a tree."""
        node = ATTACH.decode_reply(self.call(ATTACH, tree, 0)[0][0])[0]
        assert isinstance(node, int)
        return node

    def close(self) -> int:
        """End; returns the gofer's exit status."""
        self.socket.close()
        return self.process.stop()


def peer_for(path: object, **options: object) -> Peer:
    """A gofer for one folder with the rights of the test's own user."""
    return Peer(Config((Tree(os.fsencode(str(path)), **options),)))  # type: ignore[arg-type]
