"""Connected UNIX sockets (SOCK_STREAM, SOCK_SEQPACKET): listen, connect, accept, and what the end of one side does to the other.

Linux: net/unix/af_unix.c, unix_stream_connect(), unix_accept(), unix_release_sock().
"""

from collections import deque
from typing import TYPE_CHECKING

from sentry.sched.wait import Interrupted, Restart, TimedOut, wait_until
from sentry.socket.socket import SocketInode
from sentry.socket.unix import address as addresses
from sentry.socket.unix.base import (
    EVERYTHING,
    RCV_SHUTDOWN,
    SHUTDOWN_MASK,
    WRITABLE_BITS,
    UnixSocket,
    credentials_of,
)
from sentry.vfs.file import O_NONBLOCK
from sentry.vfs.readiness import POLLHUP, READABLE
from syscalls.abi.errno import EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP
from syscalls.abi.errors import SyscallError, WouldBlock
from syscalls.abi.socket import SOMAXCONN

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task


class ConnectionSocket(UnixSocket):
    """``backlog`` is None unless listening; ``embryos`` are the ends of connections that wait for accept(2)."""

    __slots__ = ("backlog", "embryos", "is_connected")

    is_connection = True

    def __init__(self, kernel: "Kernel", inode: SocketInode, flags: int, type: int) -> None:
        super().__init__(kernel, inode, flags, type)
        self.backlog: int | None = None
        self.embryos: deque[ConnectionSocket] = deque()
        self.is_connected = False

    @property
    def is_listening(self) -> bool:
        """SO_ACCEPTCONN."""
        return self.backlog is not None

    def marry(self, other: "ConnectionSocket") -> None:
        """Connect both ends."""
        self.peer, other.peer = other, self
        self.is_connected = other.is_connected = True

    async def resolve(self, task: "Task", address: bytes) -> object:
        """A connection has one peer, and sendto(2) names none. Errors: EISCONN, EOPNOTSUPP."""
        raise SyscallError(EISCONN if self.is_connected else EOPNOTSUPP)

    def listen(self, task: "Task", backlog: int) -> None:
        """Wait for connections; credentials of now are what clients see. Errors: EINVAL no name or connected."""
        if not self.name or self.is_connected:
            raise SyscallError(EINVAL)
        backlog = min(backlog & 0xFFFFFFFF, SOMAXCONN)
        had_less = self.backlog is not None and backlog > self.backlog
        self.backlog = backlog
        self.credentials = credentials_of(task)
        if had_less:
            self.queue.wake(WRITABLE_BITS)

    async def connect(self, task: "Task", address: bytes) -> None:
        """Connect to a listening socket; waits while its backlog is full.

        Errors: ECONNREFUSED, EAGAIN the backlog is full, EISCONN, EINVAL listening, EPROTOTYPE, EACCES, EINTR.
        """
        addresses.parse(address)
        if self.passes_sender:
            self.autobind()
        timeout = self.write_timeout_ns
        deadline = None if timeout is None else task.kernel.runner.monotonic_ns() + timeout
        while True:
            listener = await self.find(task, address)
            assert isinstance(listener, ConnectionSocket)
            if self._try_connect(task, listener):
                return
            if self.flags & O_NONBLOCK:
                raise SyscallError(EAGAIN)
            await self._await_room(task, listener, deadline)

    def _try_connect(self, task: "Task", listener: "ConnectionSocket") -> bool:
        if listener.backlog is None or listener.shut & RCV_SHUTDOWN:
            raise SyscallError(ECONNREFUSED)
        if len(listener.embryos) > listener.backlog:
            return False
        if self.is_connected:
            raise SyscallError(EISCONN)
        if self.is_listening:
            raise SyscallError(EINVAL)
        embryo = type(self)(self.kernel, SocketInode(self.kernel, 0, 0), 0, self.type)
        embryo.name = listener.name
        embryo.credentials = credentials_of(task)
        embryo.flags_set = set(listener.flags_set)
        embryo.sndbuf, embryo.rcvbuf = listener.sndbuf, listener.rcvbuf
        self.credentials = listener.credentials
        self.marry(embryo)
        listener.embryos.append(embryo)
        listener.queue.wake(READABLE)
        self.queue.wake(WRITABLE_BITS)
        return True

    async def _await_room(self, task: "Task", listener: "ConnectionSocket", deadline_ns: int | None) -> None:
        """Sleep until ``listener`` may have room, or is gone."""

        def has_changed() -> bool | None:
            backlog = listener.backlog
            return True if backlog is None or listener.shut & RCV_SHUTDOWN or len(listener.embryos) <= backlog else None

        self.acquire()
        try:
            await wait_until(task.fiber, has_changed, (listener.queue,), deadline_ns=deadline_ns, restart=Restart.SYS)
        except TimedOut:
            raise WouldBlock from None
        except Interrupted:
            if deadline_ns is not None:
                raise SyscallError(EINTR) from None
            raise
        finally:
            self.release()

    def try_accept(self) -> "ConnectionSocket | None":
        """The oldest waiting connection. Errors: EINVAL not listening, or shut down."""
        if self.backlog is None:
            raise SyscallError(EINVAL)
        if not self.embryos:
            if self.shut & RCV_SHUTDOWN:
                raise SyscallError(EINVAL)
            return None
        embryo = self.embryos.popleft()
        self.queue.wake(WRITABLE_BITS)
        return embryo

    def peer_address(self) -> bytes:
        """getpeername(2). Errors: ENOTCONN."""
        if self.peer is None:
            raise SyscallError(ENOTCONN)
        return addresses.encode(self.peer.name)

    def readiness(self) -> int:
        """The poll(2) bits (Linux: unix_poll())."""
        mask = self.base_readiness()
        if self.embryos:
            mask |= READABLE
        if self.is_listening:
            return mask
        if not self.is_connected:
            mask |= POLLHUP
        if self.can_write:
            mask |= WRITABLE_BITS
        return mask

    def pending(self) -> int:
        """FIONREAD. Errors: EINVAL listening."""
        if self.is_listening:
            raise SyscallError(EINVAL)
        return super().pending()

    def check_end(self) -> bool:
        """The receive queue is empty: whether that is the end. Errors: ECONNRESET, once."""
        error = self.take_error()
        if error:
            raise SyscallError(error)
        return self.is_receive_shut

    def close(self) -> None:
        """The other side sees the end, or ECONNRESET when it had sent what nobody will read now."""
        self.is_closed = True
        self.unname()
        # Linux (since 6.15) takes one leading empty message for a used-up urgent byte, and does not count it.
        has_unread = len(self.messages) > bool(self.messages and not self.messages[0].data)
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.shut = SHUTDOWN_MASK
            if has_unread:
                peer.error = ECONNRESET
            peer.queue.wake(EVERYTHING)
        self.backlog = None
        while self.embryos:
            embryo = self.embryos.popleft()
            client = embryo.peer
            embryo.close()
            if client is not None:
                client.error = ECONNRESET
        self.queue.wake(EVERYTHING)
        self.drop_messages()
