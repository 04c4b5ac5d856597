"""SOCK_DGRAM and SOCK_SEQPACKET UNIX sockets: whole messages. Linux: unix_dgram_sendmsg(), unix_dgram_recvmsg()."""

from typing import TYPE_CHECKING, Final

from sentry.socket.socket import Envelope, Receipt, SocketInode
from sentry.socket.unix import address as addresses
from sentry.socket.unix.base import EVERYTHING, RCV_SHUTDOWN, SEND_SHUTDOWN, WRITABLE_BITS, UnixSocket
from sentry.socket.unix.connection import ConnectionSocket
from sentry.socket.unix.message import Message, datagram_truesize
from syscalls.abi.errno import ECONNREFUSED, ECONNRESET, EMSGSIZE, ENOTCONN, EPERM, EPIPE
from syscalls.abi.errors import Fault, SyscallError
from syscalls.abi.socket import AF_UNSPEC, MSG_TRUNC

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.io import Sink, Source

QUEUE_MAX: Final = 10  # net.unix.max_dgram_qlen
_HEADROOM: Final = 32


def enqueue_message(sender: UnixSocket, target: UnixSocket, source: "Source", envelope: Envelope) -> int | None:
    """Send one message. Errors: EMSGSIZE, EFAULT, ENOMEM."""
    length = source.remaining
    if length > sender.sndbuf - _HEADROOM:
        raise SyscallError(EMSGSIZE)
    if sender.wmem >= sender.sndbuf:
        return None
    data = source.take(length) if length else b""
    if len(data) < length:
        raise Fault
    files, envelope.files = envelope.files or None, []
    message = Message(sender, data, datagram_truesize(length), sender.credentials_for(target, envelope), files, sender.name)
    message.files_uid = envelope.uid
    try:
        sender.enqueue(target, message)
    except SyscallError:
        envelope.files = files or []
        raise
    return length


def _check_readable(source: "Source") -> None:
    """A message is read before anybody looks for its receiver (Linux: unix_dgram_sendmsg()). Errors: EFAULT."""
    length = source.remaining
    if length and len(source.peek(length)) < length:
        raise Fault


def take_message(socket: UnixSocket, sink: "Sink", receipt: Receipt) -> int:
    """Receive the first message; what does not fit is lost (MSG_TRUNC tells). Precondition: there is one. Errors: EFAULT."""
    message = socket.messages[0]
    length = len(message.data)
    count = sink.put(message.data) if length and sink.remaining else 0
    if count < min(length, count + sink.remaining):
        raise Fault
    if count < length:
        receipt.flags |= MSG_TRUNC
    receipt.length = length
    receipt.is_complete = True
    receipt.address = addresses.encode(message.name) if message.name else b""
    socket.attach(receipt, message)
    if not receipt.is_peek:
        socket.messages.popleft()
        socket.discharge(message)
    return count


class SeqpacketSocket(ConnectionSocket):
    """A connection of messages."""

    __slots__ = ()

    async def resolve(self, task: "Task", address: bytes) -> object:
        """An address is not even looked at."""
        return None

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) sends one message."""
        return self.try_send(source, self.plain_envelope() or Envelope())

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send one message; an address is ignored. Errors: ENOTCONN, EPIPE, EMSGSIZE."""
        if not self.is_connected:
            raise SyscallError(ENOTCONN)
        if self.error:
            raise SyscallError(self.take_error())
        peer = self.peer
        if peer is None or self.shut & SEND_SHUTDOWN or peer.shut & RCV_SHUTDOWN:
            raise SyscallError(EPIPE)
        return enqueue_message(self, peer, source, envelope)

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive one message; 0 at the end. Errors: ENOTCONN, ECONNRESET."""
        if not self.is_connected:
            raise SyscallError(ENOTCONN)
        if self.error:
            raise SyscallError(self.take_error())
        if not self.messages:
            return 0 if self.is_receive_shut else None
        count = take_message(self, sink, receipt)
        receipt.address = None
        return count


class DatagramSocket(UnixSocket):
    """Messages to a peer or to anybody with a name. ``choked`` senders wait for room in the queue of this one."""

    __slots__ = ("choked",)

    def __init__(self, kernel: "Kernel", inode: SocketInode, flags: int, type: int) -> None:
        super().__init__(kernel, inode, flags, type)
        self.choked: set[DatagramSocket] = set()

    async def resolve(self, task: "Task", address: bytes) -> object:
        """The socket of a destination."""
        return await self.find(task, address)

    async def connect(self, task: "Task", address: bytes) -> None:
        """Set the default destination, or none for AF_UNSPEC. Errors: ECONNREFUSED, EPERM it has another peer, EPROTOTYPE."""
        if addresses.family_of(address) == AF_UNSPEC:
            self._set_peer(None)
            return
        addresses.parse(address)
        if self.passes_sender:
            self.autobind()
        other = await self.find(task, address)
        if other.peer is not None and other.peer is not self:
            raise SyscallError(EPERM)
        self._set_peer(other)

    def _set_peer(self, other: UnixSocket | None) -> None:
        old, self.peer = self.peer, other
        if old is not None and old is not other:
            # Linux: unix_dgram_disconnected(): what the old peer had sent is lost, and it is told if it was our partner.
            if self.messages:
                self.drop_messages()
                if old.peer is self and not old.is_closed:
                    old.error = ECONNRESET
                    old.queue.wake(EVERYTHING)
            self.queue.wake(WRITABLE_BITS)

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) sends one message to the peer."""
        return self.try_send(source, self.plain_envelope() or Envelope())

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send one message. Errors: ENOTCONN nobody to send to, ECONNREFUSED it is gone, EPERM, EPIPE, EMSGSIZE."""
        if source.remaining > self.sndbuf - _HEADROOM:
            raise SyscallError(EMSGSIZE)
        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & SEND_SHUTDOWN:
            raise SyscallError(EPIPE)
        if self.wmem >= self.sndbuf:
            return None
        try:
            target = self._target(envelope)
        except SyscallError:
            _check_readable(source)
            raise
        if self._is_choked_by(target):
            return None
        return enqueue_message(self, target, source, envelope)

    def _target(self, envelope: Envelope) -> UnixSocket:
        """The receiver. Errors: ENOTCONN there is none, ECONNREFUSED it is gone, EPERM it has another peer, EPIPE."""
        target = envelope.address if envelope.address is not None else self.peer
        if target is None:
            raise SyscallError(ENOTCONN)
        assert isinstance(target, UnixSocket)
        if target.is_closed:
            if target is self.peer:
                self._set_peer(None)
            raise SyscallError(ECONNREFUSED)
        if target.peer is not None and target.peer is not self:
            raise SyscallError(EPERM)
        if target.shut & RCV_SHUTDOWN:
            raise SyscallError(EPIPE)
        return target

    def _is_choked_by(self, target: UnixSocket) -> bool:
        """Whether the receiver's queue is too long for a sender that is not its partner."""
        if target is self or target.peer is self or len(target.messages) <= QUEUE_MAX:
            return False
        assert isinstance(target, DatagramSocket)
        target.choked.add(self)
        return True

    def _unchoke(self) -> None:
        while self.choked:
            self.choked.pop().queue.wake(WRITABLE_BITS)

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive one message. Errors: what was reported about the peer."""
        if self.error:
            raise SyscallError(self.take_error())
        if self.messages:
            count = take_message(self, sink, receipt)
            if self.choked and not receipt.is_peek:
                self._unchoke()
            return count
        return 0 if self.is_receive_shut and not receipt.is_nonblocking else None

    def readiness(self) -> int:
        """The poll(2) bits (Linux: unix_dgram_poll())."""
        mask = self.base_readiness()
        if self.can_write and (self.peer is None or not self._is_choked_by(self.peer)):
            mask |= WRITABLE_BITS
        return mask

    def pending(self) -> int:
        """FIONREAD: the length of the first message."""
        return len(self.messages[0].data) if self.messages else 0

    def peer_address(self) -> bytes:
        """getpeername(2). Errors: ENOTCONN."""
        if self.peer is None:
            raise SyscallError(ENOTCONN)
        return addresses.encode(self.peer.name)

    def close(self) -> None:
        """Senders get ECONNREFUSED from now on."""
        self.is_closed = True
        self.unname()
        self.peer = None
        self.queue.wake(EVERYTHING)
        self._unchoke()
        self.drop_messages()
