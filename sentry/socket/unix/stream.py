"""SOCK_STREAM UNIX sockets. Linux: unix_stream_sendmsg(), unix_stream_read_generic()."""

from typing import TYPE_CHECKING

from sentry.socket.socket import Envelope, PeerCredentials, Receipt
from sentry.socket.unix.base import RCV_SHUTDOWN, SEND_SHUTDOWN
from sentry.socket.unix.connection import ConnectionSocket
from sentry.socket.unix.message import STREAM_PART_MAX, Message, stream_truesize
from syscalls.abi.errno import EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP, EPIPE
from syscalls.abi.errors import Fault, SyscallError

if TYPE_CHECKING:
    from sentry.vfs.io import Sink, Source

_NOTHING = Envelope()
_NOBODY = PeerCredentials()


def _take_whole(source: "Source", length: int) -> bytes:
    """A part is read whole or not at all. Raises Fault."""
    data = source.take(length)
    if len(data) < length:
        raise Fault
    return data


def _put_whole(sink: "Sink", data: bytes | memoryview) -> int:
    """As much as the reader wants; a part that does not reach it whole stays. Raises Fault."""
    wanted = min(len(data), sink.remaining)
    count = sink.put(data)
    if count < wanted:
        raise Fault
    return count


class StreamSocket(ConnectionSocket):
    """Bytes in order; a receive stops at descriptors and, with SO_PASSCRED, where the sender changes."""

    __slots__ = ()

    is_stream = True
    has_sigpipe = True

    def try_write(self, source: "Source", offset: int) -> int | None:
        """write(2) is a send without anything else."""
        return self.try_send(source, self.plain_envelope() or _NOTHING)

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send what the buffer takes; descriptors travel with the first part. Errors: EPIPE, ENOTCONN, EISCONN, EOPNOTSUPP."""
        peer = self.peer
        if envelope.address is not None:
            raise SyscallError(EISCONN if self.is_connected else EOPNOTSUPP)
        if peer is None and not self.is_connected:
            raise SyscallError(ENOTCONN)
        if peer is None or self.shut & SEND_SHUTDOWN or peer.shut & RCV_SHUTDOWN:
            raise SyscallError(EPIPE)
        if not source.remaining:
            return 0
        part_max = min(max(self.sndbuf // 2 - 64, 1), STREAM_PART_MAX)
        done = 0
        while source.remaining and self.wmem < self.sndbuf:
            try:
                data = _take_whole(source, min(source.remaining, part_max))
            except Fault:
                if done:
                    break
                raise
            files = envelope.files or None
            message = Message(self, data, stream_truesize(len(data)), self.credentials_for(peer, envelope), files, self.name)
            if files:
                message.files_uid = envelope.uid
            try:
                self.enqueue(peer, message)
            except SyscallError:
                if done:
                    break
                raise
            if files:
                envelope.files = []
            done += len(data)
        return done or None

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive what is there. Errors: EINVAL not connected, ECONNRESET."""
        if not self.is_connected:
            raise SyscallError(EINVAL)
        messages = self.messages
        if not messages:
            return 0 if self.check_end() else None
        if not sink.remaining:
            return 0
        checks_sender = self.passes_sender
        done = index = 0
        while index < len(messages):
            message = messages[index]
            if checks_sender and receipt.credentials not in (None, message.credentials or _NOBODY):
                receipt.is_complete = True
                break
            start = message.start
            try:
                count = _put_whole(sink, memoryview(message.data)[start:] if start else message.data)
            except Fault:
                if done:
                    break
                raise
            done += count
            has_files = bool(message.files)
            if has_files or checks_sender:
                self.attach(receipt, message)
                receipt.is_complete |= has_files
            if receipt.is_peek:
                index += 1
            else:
                message.start = start + count
                if message.start < len(message.data):
                    break
                messages.popleft()
                self.discharge(message)
            if has_files or not sink.remaining:
                break
        return done
