"""TCP beyond the sandbox: a socket whose connection the stack has, and a listener's door to the outside (tcp(7)).

A ``TcpSocket`` turns into a ``RemoteTcpSocket`` when it connects to a foreign address, and back when the connection is dissolved;
sockets of the sandbox's own connections never come here. Linux: net/ipv4/tcp.c.
"""

from typing import TYPE_CHECKING, Final

from sentry.netstack.interface import NetError
from sentry.netstack.transport.ports import Binding
from sentry.netstack.transport.tcp import output
from sentry.netstack.transport.tcp import state as states
from sentry.netstack.transport.tcp.connection import EVERYTHING, Connection
from sentry.socket.inet import address as addresses
from sentry.socket.inet.address import ANY4, ANY6, MAPPED, Endpoint
from sentry.socket.inet.base import HOW, RCV_SHUTDOWN, SEND_SHUTDOWN, WRITABLE_BITS
from sentry.socket.inet.outside import tcp_options
from sentry.socket.inet.tcp import CLOSED, ESTABLISHED, SYN_SENT, TcpSocket
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, READABLE
from syscalls.abi.errno import EINVAL, ENOTCONN, EPIPE
from syscalls.abi.errors import SyscallError, WouldBlock
from syscalls.abi.socket import AF_INET, MSG_MORE, SO_REUSEADDR, SO_REUSEPORT

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits
    from sentry.netstack.interface import Inspector
    from sentry.netstack.stack import Stack
    from sentry.netstack.transport.tcp.listener import Listener
    from sentry.socket.inet.outside.outside import Outside
    from sentry.socket.socket import Envelope, Receipt
    from sentry.vfs.io import Sink, Source

_PART_MAX: Final = 64 << 10
_RCVBUF_MIN: Final = 2304
#: a socket knows fewer states than a connection: the closing ones show in ``shut``
_STATES: Final = {states.SYN_SENT: SYN_SENT, states.CLOSED: CLOSED, states.TIME_WAIT: CLOSED}


def _wire(address: bytes) -> bytes:
    if address in (ANY4, ANY6):
        return b""
    return address[12:] if address.startswith(MAPPED) else address


def _endpoint(address: bytes, port: int) -> Endpoint:
    return Endpoint(MAPPED + address if len(address) == 4 else address, port)


def begin(outside: "Outside", socket: TcpSocket, destination: Endpoint, inspector: "Inspector | None" = None) -> None:
    """Send the SYN; the socket is a ``RemoteTcpSocket`` from then on. Errors: ENETUNREACH, EADDRNOTAVAIL, ENOBUFS, EINVAL."""
    local, remote = _wire(socket.local.address), _wire(destination.address)
    try:
        binding, options = Binding(local, socket.local.port, len(remote)), tcp_options.of(socket, outside)
        connection = outside.stack.tcp.connect(binding, remote, destination.port, outside.clock(), options)
    except NetError as error:
        socket.remote = None
        raise SyscallError(error.errno) from None
    connection.inspector = inspector
    socket.__class__ = RemoteTcpSocket
    assert isinstance(socket, RemoteTcpSocket)
    socket.adopt(connection)


def listen(outside: "Outside", socket: TcpSocket) -> None:
    """Open the door, unless the socket is bound to lo. Errors: EADDRINUSE."""
    if socket.door is not None:
        socket.door.listener.backlog = socket.backlog
        return
    if addresses.is_loopback(socket.local.address):
        return
    family = 4 if socket.family == AF_INET else 16 if socket.is_v6only else 0
    address = _wire(socket.local.address)
    binding = Binding(address, socket.local.port, len(address) or family, can_share=SO_REUSEPORT in socket.flags_set)
    if socket.local.address == ANY4:
        binding.family = 4
    try:
        listener = outside.stack.tcp.listen(binding, socket.backlog, tcp_options.of(socket, outside))
    except NetError as error:
        raise SyscallError(error.errno) from None
    socket.door = Door(outside, socket, listener)
    listener.waker = socket.door


class Door:
    """Lets the stack's established connections into the listening socket's queue, as many as its backlog takes."""

    def __init__(self, outside: "Outside", socket: TcpSocket, listener: "Listener") -> None:
        self.outside = outside
        self.socket = socket
        self.listener = listener

    def wake(self, mask: int) -> None:
        """The stack has one more."""
        self.let_in()

    def let_in(self) -> None:
        """Queue what the backlog has room for."""
        socket, ready = self.socket, self.listener.ready
        while ready and len(socket.embryos) <= socket.backlog:
            connection = ready.popleft()
            end = socket.make_end(RemoteTcpSocket)
            end.local = _endpoint(connection.local, connection.port)
            end.remote = _endpoint(connection.remote, connection.remote_port)
            end.ports.add(end, end.local.port)
            end.adopt(connection)
            socket.embryos.append(end)
            socket.queue.wake(READABLE)

    def close(self) -> None:
        """Nobody comes in any more; who waits is reset."""
        for end in self.socket.embryos:
            if isinstance(end, RemoteTcpSocket):
                end.linger = (1, 0)
        self.listener.close(self.outside.clock())


class Orphan:
    """The waker of a connection without a socket: what its buffer holds stays charged until it ends."""

    def __init__(self, limits: "SandboxLimits", charged: int, connection: Connection, *, can_reuse: bool = False) -> None:
        self.limits, self.charged, self.connection = limits, charged, connection
        self.can_reuse = can_reuse  # SO_REUSEADDR

    def wake(self, mask: int) -> None:
        """Give back what is no longer held."""
        held = min(len(self.connection.buffer), self.charged) if self.connection.state != CLOSED else 0
        self.limits.uncharge(self.charged - held)
        self.charged = held


def holds(stack: "Stack", endpoint: Endpoint, *, can_reuse: bool) -> bool:
    """Whether an orphan has the port and not both sides let others have it (SO_REUSEADDR). Linux: inet_csk_bind_conflict()."""
    address, port = _wire(endpoint.address), endpoint.port
    for connection in stack.tcp.connections.values():
        orphan = connection.waker
        if (
            connection.port == port
            and isinstance(orphan, Orphan)
            and (connection.local == address or (not address and (not endpoint.is_v4 or len(connection.local) == 4)))
            and not (can_reuse and orphan.can_reuse)
        ):
            return True
    return False


class RemoteTcpSocket(TcpSocket):
    """``connection`` is the stack's, and this its waker; ``charged`` what the connection's buffers cost the sandbox's limit."""

    __slots__ = ()

    connection: Connection

    def adopt(self, connection: Connection) -> None:
        """Take a connection."""
        self.connection = connection
        self.charged = 0
        self.state = SYN_SENT if connection.state == states.SYN_SENT else ESTABLISHED
        self.sndbuf, self.rcvbuf = connection.options.sndbuf, connection.options.rcvbuf
        connection.waker = self
        self.wake(0)

    def wake(self, mask: int) -> None:
        """The connection has changed."""
        connection = self.connection
        state = _STATES.get(connection.state, ESTABLISHED)
        if connection.error:
            self.error = connection.take_error()
        if state != self.state:
            if self.state == SYN_SENT and state == CLOSED:
                self.remote = None
            self.state = state
        self._account()
        if mask:
            wide = (READABLE if mask & POLLIN else 0) | (WRITABLE_BITS if mask & POLLOUT else 0)
            self.queue.wake(mask | wide)

    def _account(self) -> None:
        """Charge what the buffers hold; without room the window closes until something was read."""
        connection, limits = self.connection, self.kernel.limits
        queue = connection.queue
        held = len(connection.buffer) + queue.length + queue.waiting
        if held <= self.charged:
            limits.uncharge(self.charged - held)
        else:
            try:
                limits.charge(held - self.charged)
            except SyscallError:
                connection.options.rcvbuf, connection.options.is_rcvbuf_fixed = _RCVBUF_MIN, True
                return
        self.charged = held
        if connection.options.rcvbuf == _RCVBUF_MIN:
            connection.options.rcvbuf = self.rcvbuf

    # --- bytes ---------------------------------------------------------------------------------------------------------------

    def try_send(self, source: "Source", envelope: "Envelope") -> int | None:
        """Put into the connection's buffer what it has room for. Errors: EPIPE, ENOMEM, or the connection's error."""
        if self.error:
            raise SyscallError(self.take_error())
        connection = self.connection
        if connection.state not in states.CAN_SEND or connection.fin_queued:
            if connection.state == states.SYN_SENT and not self.shut & SEND_SHUTDOWN:
                return None
            raise SyscallError(EPIPE)
        options = connection.options
        if envelope.flags & MSG_MORE:
            options.cork = True
        now = self.kernel.net.outside.clock()
        done = 0
        try:
            while source.remaining:
                room = options.sndbuf - len(connection.buffer)
                if room <= 0:
                    break
                data = self._take_part(source, min(source.remaining, room, _PART_MAX))
                done += connection.send(data, now)
        except NetError as error:
            if not done:
                raise SyscallError(error.errno) from None
        except SyscallError:
            if not done:
                raise
        finally:
            if envelope.flags & MSG_MORE:
                options.cork = tcp_options.is_corked(self)
        self._account()
        return done or (None if source.remaining else 0)

    def _take_part(self, source: "Source", size: int) -> bytes:
        self.kernel.limits.charge(size)
        data = b""
        try:
            data = source.take(size)
        finally:
            self.charged += len(data)
            self.kernel.limits.uncharge(size - len(data))
        return data

    def try_receive(self, sink: "Sink", receipt: "Receipt") -> int | None:
        """Receive what is there. Errors: EAGAIN the error queue, ENOTCONN, or the connection's error."""
        if receipt.wants_errors:
            raise WouldBlock
        connection = self.connection
        queue = connection.queue
        if queue.length:
            return self._read(sink, receipt)
        if connection.has_fin:
            return 0
        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & RCV_SHUTDOWN:
            return 0
        if connection.state in (states.CLOSED, states.TIME_WAIT):
            if connection.irs:
                return 0
            raise SyscallError(ENOTCONN)
        return None

    def _read(self, sink: "Sink", receipt: "Receipt") -> int:
        connection = self.connection
        queue = connection.queue
        if receipt.is_peek:
            return sink.put(queue.read(sink.remaining, is_peek=True)) if sink.remaining else 0
        now = self.kernel.net.outside.clock()
        done = 0
        while sink.remaining and queue.length:
            data = queue.read(min(sink.remaining, _PART_MAX), is_peek=True)
            try:
                count = sink.put(data)
            except SyscallError:
                if done:
                    break
                raise
            connection.receive(count, now)
            done += count
            if count < len(data):
                break
        self._account()
        return done

    # --- the end -------------------------------------------------------------------------------------------------------------

    def shutdown(self, how: int) -> None:
        """Close one direction or both. Errors: EINVAL, ENOTCONN."""
        mode = HOW.get(how)
        if mode is None:
            raise SyscallError(EINVAL)
        connection = self.connection
        if connection.state == states.SYN_SENT:
            self.dissolve()
            return
        if connection.state in (states.CLOSED, states.TIME_WAIT):
            raise SyscallError(ENOTCONN)
        self.shut |= mode
        is_read, is_write = bool(mode & RCV_SHUTDOWN), bool(mode & SEND_SHUTDOWN)
        connection.shutdown(self.kernel.net.outside.clock(), read=is_read, write=is_write)
        self.wake(EVERYTHING)

    def _begin(self, destination: Endpoint) -> None:
        """Connect again after a failure: anywhere."""
        self._let_go()
        TcpSocket._begin(self, destination)

    def _disconnect(self) -> None:
        self.dissolve()

    def dissolve(self) -> None:
        """connect(2) to AF_UNSPEC: the connection is reset, the socket can be used again."""
        connection = self.connection
        connection.waker = Orphan(self.kernel.limits, 0, connection)
        connection.abort(self.kernel.net.outside.clock())
        self._let_go()
        self.queue.wake(EVERYTHING)

    def _let_go(self) -> None:
        self.kernel.limits.uncharge(self.charged)
        self.charged = 0
        del self.connection
        self.state, self.shut, self.has_fin, self.error, self.remote = CLOSED, 0, False, 0, None
        self.__class__ = TcpSocket  # type: ignore[assignment]

    def close(self) -> None:
        """End in order, with SO_LINGER and no time or with unread bytes by a reset; what is unsent is still sent."""
        connection, outside = self.connection, self.kernel.net.outside
        connection.options.linger = 0 if self.linger == (1, 0) else None
        connection.close(outside.clock())
        orphan = Orphan(self.kernel.limits, self.charged, connection, can_reuse=SO_REUSEADDR in self.flags_set)
        self.charged = 0
        if outside.stack.tcp.has(connection):
            connection.waker = orphan
        orphan.wake(0)
        self.state = CLOSED
        if self.local.port:
            self.ports.drop(self, self.local.port)
        self.queue.wake(EVERYTHING)

    # --- what it tells -------------------------------------------------------------------------------------------------------

    def readiness(self) -> int:
        """The poll(2) bits (Linux: tcp_poll())."""
        connection = self.connection
        mask = POLLERR if self.error else 0
        if connection.state == states.SYN_SENT:
            return mask
        raw = connection.readiness()
        length = connection.queue.length
        is_short = 0 < length < self.rcvlowat and not connection.has_fin and connection.state != states.CLOSED
        if raw & POLLIN and not is_short:
            mask |= READABLE
        if raw & POLLOUT:
            mask |= WRITABLE_BITS
        if self.error:
            mask |= READABLE
        return mask | raw & (POLLHUP | POLLRDHUP)

    def peer_address(self) -> bytes:
        """getpeername(2). Errors: ENOTCONN."""
        state = self.connection.state
        if self.remote is None or state in (states.SYN_SENT, states.CLOSED, states.TIME_WAIT):
            raise SyscallError(ENOTCONN)
        return addresses.encode(self.remote, self.family)

    def pending(self) -> int:
        """FIONREAD."""
        return self.connection.queue.length

    def unread(self) -> int:
        """The column rx_queue of /proc/net/tcp."""
        return self.connection.queue.length

    def unsent(self) -> int:
        """SIOCOUTQ: what is not acknowledged."""
        return len(self.connection.buffer)

    def state_number(self) -> int:
        """The state of /proc/net/tcp and TCP_INFO."""
        return self.connection.state

    # --- options -------------------------------------------------------------------------------------------------------------

    def get_protocol_option(self, level: int, name: int) -> bytes:
        """getsockopt(2) above SOL_SOCKET."""
        told = tcp_options.tell(self.connection, level, name)
        return super().get_protocol_option(level, name) if told is None else told

    def set_protocol_option(self, task: object, level: int, name: int, value: bytes) -> None:
        """setsockopt(2) above SOL_SOCKET: takes effect at once."""
        super().set_protocol_option(task, level, name, value)  # type: ignore[arg-type]
        self.option_changed()

    def option_changed(self) -> None:
        """Hand the options on; what TCP_CORK or Nagle held back leaves."""
        connection = self.connection
        had_keepalive = connection.options.keepalive
        tcp_options.fill(connection.options, self)
        if connection.state in states.SENDS:
            if connection.options.keepalive and not had_keepalive:
                tcp_options.start_keepalive(connection)
            connection.stack.now = self.kernel.net.outside.clock()
            output.output(connection)
            connection.stack.drain()
