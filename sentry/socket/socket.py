"""What every socket family offers to the system calls (socket(7)); AF_UNIX is in ``sentry.socket.unix``.

Like all open files, sockets never sleep: ``try_*`` returns None where the caller must wait on ``queue``.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentry.vfs.file import FileDescription
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr, SetAttr
from syscalls.abi.errno import EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_NONBLOCK, O_RDWR
from syscalls.abi.socket import MSG_DONTWAIT, MSG_ERRQUEUE, MSG_PEEK
from syscalls.abi.stat import S_IFSOCK

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.io import Sink, Source

SNDBUF_DEFAULT = 212_992
OVERFLOW_ID = 65_534


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    """struct ucred; ``groups`` are the further groups of who connected or listened (SO_PEERGROUPS)."""

    pid: int = 0
    uid: int = OVERFLOW_ID
    gid: int = OVERFLOW_ID
    groups: tuple[int, ...] = ()


@dataclass(slots=True)
class Envelope:
    """What goes with the bytes of one send. ``address`` is the raw destination; ``files`` are held by a reference each."""

    flags: int = 0
    address: object = None
    files: list[FileDescription] = field(default_factory=list)
    credentials: PeerCredentials | None = None  # SCM_CREDENTIALS
    writer: PeerCredentials | None = None  # the sending task's real ids, for SO_PASSCRED
    uid: int = 0  # whose limit of descriptors in flight counts
    control: "list[tuple[int, int, bytes]] | None" = None  # level, type and data of other control messages


class Receipt:
    """What came with the bytes of one receive. ``files`` are held by a reference each; ``flags`` are msghdr's."""

    __slots__ = (
        "address",
        "control",
        "credentials",
        "files",
        "flags",
        "is_complete",
        "is_nonblocking",
        "is_peek",
        "length",
        "shows_credentials",
        "shows_pidfd",
        "wants_errors",
    )

    def __init__(self, flags: int = 0) -> None:
        self.is_peek = bool(flags & MSG_PEEK)
        self.wants_errors = bool(flags & MSG_ERRQUEUE)
        self.is_nonblocking = bool(flags & MSG_DONTWAIT)
        self.control: list[tuple[int, int, bytes]] = []  # level, type and data of other control messages
        self.address: bytes | None = None
        self.credentials: PeerCredentials | None = None
        self.shows_credentials = True  # SO_PASSCRED
        self.shows_pidfd = False  # SO_PASSPIDFD
        self.files: list[FileDescription] = []
        self.flags = 0
        self.length: int | None = None  # a datagram's real length, where MSG_TRUNC asks for it
        self.is_complete = False  # nothing may be added: a message ended, or descriptors came


class SocketInode(Inode):
    """The anonymous inode of a socket."""

    __slots__ = ()

    def __init__(self, kernel: "Kernel", uid: int, gid: int) -> None:
        fs = kernel.pseudo.sockets
        now = kernel.realtime_ns()
        super().__init__(
            fs, Attr(ino=fs.next_ino(), mode=S_IFSOCK | 0o777, uid=uid, gid=gid, atime_ns=now, mtime_ns=now, ctime_ns=now)
        )

    async def setattr(self, change: SetAttr) -> None:
        """fchmod(2) and fchown(2) change only this anonymous inode."""
        for name in ("mode", "uid", "gid", "atime_ns", "mtime_ns"):
            value = getattr(change, name)
            if value is not None:
                setattr(self.attr, name, value)


class Socket(FileDescription):
    """An open socket. ``family``, ``type`` and ``protocol`` are socket(2)'s."""

    __slots__ = (
        "_cookie",
        "buf_lock",
        "error",
        "family",
        "flags_set",
        "kept",
        "kernel",
        "linger",
        "protocol",
        "rcvbuf",
        "rcvlowat",
        "read_timeout_ns",
        "sndbuf",
        "type",
        "write_timeout_ns",
    )

    has_async = True

    has_sigpipe = False

    def __init__(self, kernel: "Kernel", inode: Inode, flags: int, family: int, type: int, protocol: int = 0) -> None:
        super().__init__(inode, O_RDWR | flags & O_NONBLOCK)
        self.kernel = kernel
        self.family = family
        self.type = type
        self.protocol = protocol
        self.error = 0  # sk_err: reported once, by SO_ERROR or the next receive
        self.flags_set: set[int] = set()  # the SOL_SOCKET options of one bit that are on
        self.linger = (0, 0)
        self.sndbuf = SNDBUF_DEFAULT
        self.rcvbuf = SNDBUF_DEFAULT
        self.rcvlowat = 1
        self.kept: dict[int, int] = {}  # see kept_options
        self.buf_lock = 0  # SO_BUF_LOCK: the sizes that were set
        self._cookie = 0
        self.read_timeout_ns = None
        self.write_timeout_ns = None

    def cookie(self) -> int:
        """SO_COOKIE: a number that no other socket has."""
        if not self._cookie:
            net = self.kernel.net
            net.cookies += 1
            self._cookie = net.cookies
        return self._cookie

    def rcvlowat_max(self) -> int:
        """What SO_RCVLOWAT is cut to."""
        return 0x7FFFFFFF

    def take_error(self) -> int:
        """Return and clear the pending error."""
        error, self.error = self.error, 0
        return error

    def option_changed(self) -> None:
        """An option of SOL_SOCKET has a new value."""

    def describe(self) -> bytes:
        """The text of /proc/PID/fd/N."""
        return b"socket:[%d]" % self.inode.attr.ino

    @property
    def is_listening(self) -> bool:
        """SO_ACCEPTCONN."""
        return False

    async def bind(self, task: "Task", address: bytes) -> None:
        """bind(2) to a raw sockaddr. Errors: EINVAL, EADDRINUSE, EACCES."""
        raise SyscallError(EOPNOTSUPP)

    def listen(self, task: "Task", backlog: int) -> None:
        """listen(2). Errors: EOPNOTSUPP, EINVAL."""
        raise SyscallError(EOPNOTSUPP)

    async def connect(self, task: "Task", address: bytes) -> None:
        """connect(2); waits as the socket's flags say."""
        raise SyscallError(EOPNOTSUPP)

    def try_accept(self) -> "Socket | None":
        """The next connection of a listening socket. Errors: EINVAL not listening, EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP)

    async def resolve(self, task: "Task", address: bytes) -> object:
        """Turn the destination of sendto(2) into what ``Envelope.address`` holds."""
        raise SyscallError(EOPNOTSUPP)

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send a part, or one message. Errors: EPIPE, ENOTCONN, EMSGSIZE, ECONNREFUSED."""
        raise SyscallError(EOPNOTSUPP)

    def try_receive(self, sink: "Sink", receipt: Receipt) -> int | None:
        """Receive what is there, or one message; 0 at the end. Errors: ENOTCONN, ECONNRESET."""
        raise SyscallError(EOPNOTSUPP)

    def shutdown(self, how: int) -> None:
        """shutdown(2) with SHUT_*. Errors: ENOTCONN."""
        raise SyscallError(EOPNOTSUPP)

    def check_in_flight(self, task: "Task", files: list[FileDescription]) -> None:
        """Errors: EINVAL the family carries no descriptors, ETOOMANYREFS."""
        raise SyscallError(EINVAL)

    def local_address(self) -> bytes:
        """getsockname(2): the raw sockaddr."""
        raise SyscallError(EOPNOTSUPP)

    def peer_address(self) -> bytes:
        """getpeername(2). Errors: ENOTCONN."""
        raise SyscallError(EOPNOTSUPP)

    def peer_credentials(self) -> PeerCredentials:
        """SO_PEERCRED."""
        return PeerCredentials(0, 0xFFFFFFFF, 0xFFFFFFFF)

    def check_level(self, level: int, *, is_get: bool) -> None:
        """Whether there are options at ``level``, not SOL_SOCKET: asked before any pointer. Errors: EOPNOTSUPP, ENOPROTOOPT."""
        raise SyscallError(EOPNOTSUPP)

    def get_protocol_option(self, level: int, name: int) -> bytes:
        """getsockopt(2) at another level than SOL_SOCKET. Errors: EOPNOTSUPP, ENOPROTOOPT."""
        raise SyscallError(EOPNOTSUPP)

    def set_protocol_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """setsockopt(2) at another level than SOL_SOCKET. Errors: EOPNOTSUPP, ENOPROTOOPT, EINVAL."""
        raise SyscallError(EOPNOTSUPP)

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """read(2) is a receive whose descriptors are dropped."""
        receipt = Receipt()
        receipt.is_nonblocking = bool(self.flags & O_NONBLOCK)
        if not sink.remaining:
            return 0
        count = self.try_receive(sink, receipt)
        if receipt.files:
            self.kernel.net.release(receipt.files)
        return count
