"""What stream, seqpacket and datagram UNIX sockets share: names, the receive queue, buffers, readiness, the end.

Linux: net/unix/af_unix.c.
"""

from collections import deque
from typing import TYPE_CHECKING, Any

from sentry.kernel.socket_row import UnixRow
from sentry.socket import device_ioctl
from sentry.socket.socket import Envelope, PeerCredentials, Receipt, Socket, SocketInode
from sentry.socket.unix import address as addresses
from sentry.socket.unix.message import Message
from sentry.vfs.lookup import resolve
from sentry.vfs.naming import mknod_at, unlink_at
from sentry.vfs.permission import check_permission
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLOUT, POLLRDHUP, POLLWRBAND, POLLWRNORM, READABLE
from syscalls.abi.errno import EADDRINUSE, ECONNREFUSED, EEXIST, EINVAL, ENOSPC, EOPNOTSUPP, EPROTOTYPE, ETOOMANYREFS
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, W_OK
from syscalls.abi.ioctl import FIONREAD, SIOCATMARK, TIOCOUTQ
from syscalls.abi.resource import RLIM_INFINITY, RLIMIT_NOFILE
from syscalls.abi.socket import (
    AF_UNIX,
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SO_PASSCRED,
    SO_PASSPIDFD,
    SOCK_STREAM,
)
from syscalls.abi.stat import S_IFMT, S_IFSOCK

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.file import FileDescription

RCV_SHUTDOWN, SEND_SHUTDOWN = 1, 2
SHUTDOWN_MASK = RCV_SHUTDOWN | SEND_SHUTDOWN
WRITABLE_BITS = POLLOUT | POLLWRNORM | POLLWRBAND
EVERYTHING = READABLE | WRITABLE_BITS | POLLERR | POLLHUP | POLLRDHUP
_SIOCOUTQ = TIOCOUTQ
_HOW = {SHUT_RD: RCV_SHUTDOWN, SHUT_WR: SEND_SHUTDOWN, SHUT_RDWR: SHUTDOWN_MASK}


class UnixSocket(Socket):
    """``peer`` is the connected socket; ``messages`` what waits to be received; ``wmem`` what we sent and nobody received."""

    __slots__ = (
        "credentials",
        "is_closed",
        "messages",
        "name",
        "path",
        "peer",
        "place",
        "shut",
        "wmem",
        "writer",
    )

    def __init__(self, kernel: "Kernel", inode: SocketInode, flags: int, type: int) -> None:
        super().__init__(kernel, inode, flags, AF_UNIX, type)
        self.peer: UnixSocket | None = None
        self.messages: deque[Message] = deque()
        self.wmem = 0
        self.writer: PeerCredentials | None = None
        self.shut = 0
        self.name = addresses.UNNAMED
        self.place: Path | None = None
        self.credentials: PeerCredentials | None = None  # of the other side, for SO_PEERCRED
        self.is_closed = False
        kernel.net.unix_sockets.add(self)

    def row(self) -> UnixRow:
        """The line of /proc/net/unix."""
        is_connected = self.peer is not None or (self.is_connection and self.shut == SHUTDOWN_MASK)
        return UnixRow(self.references + 1, self.is_listening, self.type, is_connected, self.inode.attr.ino, self.name)

    async def bind(self, task: "Task", address: bytes) -> None:
        """Take a name: a new socket inode, an abstract name, or an automatic one. Errors: EINVAL, EADDRINUSE, of the path."""
        if len(address) == 2 and addresses.family_of(address) == AF_UNIX:
            self.autobind()
            return
        name = addresses.parse(address)
        if name[0] == 0:
            if self.name:
                raise SyscallError(EINVAL)
            self._take_abstract(name)
            return
        mode = S_IFSOCK | (self.inode.attr.mode & 0o7777 & ~task.fs.umask)
        try:
            place = await mknod_at(task, AT_FDCWD, name, mode, 0)
        except SyscallError as error:
            raise SyscallError(EADDRINUSE if error.errno == EEXIST else error.errno) from None
        if self.name:  # only now, and what was made goes again (Linux: net/unix/af_unix.c, unix_bind_bsd())
            await unlink_at(task, AT_FDCWD, name, is_rmdir=False)
            raise SyscallError(EINVAL)
        self.name = name
        self.place = place
        place.inode.bound = self

    def autobind(self) -> None:
        """Take a free abstract name (unix(7), "Autobind feature"). Errors: EINVAL already named, ENOSPC."""
        if self.name:
            return
        name = self.kernel.net.autobind_name()
        if name is None:
            raise SyscallError(ENOSPC)
        self._take_abstract(b"\0" + name)

    def _take_abstract(self, name: bytes) -> None:
        table = self.kernel.net.abstract
        if name[1:] in table:
            raise SyscallError(EADDRINUSE)
        table[name[1:]] = self
        self.name = name

    async def find(self, task: "Task", address: bytes) -> "UnixSocket":
        """The socket bound to a raw address. Errors: ECONNREFUSED nobody, EPROTOTYPE another type, EACCES and of the path."""
        name = addresses.parse(address)
        if name[0] == 0:
            found = self.kernel.net.abstract.get(name[1:])
        else:
            place = await resolve(task, AT_FDCWD, name)
            check_permission(task.credentials, place.inode.attr, W_OK)
            found = place.inode.bound if place.inode.attr.mode & S_IFMT == S_IFSOCK else None
        if not isinstance(found, UnixSocket) or found.is_closed:
            raise SyscallError(ECONNREFUSED)
        if found.type != self.type:
            raise SyscallError(EPROTOTYPE)
        return found

    @property
    def has_job_control(self) -> bool:  # type: ignore[override]
        """A plain write(2) must know its task where SO_PASSCRED shows the writer's ids to the receiver."""
        peer = self.peer
        return self.passes_sender or (peer is not None and peer.passes_sender)

    @property
    def passes_sender(self) -> bool:
        """Whether a receive tells who has sent: SO_PASSCRED by ids, SO_PASSPIDFD by a descriptor (Linux: unix_may_passcred())."""
        flags = self.flags_set
        return SO_PASSCRED in flags or SO_PASSPIDFD in flags

    def before_write(self, task: "Task") -> None:
        """Remember whose write(2) comes next."""
        self.writer = PeerCredentials(task.group.tgid, task.credentials.uid, task.credentials.gid)

    def plain_envelope(self) -> Envelope | None:
        """The envelope of a write(2), if it says anything."""
        writer, self.writer = self.writer, None
        return None if writer is None else Envelope(writer=writer)

    def enqueue(self, target: "UnixSocket", message: Message) -> None:
        """Put ``message`` into the queue of ``target``, charged to this sender."""
        self.kernel.limits.charge(message.truesize)
        self.wmem += message.truesize
        if message.files:
            self._count_files(message, len(message.files))
        target.messages.append(message)
        target.queue.wake(READABLE)

    def check_in_flight(self, task: "Task", files: "list[FileDescription]") -> None:
        """Errors: ETOOMANYREFS too many descriptors in flight for this user (unix(7))."""
        uid = task.credentials.uid
        limit = task.group.limits.get(RLIMIT_NOFILE, (RLIM_INFINITY, 0))[0]
        if self.kernel.net.in_flight.get(uid, 0) + len(files) > limit:
            raise SyscallError(ETOOMANYREFS)

    def _count_files(self, message: Message, count: int) -> None:
        uid = message.files_uid
        in_flight = self.kernel.net.in_flight
        in_flight[uid] = in_flight.get(uid, 0) + count

    def take_files(self, message: Message) -> "list[FileDescription]":
        """The descriptors of ``message``, which are in flight no more."""
        files = message.files or []
        message.files = None
        if files:
            self._count_files(message, -len(files))
        return files

    def discharge(self, message: Message) -> None:
        """``message`` has been received or dropped: its sender may send again."""
        sender = message.sender
        sender.wmem -= message.truesize
        self.kernel.limits.uncharge(message.truesize)
        if sender.can_write:
            sender.queue.wake(WRITABLE_BITS)

    @property
    def is_receive_shut(self) -> bool:
        """Nothing more will be received."""
        return bool(self.shut & RCV_SHUTDOWN)

    def attach(self, receipt: Receipt, message: Message) -> None:
        """Hand what goes with ``message`` to ``receipt``: the sender where SO_PASSCRED or SO_PASSPIDFD asks, descriptors."""
        if self.passes_sender:
            receipt.credentials = message.credentials or PeerCredentials()
            receipt.shows_credentials = SO_PASSCRED in self.flags_set
            receipt.shows_pidfd = SO_PASSPIDFD in self.flags_set
        if message.files:
            if receipt.is_peek:
                receipt.files += [file.acquire() for file in message.files]
            else:
                receipt.files += self.take_files(message)

    def credentials_for(self, target: "UnixSocket", envelope: Envelope) -> PeerCredentials | None:
        """What SO_PASSCRED will show of a message: SCM_CREDENTIALS, or the sender's ids if either side had asked for them."""
        if envelope.credentials is not None:
            return envelope.credentials
        return envelope.writer if self.passes_sender or target.passes_sender else None

    def shutdown(self, how: int) -> None:
        """Close one direction or both; a connected peer's other half follows. Errors: EINVAL."""
        mode = _HOW.get(how)
        if mode is None:
            raise SyscallError(EINVAL)
        self.shut |= mode
        peer = self.peer
        if peer is not None and self.is_connection:
            peer.shut |= (mode & RCV_SHUTDOWN) << 1 | (mode & SEND_SHUTDOWN) >> 1
            peer.queue.wake(EVERYTHING)
        self.queue.wake(EVERYTHING)

    #: streams and seqpackets end together
    is_connection = False

    def base_readiness(self) -> int:
        """The bits that all types share."""
        mask = POLLERR if self.error else 0
        if self.shut == SHUTDOWN_MASK:
            mask |= POLLHUP
        if self.shut & RCV_SHUTDOWN:
            mask |= POLLRDHUP | READABLE
        if self.messages:
            mask |= READABLE
        return mask

    @property
    def can_write(self) -> bool:
        """Whether at least three quarters of the send buffer are free (Linux: unix_writable(), whose count starts at 1)."""
        return (self.wmem + 1) << 2 <= self.sndbuf

    def local_address(self) -> bytes:
        """getsockname(2)."""
        return addresses.encode(self.name)

    def peer_credentials(self) -> PeerCredentials:
        """SO_PEERCRED."""
        return self.credentials or PeerCredentials(0, 0xFFFFFFFF, 0xFFFFFFFF)

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """FIONREAD, SIOCOUTQ and those of the devices. Errors: ENODEV, ENOTTY."""
        if request == FIONREAD:
            task.memory.write_u32(argument, self.pending())
        elif request == _SIOCOUTQ:
            task.memory.write_u32(argument, self.wmem)
        elif request == SIOCATMARK:
            if self.type != SOCK_STREAM:
                raise SyscallError(EOPNOTSUPP)
            task.memory.write_u32(argument, 0)  # there is no urgent byte
        else:
            return device_ioctl.run(task, self.family, request, argument)
        return 0

    def pending(self) -> int:
        """FIONREAD: bytes that can be received."""
        return sum(len(message.data) - message.start for message in self.messages)

    def unname(self) -> None:
        """Give the name back; a socket inode stays, without its socket."""
        if self.place is not None:
            if self.place.inode.bound is self:
                self.place.inode.bound = None
            self.place = None
        elif self.name[:1] == b"\0" and self.kernel.net.abstract.get(self.name[1:]) is self:
            del self.kernel.net.abstract[self.name[1:]]

    def drop_messages(self) -> None:
        """Throw away what nobody will receive."""
        while self.messages:
            message = self.messages.popleft()
            self.kernel.net.release(self.take_files(message))
            self.discharge(message)


def credentials_of(task: "Task") -> PeerCredentials:
    """SO_PEERCRED shows effective ids."""
    creds: Any = task.credentials
    return PeerCredentials(task.group.tgid, creds.euid, creds.egid, creds.groups)
