"""One connection: receive a request, run its operation, send the reply. Single-threaded on purpose.

The peer is hostile: a frame that is not a message ends the connection, everything else that is wrong is an errno. A volume
that may be slow gets a gofer process of its own, so that a server which never answers stops no other volume.
"""

from errno import EINVAL, ENFILE, ENOENT, ENOMEM, ENOSYS, EROFS, ESTALE
from os import close

from gofer._sys._native import ffi
from gofer.protocol.message import MESSAGES
from gofer.protocol.wire import FLAG_MORE, FRAME_MAX, REPLY, REQUEST, VERSION, ProtocolError
from gofer.server.node import Node, NodeTable
from gofer.server.policy import TreePolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    Handler = Callable[["Connection", list[object]], bytes]

STEPS_MAX = 64
_SOL_SOCKET, _SCM_RIGHTS = 1, 1


class Open:
    """A file that stays open at the gofer: of a writable tree, or of a network file system."""

    __slots__ = ("fd", "is_writable", "policy")

    def __init__(self, fd: int, policy: TreePolicy, is_writable: bool) -> None:
        self.fd = fd
        self.policy = policy
        self.is_writable = is_writable


class Connection:
    """The peer's nodes and open files, and the buffers that requests share."""

    def __init__(
        self,
        channel: "socket",
        policies: "list[TreePolicy]",
        handlers: "dict[int, Handler]",
        *,
        descriptors_max: int,
        nodes_max: int,
    ) -> None:
        self._channel = channel
        self._handlers = handlers
        self.policies = policies
        self.nodes = NodeTable(descriptors_max, nodes_max)
        self.opens: dict[int, Open] = {}
        self._opens_max = descriptors_max
        self._next_open = 1
        self._id = 0
        self.donated = -1  # the descriptor that the current reply carries; the handler's own copy if it is in ``opens``
        self.is_donated_kept = False
        self.donated_many: list[int] = []  # descriptors that the current reply carries and that are closed then
        self.procfd = -1
        self.can_watch = False  # the working directory is /proc/self/fd
        self.steps = ffi.new(f"struct gofer_step[{STEPS_MAX}]")
        self.link = ffi.new("char[4096]")
        self.attr = ffi.new("struct gofer_attr *")
        self.error = ffi.new("int *")
        self.lister = ffi.new("struct gofer_lister *")
        self.out = ffi.new(f"char[{FRAME_MAX - REPLY.size}]")

    def serve(self) -> None:
        """Answer requests until the peer goes away. Raises: ProtocolError."""
        receive = self._channel.recv
        while True:
            frame = receive(FRAME_MAX + 1)
            if not frame:
                return
            self.answer(frame)
            self.nodes.trim()

    def answer(self, frame: bytes) -> None:
        """Run one request. Raises: ProtocolError when ``frame`` is not a message."""
        if not REQUEST.size <= len(frame) <= FRAME_MAX:
            raise ProtocolError("frame of a wrong size")
        self._id, op, version, zero = REQUEST.unpack_from(frame)
        message = MESSAGES.get(op)
        if message is None or version != VERSION or zero:
            raise ProtocolError("unknown operation or version")
        fields = message.decode(frame, REQUEST.size)
        try:
            handler = self._handlers.get(op)
            if handler is None:
                raise OSError(ENOSYS, "not offered")
            body, errno = handler(self, fields), 0
        except OSError as error:
            body, errno = b"", error.errno or ESTALE
        except (OverflowError, ValueError):  # a number or a text that a host call cannot take
            body, errno = b"", EINVAL
        except MemoryError:
            body, errno = b"", ENOMEM
        if errno:
            self._drop_donated()
        if not message.is_oneway:
            self._reply(errno, body)

    def send_part(self, body: bytes) -> None:
        """Send a part of the current reply; more follow."""
        self._channel.send(REPLY.pack(self._id, 0, FLAG_MORE) + body)

    def _reply(self, errno: int, body: bytes) -> None:
        frame = REPLY.pack(self._id, errno, 0) + body
        if self.donated_many:
            self._reply_many(frame)
            return
        fd, self.donated = self.donated, -1
        if fd < 0:
            self._channel.send(frame)
            return
        try:
            self._channel.sendmsg([frame], [(_SOL_SOCKET, _SCM_RIGHTS, fd.to_bytes(4, "little"))])
        finally:
            if not self.is_donated_kept:
                close(fd)

    def _drop_donated(self) -> None:
        """The request failed half-way: an error carries no descriptor."""
        fds, self.donated_many = self.donated_many, []
        if self.donated >= 0 and not self.is_donated_kept:
            fds.append(self.donated)
        self.donated = -1
        for fd in fds:
            close(fd)

    def _reply_many(self, frame: bytes) -> None:
        fds, self.donated_many = self.donated_many, []
        try:
            data = b"".join([fd.to_bytes(4, "little") for fd in fds])
            self._channel.sendmsg([frame], [(_SOL_SOCKET, _SCM_RIGHTS, data)])
        finally:
            for fd in fds:
                close(fd)

    def place(self, place: object, *, is_write: bool = False) -> "tuple[Node, tuple[bytes, ...]]":
        """The node and the names of a PLACE. Errors: ESTALE, EROFS."""
        number: int
        names: tuple[bytes, ...]
        number, names = place  # type: ignore[misc]
        node = self.nodes.get(number)
        if is_write and not node.policy.is_writable:
            raise OSError(EROFS, "read-only tree")
        if node.policy.only and node.parent is None and names and names[0] != node.policy.only:
            raise OSError(ENOENT, "another file of the folder")
        return node, names

    def keep_open(self, fd: int, policy: TreePolicy, *, is_writable: bool) -> int:
        """Remember an open file; returns its number. Errors: ENFILE (and ``fd`` is closed)."""
        if len(self.opens) >= self._opens_max:
            close(fd)
            raise OSError(ENFILE, "too many open files")
        number = self._next_open
        self._next_open += 1
        self.opens[number] = Open(fd, policy, is_writable)
        return number

    def open_file(self, number: object) -> Open:
        """The open file. Errors: ESTALE."""
        found = self.opens.get(number)  # type: ignore[call-overload]
        if found is None:
            raise OSError(ESTALE, "no such open file")
        return found  # type: ignore[no-any-return]

    def close_open(self, number: int) -> None:
        """Close an open file; an unknown number is ignored."""
        found = self.opens.pop(number, None)
        if found is not None:
            close(found.fd)
