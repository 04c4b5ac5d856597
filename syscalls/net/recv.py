"""recvfrom(2), recvmsg(2), recvmmsg(2)."""

from sentry.fs.pidfd import open_pidfd_for
from sentry.fs.pipe.splice import settle
from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.kernel.timeout import to_nanoseconds
from sentry.sched.wait import Interrupted
from sentry.socket import transfer
from sentry.socket.control import write_control
from sentry.socket.socket import Receipt, Socket
from sentry.vfs.io import Sink
from syscalls.abi.errno import EMSGSIZE, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    MMSGHDR,
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_TRUNC,
    MSG_WAITFORONE,
    MSGHDR,
)
from syscalls.abi.time import TIMESPEC
from syscalls.args import Fd, Int, Size, UInt, UserPtr
from syscalls.net.lookup import socket_of, write_address
from syscalls.registry import Support, syscall

_IOV_MAX = 1024
_CONTROLLEN_AT = 40  # in struct msghdr
_FLAGS_AT = 48
_NAMELEN_AT = 8
_NOTE = "AF_UNIX, IP on loopback, netlink; MSG_OOB is EOPNOTSUPP; MSG_ERRQUEUE for datagrams over IP"


@syscall(man="recv(2)", support=Support.PARTIAL, note=_NOTE)
def sys_recvfrom(task: Task, sockfd: Fd, buf: UserPtr, size: Size, flags: Int, addr: UserPtr, addrlen: UserPtr) -> Outcome:
    """Receive bytes, or one message, and its sender's address. Errors: EBADF, ENOTSOCK, EAGAIN, EINTR, ENOTCONN, ECONNRESET."""
    socket = socket_of(task, sockfd)
    receipt = Receipt(flags)
    outcome = _receive(task, socket, task.memory.sink(buf, size), receipt, flags)
    if type(outcome) is int and not addr and not receipt.files and not flags & MSG_TRUNC:
        return outcome
    return _finish_from(task, outcome, receipt, flags, addr, addrlen)


@syscall(man="recv(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_recvmsg(task: Task, sockfd: Fd, msg: UserPtr, flags: Int) -> int:
    """recvfrom(2) into several buffers, with control messages. Errors: as recvfrom(2), EMSGSIZE."""
    return await _receive_message(task, socket_of(task, sockfd), msg, flags)


@syscall(man="recvmmsg(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_recvmmsg(task: Task, sockfd: Fd, msgvec: UserPtr, vlen: UInt, flags: Int, timeout: UserPtr) -> int:
    """recvmsg(2) for several messages; the timeout is looked at after each one (recvmmsg(2), BUGS)."""
    socket = socket_of(task, sockfd)
    clock = task.kernel.runner.monotonic_ns
    deadline = None
    if timeout:
        deadline = clock() + to_nanoseconds(*task.memory.read_struct(TIMESPEC, timeout))
    done = 0
    try:
        for index in range(min(vlen, _IOV_MAX)):
            at = msgvec + index * MMSGHDR.size
            count = await _receive_message(task, socket, at, flags & ~MSG_WAITFORONE)
            task.memory.write_u32(at + MSGHDR.size, count)
            done += 1
            if flags & MSG_WAITFORONE:
                flags |= MSG_DONTWAIT
            if deadline is not None and clock() >= deadline:
                break
    except (SyscallError, Interrupted):
        if not done:
            raise
    return done


def _receive(task: Task, socket: Socket, sink: Sink, receipt: Receipt, flags: int) -> Outcome:
    if flags & MSG_OOB:
        raise SyscallError(EOPNOTSUPP)
    return transfer.receive(task, socket, sink, receipt, flags)


async def _finish_from(task: Task, outcome: Outcome, receipt: Receipt, flags: int, addr: int, addrlen: int) -> int:
    count = await settle(outcome)
    task.kernel.net.release(receipt.files)
    if addr and receipt.address is not None:
        write_address(task, receipt.address, addr, addrlen)
    elif addr:
        task.memory.write_u32(addrlen, 0)
    return _length(count, receipt, flags)


async def _receive_message(task: Task, socket: Socket, msg: int, flags: int) -> int:
    name, namelen, iov, iovlen, control, controllen, _ = task.memory.read_struct(MSGHDR, msg)
    if iovlen > _IOV_MAX:
        raise SyscallError(EMSGSIZE)
    receipt = Receipt(flags)
    count = await settle(_receive(task, socket, task.memory.sink_iovec(iov, iovlen), receipt, flags))
    memory = task.memory
    if control:
        data = write_control(task, receipt, controllen, open_pidfd_for, cloexec=bool(flags & MSG_CMSG_CLOEXEC))
        if data:
            memory.write(control, data)
    else:
        data = b""
        if receipt.files or receipt.credentials is not None or receipt.control:
            receipt.flags |= MSG_CTRUNC
        task.kernel.net.release(receipt.files)
    if name:
        address = receipt.address or b""
        memory.write(name, address[:namelen])
        memory.write_u32(msg + _NAMELEN_AT, len(address))
    memory.write_u64(msg + _CONTROLLEN_AT, len(data))
    memory.write_u32(msg + _FLAGS_AT, receipt.flags | flags & MSG_CMSG_CLOEXEC)
    return _length(count, receipt, flags)


def _length(count: int, receipt: Receipt, flags: int) -> int:
    """MSG_TRUNC asks for the real length of a datagram."""
    return receipt.length if flags & MSG_TRUNC and receipt.length is not None else count
