"""socket(2) and socketpair(2) for AF_UNIX."""

from typing import TYPE_CHECKING

from sentry.socket.socket import SocketInode
from sentry.socket.unix.base import UnixSocket, credentials_of
from sentry.socket.unix.connection import ConnectionSocket
from sentry.socket.unix.datagram import DatagramSocket, SeqpacketSocket
from sentry.socket.unix.stream import StreamSocket
from syscalls.abi.errno import EPROTONOSUPPORT, ESOCKTNOSUPPORT
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_CLASSES: dict[int, type[StreamSocket] | type[SeqpacketSocket] | type[DatagramSocket]] = {
    SOCK_STREAM: StreamSocket,
    SOCK_SEQPACKET: SeqpacketSocket,
    SOCK_DGRAM: DatagramSocket,
    SOCK_RAW: DatagramSocket,  # "believe it or not", says Linux
}


def new_socket(task: "Task", type: int, protocol: int, flags: int) -> UnixSocket:
    """A new socket. Errors: ESOCKTNOSUPPORT, EPROTONOSUPPORT."""
    if protocol not in (0, AF_UNIX):
        raise SyscallError(EPROTONOSUPPORT)
    cls = _CLASSES.get(type)
    if cls is None:
        raise SyscallError(ESOCKTNOSUPPORT)
    inode = SocketInode(task.kernel, task.credentials.fsuid, task.credentials.fsgid)
    return cls(task.kernel, inode, flags, SOCK_DGRAM if type == SOCK_RAW else type)


def new_pair(task: "Task", type: int, protocol: int, flags: int) -> tuple[UnixSocket, UnixSocket]:
    """Two sockets that are connected to each other."""
    first, second = new_socket(task, type, protocol, flags), new_socket(task, type, protocol, flags)
    first.credentials = second.credentials = credentials_of(task)
    if isinstance(first, ConnectionSocket) and isinstance(second, ConnectionSocket):
        first.marry(second)
    else:
        first.peer, second.peer = second, first
    return first, second
