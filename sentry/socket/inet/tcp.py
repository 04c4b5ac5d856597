"""TCP: connected sockets of one sandbox hand over buffers, not packets (tcp(7)); ``outside.tcp`` has all other connections.

What a program can tell from real TCP is kept: states, half-closed connections, resets, backlogs, limits. Linux: net/ipv4/tcp.c.
"""

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from sentry.sched.wait import Interrupted, Restart, TimedOut, wait_until
from sentry.socket.inet import address as addresses
from sentry.socket.inet.address import Endpoint
from sentry.socket.inet.base import EVERYTHING, HOW, RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK, WRITABLE_BITS, InetSocket
from sentry.socket.options import SOCK_RCVBUF_LOCK
from sentry.socket.socket import Envelope, Receipt, SocketInode
from sentry.vfs.file import O_NONBLOCK
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLRDHUP, READABLE
from syscalls.abi.errno import (
    EADDRINUSE,
    EALREADY,
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    EINTR,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EPIPE,
)
from syscalls.abi.errors import Fault, SyscallError, WouldBlock
from syscalls.abi.socket import AF_UNSPEC, SO_REUSEADDR, SO_REUSEPORT, SOMAXCONN

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.netstack.transport.tcp.connection import Connection
    from sentry.socket.inet.outside.tcp import Door
    from sentry.socket.inet.ports import PortTable
    from sentry.vfs.io import Sink, Source

T = TypeVar("T", bound="TcpSocket")

SNDBUF, RCVBUF = 16_384, 131_072  # net.ipv4.tcp_wmem[1], tcp_rmem[1]
RCVBUF_GROWN = 6_291_456  # net.ipv4.tcp_rmem[2]
#: what Linux has sent on loopback by the time a reset comes back
_SENT_UNTIL_RESET = 524_288
SNDBUF_CONNECTED = 2_626_560  # what Linux tunes it to on loopback
ROOM = 512 << 10  # of one direction, unless a buffer size was set
_PART_MAX = 256 << 10
CLOSED, SYN_SENT, ESTABLISHED, LISTEN = 7, 2, 1, 10  # the states' numbers in TCP_INFO; the others follow from ``shut``


class TcpSocket(InetSocket):
    """``parts`` is what the peer has sent and nobody read, ``length`` its bytes; ``peer`` the other end of the connection.

    ``waiting`` are clients that a full backlog has not let in yet, ``embryos`` ends that wait for accept(2). Through ``door`` a
    listening socket gets connections from outside; ``connection`` and ``charged`` are those of a ``RemoteTcpSocket``.
    """

    __slots__ = (
        "backlog", "charged", "connection", "door", "embryos", "has_fin", "is_connect_told", "length", "parts", "peer", "start",
        "state", "waiting",
    )  # fmt: skip

    is_stream = True
    has_sigpipe = True

    def __init__(self, kernel: "Kernel", inode: SocketInode, flags: int, family: int, type: int, protocol: int) -> None:
        super().__init__(kernel, inode, flags, family, type, protocol)
        self.sndbuf, self.rcvbuf = SNDBUF, RCVBUF
        self.state = CLOSED
        self.peer: TcpSocket | None = None
        self.parts: deque[bytes] = deque()
        self.start = 0  # of the first part: what has been read of it
        self.length = 0
        self.has_fin = False  # the peer sends no more
        self.backlog = 0
        self.embryos: deque[TcpSocket] = deque()
        self.waiting: deque[TcpSocket] = deque()
        self.door: Door | None = None
        self.charged = 0
        self.connection: Connection
        self.is_connect_told = True  # a second connect asks how one ended that did not wait (Linux: SS_CONNECTING)

    @property
    def ports(self) -> "PortTable":
        """The table of TCP."""
        table: PortTable = self.kernel.net.tcp_ports
        return table

    @property
    def is_listening(self) -> bool:
        """SO_ACCEPTCONN."""
        return self.state == LISTEN

    # --- connections ---------------------------------------------------------------------------------------------------------

    def rcvlowat_max(self) -> int:
        """Half the receive buffer, or half of what it may grow to (Linux: tcp_set_rcvlowat())."""
        return (self.rcvbuf if self.buf_lock & SOCK_RCVBUF_LOCK else RCVBUF_GROWN) >> 1

    def listen(self, task: "Task", backlog: int) -> None:
        """Accept connections from now on; an unbound socket gets a port. Errors: EINVAL connected, EADDRINUSE."""
        if self.state not in (CLOSED, LISTEN) or self.peer is not None:
            raise SyscallError(EINVAL)
        if not self.local.port:
            self.take_port(self.local)
        elif self.state == CLOSED and any(
            other.is_listening and other is not self and other.local == self.local and not self._shares(other)
            for other in self.ports.on(self.local.port)
        ):
            raise SyscallError(EADDRINUSE)
        self.backlog = min(backlog & 0xFFFFFFFF, SOMAXCONN)
        if self.kernel.net.outside is not None:
            self.kernel.net.outside.listen(self)
        self.state = LISTEN
        self.shut = 0
        self._let_in()

    def take_port(self, endpoint: Endpoint) -> None:
        """Bind; a connection of a closed socket that is not over holds its port as well. Errors: EADDRINUSE."""
        outside = self.kernel.net.outside
        if outside is not None and endpoint.port and outside.holds(endpoint, can_reuse=SO_REUSEADDR in self.flags_set):
            raise SyscallError(EADDRINUSE)
        super().take_port(endpoint)

    def _shares(self, other: InetSocket) -> bool:

        return SO_REUSEPORT in self.flags_set and SO_REUSEPORT in other.flags_set

    async def connect(self, task: "Task", address: bytes) -> None:
        """Connect; waits while a backlog is full. AF_UNSPEC dissolves.

        Errors: EISCONN, EALREADY, EINPROGRESS, ECONNREFUSED, ENETUNREACH, EINVAL, EAFNOSUPPORT, EINTR.
        """
        if addresses.family_of(address) == AF_UNSPEC and len(address) >= 2:
            self._disconnect()
            return
        destination = addresses.parse(address, self.family)
        if self.state == ESTABLISHED:
            if not self.is_connect_told:
                self.is_connect_told = True
                return
            raise SyscallError(EISCONN)
        if self.state == LISTEN:
            raise SyscallError(EISCONN)
        if self.state == SYN_SENT:
            if self.flags & O_NONBLOCK:
                raise SyscallError(EALREADY)
        else:
            if self.error:
                raise SyscallError(self.take_error())
            self._begin(destination)
            if self.flags & O_NONBLOCK:
                self.is_connect_told = False
                raise SyscallError(EINPROGRESS)
        await self._await_connection(task)

    def _begin(self, destination: Endpoint) -> None:
        destination = self.route(destination)
        source = self.source_for(destination)
        if not self.local.port:
            self.take_port(Endpoint(source, 0))
        else:
            self.local = Endpoint(source, self.local.port)
        self.remote = destination
        if not self.is_local(destination.address):
            self.kernel.net.outside.connect(self, destination)
            return
        listener = self._find_listener(destination)
        if listener is None:
            self._refuse()
            return
        self.state = SYN_SENT
        if len(listener.embryos) > listener.backlog:
            listener.waiting.append(self)
        else:
            listener.join(self)

    def _refuse(self) -> None:
        self.state = CLOSED
        self.remote = None
        self.error = ECONNREFUSED
        self.queue.wake(EVERYTHING)

    def _find_listener(self, destination: Endpoint) -> "TcpSocket | None":
        """The listening socket for a destination: an exact address before "any"; those that share a port take turns."""
        found = [
            other
            for other in self.ports.on(destination.port)
            if isinstance(other, TcpSocket) and other.is_listening and other.accepts(destination)
        ]
        if not found:
            return None
        exact = [other for other in found if other.local.address == destination.address] or found
        return exact[self.local.port % len(exact)]

    def join(self, client: "TcpSocket") -> None:
        """Make the other end of ``client``'s connection and queue it for accept(2)."""
        assert client.remote is not None
        end = self.make_end(TcpSocket)
        end.local, end.remote = client.remote, client.local
        end.ports.add(end, end.local.port)
        for one, other in ((end, client), (client, end)):
            one.peer, one.state = other, ESTABLISHED
            if one.sndbuf == SNDBUF:
                one.sndbuf = SNDBUF_CONNECTED
        self.embryos.append(end)
        self.queue.wake(READABLE)
        client.queue.wake(EVERYTHING)

    def make_end(self, kind: type[T]) -> T:
        """A socket for a connection of this listening one, with its options."""
        inode = SocketInode(self.kernel, self.uid, self.inode.attr.gid)
        end = kind(self.kernel, inode, 0, self.family, self.type, self.protocol)
        end.flags_set = set(self.flags_set)
        end.values = dict(self.values)
        end.kept = dict(self.kept)
        end.buf_lock = self.buf_lock
        end.linger = self.linger
        end.is_v6only = self.is_v6only
        end.device = self.device
        end.sndbuf, end.rcvbuf = self.sndbuf, self.rcvbuf
        return end

    def _let_in(self) -> None:
        if self.door is not None:
            self.door.let_in()
        while self.waiting and len(self.embryos) <= self.backlog:
            client = self.waiting.popleft()
            if client.state == SYN_SENT:
                self.join(client)

    async def _await_connection(self, task: "Task") -> None:
        timeout = self.write_timeout_ns
        deadline = None if timeout is None else task.kernel.runner.monotonic_ns() + timeout

        def has_ended() -> bool | None:
            return None if self.state == SYN_SENT else True

        self.acquire()
        try:
            await wait_until(task.fiber, has_ended, (self.queue,), deadline_ns=deadline, restart=Restart.SYS)
        except TimedOut:
            raise SyscallError(EINPROGRESS) from None
        except Interrupted:
            if deadline is not None:
                raise SyscallError(EINTR) from None
            raise
        finally:
            self.release()
        if self.error:
            raise SyscallError(self.take_error())

    def try_accept(self) -> "TcpSocket | None":
        """The oldest waiting connection. Errors: EINVAL not listening."""
        if self.state != LISTEN:
            raise SyscallError(EINVAL)
        if not self.embryos:
            return None
        end = self.embryos.popleft()
        self._let_in()
        return end

    # --- bytes ---------------------------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many bytes this end takes before it is read."""
        limit = ROOM
        peer = self.peer
        if self.rcvbuf != RCVBUF or (peer is not None and peer.sndbuf not in (SNDBUF, SNDBUF_CONNECTED)):
            limit = min(limit, self.rcvbuf + (peer.sndbuf if peer is not None else 0))
        return limit - self.length

    async def resolve(self, task: "Task", address: bytes) -> object:
        """A stream goes to its peer, whatever address sendto(2) names (Linux: net/ipv4/tcp.c looks at none)."""
        return None

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) is a send without anything else."""
        return self.try_send(source, _NOTHING)

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Hand over what the peer has room for. Errors: EPIPE, ECONNRESET, EISCONN."""
        if self.error:
            raise SyscallError(self.take_error())
        peer = self.peer
        if self.shut & SEND_SHUTDOWN or (peer is None and self.state != ESTABLISHED):
            raise SyscallError(EPIPE)
        if peer is None:
            return self._send_to_nobody(source)
        if not source.remaining:
            return 0
        done = 0
        while source.remaining:
            room = peer.room
            if room <= 0:
                break
            try:
                data = self._charged(source, min(source.remaining, room, _PART_MAX))
            except (Fault, SyscallError):
                if done:
                    break
                raise
            peer.parts.append(data)
            peer.length += len(data)
            done += len(data)
        if done:
            peer.queue.wake(READABLE)
        return done or None

    def _send_to_nobody(self, source: "Source") -> int:
        """The peer is closed: it answers with a reset, which the next call meets; a long send meets it half-way."""
        done = 0
        while source.remaining and done < _SENT_UNTIL_RESET:
            done += len(source.take(min(source.remaining, _PART_MAX, _SENT_UNTIL_RESET - done)))
        self.error = EPIPE
        self.shut = SHUTDOWN_MASK
        self.state = CLOSED
        self.queue.wake(EVERYTHING)
        return done

    def _charged(self, source: "Source", size: int) -> bytes:
        """Up to ``size`` bytes, accounted for. Errors: ENOMEM, EFAULT."""
        limits = self.kernel.limits
        limits.charge(size)
        data = b""
        try:
            data = source.take(size)
        finally:
            if len(data) < size:
                limits.uncharge(size - len(data))
        return data

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive what is there. Errors: ENOTCONN, ECONNRESET, EAGAIN the error queue, which stays empty."""
        if receipt.wants_errors:
            raise WouldBlock
        if self.parts:
            return self._take(sink, receipt)
        if self.has_fin:
            return 0
        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & RCV_SHUTDOWN:
            return 0
        if self.state not in (ESTABLISHED, SYN_SENT):
            raise SyscallError(ENOTCONN)
        return None

    def _take(self, sink: "Sink", receipt: Receipt) -> int:
        if not sink.remaining:
            return 0
        done, index, start = 0, 0, self.start
        parts = self.parts
        while index < len(parts) and sink.remaining:
            part = parts[index]
            try:
                count = sink.put(memoryview(part)[start:] if start else part)
            except Fault:
                if done:
                    break
                raise
            done += count
            start += count
            if start < len(part):
                break
            start = 0
            index += 1
        if receipt.is_peek:
            return done
        for _ in range(index):
            parts.popleft()
        self.start = start
        had_room = self.room
        self.length -= done
        self.kernel.limits.uncharge(done)
        peer = self.peer
        if peer is not None and (had_room <= 0 or peer.can_write):
            peer.queue.wake(WRITABLE_BITS)
        return done

    # --- the end -------------------------------------------------------------------------------------------------------------

    def shutdown(self, how: int) -> None:
        """Close one direction or both; a listening socket stops listening with SHUT_RD. Errors: EINVAL, ENOTCONN."""
        mode = HOW.get(how)
        if mode is None:
            raise SyscallError(EINVAL)
        if self.state == LISTEN:
            if mode & RCV_SHUTDOWN:
                self._stop_listening()
                self.shut = mode
                self.queue.wake(EVERYTHING)
            return
        if self.state == SYN_SENT:
            self._disconnect()
            return
        if self.state != ESTABLISHED:
            raise SyscallError(ENOTCONN)
        if mode & SEND_SHUTDOWN and not self.shut & SEND_SHUTDOWN and self.peer is not None:
            self.peer.finish()
        self.shut |= mode
        self._check_over()
        self.queue.wake(EVERYTHING)

    def finish(self) -> None:
        """The peer's FIN has arrived."""
        self.has_fin = True
        self.shut |= RCV_SHUTDOWN
        self._check_over()
        self.queue.wake(EVERYTHING)

    def _check_over(self) -> None:
        """Both sides have said all: the connection is over, but for what is still to be read."""
        if self.has_fin and self.shut & SEND_SHUTDOWN:
            self.state = CLOSED

    def reset(self) -> None:
        """A RST has arrived: what was received stays readable."""
        self.error = EPIPE if self.has_fin else ECONNRESET
        self.peer = None
        self.state = CLOSED
        self.shut = SHUTDOWN_MASK
        self.queue.wake(EVERYTHING)

    def _disconnect(self) -> None:
        """connect(2) to AF_UNSPEC: the socket can be used again."""
        if self.state == LISTEN:
            self._stop_listening()
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.reset()
        self._drop_parts()
        self.state, self.shut, self.has_fin, self.error, self.remote = CLOSED, 0, False, 0, None
        self.queue.wake(EVERYTHING)

    def _stop_listening(self) -> None:
        self.state = CLOSED
        if self.door is not None:
            self.door.close()
            self.door = None
        for end in self.embryos:
            client = end.peer
            end.peer = None
            end.close()
            if client is not None:
                client.reset()
        self.embryos.clear()
        for client in self.waiting:
            if client.state == SYN_SENT:
                client._refuse()
        self.waiting.clear()

    def close(self) -> None:
        """The peer sees the end; a reset if it had sent what nobody will read now, or with SO_LINGER and no time."""
        if self.state == LISTEN:
            self._stop_listening()
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.peer = None
            if self.parts or self.linger == (1, 0):
                peer.reset()
            else:
                peer.finish()
        self._drop_parts()
        self.state = CLOSED
        if self.local.port:
            self.ports.drop(self, self.local.port)
        self.queue.wake(EVERYTHING)

    def _drop_parts(self) -> None:
        self.kernel.limits.uncharge(self.length)
        self.parts.clear()
        self.length = self.start = 0

    # --- what it tells -------------------------------------------------------------------------------------------------------

    def peer_address(self) -> bytes:
        """getpeername(2). Errors: ENOTCONN."""
        if self.remote is None or self.state != ESTABLISHED:
            raise SyscallError(ENOTCONN)
        return addresses.encode(self.remote, self.family)

    @property
    def can_write(self) -> bool:
        """Whether a third of the room is free (Linux: sk_stream_is_writable())."""
        peer = self.peer
        return peer is None or peer.room * 3 >= peer.length + peer.room

    def readiness(self) -> int:
        """The poll(2) bits (Linux: tcp_poll())."""
        if self.state == LISTEN:
            return READABLE if self.embryos else 0
        mask = POLLERR if self.error else 0
        if self.shut == SHUTDOWN_MASK or self.state == CLOSED:
            mask |= POLLHUP
        if self.shut & RCV_SHUTDOWN:
            mask |= READABLE | POLLRDHUP
        if self.state == SYN_SENT:
            return mask
        if self.length >= self.rcvlowat or self.error:
            mask |= READABLE
        if self.shut & SEND_SHUTDOWN or self.can_write:
            mask |= WRITABLE_BITS
        return mask

    def pending(self) -> int:
        """FIONREAD. Errors: EINVAL listening."""
        if self.state == LISTEN:
            raise SyscallError(EINVAL)
        return self.length

    def unread(self) -> int:
        """The column rx_queue of /proc/net/tcp; of a listening socket the connections that wait."""
        return len(self.embryos) if self.state == LISTEN else self.length

    def unsent(self) -> int:
        """SIOCOUTQ: loopback acknowledges at once. Errors: EINVAL listening."""
        if self.state == LISTEN:
            raise SyscallError(EINVAL)
        return 0

    def state_number(self) -> int:
        """The state of /proc/net/tcp and TCP_INFO (RFC 9293, section 3.3.2)."""
        if self.state != ESTABLISHED:
            return self.state
        if self.has_fin:
            return 9 if self.shut & SEND_SHUTDOWN else 8  # LAST_ACK, CLOSE_WAIT
        return 5 if self.shut & SEND_SHUTDOWN else ESTABLISHED  # FIN_WAIT2


_NOTHING = Envelope()
