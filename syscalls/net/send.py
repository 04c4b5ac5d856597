"""sendto(2), sendmsg(2), sendmmsg(2)."""

from sentry.fs.pipe.splice import settle
from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.sched.wait import Interrupted
from sentry.socket import transfer
from sentry.socket.control import read_control
from sentry.socket.socket import Envelope, PeerCredentials, Socket
from sentry.vfs.io import Source
from syscalls.abi.errno import EMSGSIZE, ENOBUFS, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    MMSGHDR,
    MSG_OOB,
    MSGHDR,
)
from syscalls.args import Fd, Int, Size, UInt, UserPtr
from syscalls.net.lookup import read_address, socket_of
from syscalls.registry import Support, syscall

_IOV_MAX = 1024
_CONTROL_MAX = 0x5000  # net.core.optmem_max
_NOTE = "AF_UNIX, TCP and UDP on loopback; MSG_OOB is EOPNOTSUPP, MSG_ZEROCOPY copies"


@syscall(man="send(2)", support=Support.PARTIAL, note=_NOTE)
def sys_sendto(task: Task, sockfd: Fd, buf: UserPtr, size: Size, flags: Int, addr: UserPtr, addrlen: Int) -> Outcome:
    """Send bytes, or one message. Errors: EBADF, ENOTSOCK, EAGAIN, EPIPE with SIGPIPE, ENOTCONN, EMSGSIZE, ECONNREFUSED."""
    socket = socket_of(task, sockfd)
    source = task.memory.source(buf, size)
    address = read_address(task, addr, addrlen) if addr else b""
    return _send(task, socket, source, Envelope(flags), address)


@syscall(man="send(2)", support=Support.PARTIAL, note=_NOTE)
def sys_sendmsg(task: Task, sockfd: Fd, msg: UserPtr, flags: Int) -> Outcome:
    """sendto(2) from several buffers, with control messages. Errors: as sendto(2), EINVAL, EPERM, ETOOMANYREFS."""
    socket = socket_of(task, sockfd)
    return _send_message(task, socket, task.memory.read_struct(MSGHDR, msg), flags)


@syscall(man="sendmmsg(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_sendmmsg(task: Task, sockfd: Fd, msgvec: UserPtr, vlen: UInt, flags: Int) -> int:
    """sendmsg(2) for several messages; returns how many went, unless the first failed. Errors: as sendmsg(2)."""
    socket = socket_of(task, sockfd)
    done = 0
    try:
        for index in range(min(vlen, _IOV_MAX)):
            at = msgvec + index * MMSGHDR.size
            *header, _ = task.memory.read_struct(MMSGHDR, at)
            count = await settle(_send_message(task, socket, tuple(header), flags))
            task.memory.write_u32(at + MSGHDR.size, count)
            done += 1
    except (SyscallError, Interrupted):
        if not done:
            raise
    return done


def _send_message(task: Task, socket: Socket, header: tuple[int, ...], flags: int) -> Outcome:
    name, namelen, iov, iovlen, control, controllen, _ = header
    if iovlen > _IOV_MAX:
        raise SyscallError(EMSGSIZE)
    address = read_address(task, name, min(namelen, 0x7FFFFFFF)) if name and namelen else b""
    source = task.memory.source_iovec(iov, iovlen)
    envelope = Envelope(flags)
    if control and controllen:
        if controllen > _CONTROL_MAX:
            raise SyscallError(ENOBUFS)
        read_control(task, task.memory.read(control, controllen), envelope)
    return _send(task, socket, source, envelope, address)


def _send(task: Task, socket: Socket, source: Source, envelope: Envelope, address: bytes) -> Outcome:
    try:
        if envelope.flags & MSG_OOB:
            raise SyscallError(EOPNOTSUPP)
        if envelope.files:
            socket.check_in_flight(task, envelope.files)
        envelope.writer = PeerCredentials(task.group.tgid, task.credentials.uid, task.credentials.gid)
        outcome = _send_to(task, socket, source, envelope, address) if address else transfer.send(task, socket, source, envelope)
    except BaseException:
        task.kernel.net.release(envelope.files)
        raise
    if type(outcome) is int:
        task.kernel.net.release(envelope.files)
        return outcome
    return _finish(task, outcome, envelope)


async def _send_to(task: Task, socket: Socket, source: Source, envelope: Envelope, address: bytes) -> int:
    envelope.address = await socket.resolve(task, address)
    return await settle(transfer.send(task, socket, source, envelope))


async def _finish(task: Task, outcome: Outcome, envelope: Envelope) -> int:
    """Descriptors that did not leave with a message are dropped."""
    try:
        return await settle(outcome)
    finally:
        task.kernel.net.release(envelope.files)
