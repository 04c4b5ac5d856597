"""Control messages of sendmsg(2) and recvmsg(2) (cmsg(3)): descriptors and credentials.

Linux: net/core/scm.c.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from sentry.socket.socket import Envelope, PeerCredentials, Receipt
from sentry.vfs.file import FileDescription
from syscalls.abi.capability import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import CMSGHDR, MSG_CTRUNC, SCM_CREDENTIALS, SCM_PIDFD, SCM_RIGHTS, SOL_SOCKET, UCRED

if TYPE_CHECKING:
    from sentry.kernel.task import Task

FILES_MAX: Final = 253
_FD: Final = 4


def _align(length: int) -> int:
    return (length + 7) & -8


def read_control(task: "Task", control: bytes, envelope: Envelope) -> None:
    """Fill ``envelope`` from a msg_control buffer; ``files`` bear a reference each.

    Errors: EINVAL malformed or unknown, EBADF, EPERM false credentials, ESRCH no such process.
    """
    at = 0
    files: list[FileDescription] = []
    while at + CMSGHDR.size <= len(control):
        length, level, kind = CMSGHDR.unpack_from(control, at)
        if length < CMSGHDR.size or at + length > len(control):
            raise SyscallError(EINVAL)
        data = control[at + CMSGHDR.size : at + length]
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            files += _read_files(task, data, len(files))
        elif level == SOL_SOCKET and kind == SCM_CREDENTIALS:
            envelope.credentials = _read_credentials(task, data)
        elif level == SOL_SOCKET:
            raise SyscallError(EINVAL)
        else:
            envelope.control = [*(envelope.control or ()), (level, kind, data)]
        at += _align(length)
    envelope.files = [file.acquire() for file in files]
    envelope.uid = task.credentials.uid


def _read_files(task: "Task", data: bytes, count: int) -> list[FileDescription]:
    numbers = len(data) // _FD
    if count + numbers > FILES_MAX:
        raise SyscallError(EINVAL)
    return [task.fds.get_any(int.from_bytes(data[at : at + _FD], "little", signed=True)) for at in range(0, numbers * _FD, _FD)]


def _read_credentials(task: "Task", data: bytes) -> PeerCredentials:
    if len(data) != UCRED.size:
        raise SyscallError(EINVAL)
    pid, uid, gid = UCRED.unpack(data)
    creds = task.credentials
    is_own_uid = uid in (creds.uid, creds.euid, creds.suid) or creds.has(CAP_SETUID)
    is_own_gid = gid in (creds.gid, creds.egid, creds.sgid) or creds.has(CAP_SETGID)
    if not (is_own_uid and is_own_gid and (pid == task.group.tgid or creds.has(CAP_SYS_ADMIN))):
        raise SyscallError(EPERM)
    if pid != task.group.tgid and task.kernel.tasks.find_group(pid) is None:
        raise SyscallError(ESRCH)
    return PeerCredentials(pid, uid, gid)


def write_control(
    task: "Task", receipt: Receipt, room: int, open_pidfd: Callable[["Task", int], int], *, cloexec: bool
) -> bytes:
    """The msg_control bytes for ``receipt``, at most ``room``; its descriptors are installed, and released if there is no place;
    ``open_pidfd`` opens one for a process.

    What does not fit sets MSG_CTRUNC (recvmsg(2)).
    """
    out = b""
    for level, kind, data in receipt.control:
        out += _put(receipt, kind, data, room - len(out), level)
    creds = receipt.credentials
    if creds is not None and receipt.shows_credentials:
        out = _put(receipt, SCM_CREDENTIALS, UCRED.pack(creds.pid, creds.uid, creds.gid), room)
    files, receipt.files = receipt.files, []
    if files:
        numbers = _install(task, receipt, files, (room - len(out) - CMSGHDR.size) // _FD, cloexec=cloexec)
        task.kernel.net.release(files)
        if numbers:
            data = b"".join(number.to_bytes(_FD, "little") for number in numbers)
            out += _put(receipt, SCM_RIGHTS, data, room - len(out))
    if creds is not None and receipt.shows_pidfd:
        out += _put_pidfd(receipt, creds.pid, room - len(out), partial(open_pidfd, task))
    return out


def _put_pidfd(receipt: Receipt, pid: int, room: int, open_pidfd: Callable[[int], int]) -> bytes:
    """SCM_PIDFD of the sender, or the errno why there is none (Linux: scm_pidfd_recv())."""
    if room < CMSGHDR.size + _FD:
        receipt.flags |= MSG_CTRUNC
        return b""
    if not pid:
        return b""
    try:
        number = open_pidfd(pid)
    except SyscallError as error:
        number = -error.errno
    return _put(receipt, SCM_PIDFD, number.to_bytes(_FD, "little", signed=True), room)


def _install(task: "Task", receipt: Receipt, files: list[FileDescription], count: int, *, cloexec: bool) -> list[int]:
    numbers: list[int] = []
    try:
        for file in files[: max(count, 0)]:
            numbers.append(task.fds.install(file, cloexec=cloexec))
    except SyscallError:
        pass  # Linux: EMFILE here is MSG_CTRUNC, not an error of the call
    if len(numbers) < len(files):
        receipt.flags |= MSG_CTRUNC
    return numbers


def _put(receipt: Receipt, kind: int, data: bytes, room: int, level: int = SOL_SOCKET) -> bytes:
    if room < CMSGHDR.size:
        receipt.flags |= MSG_CTRUNC
        return b""
    length = CMSGHDR.size + len(data)
    if room < length:
        receipt.flags |= MSG_CTRUNC
        length = room
    message = CMSGHDR.pack(length, level, kind) + data
    return message[:length].ljust(min(_align(length), room), b"\0")
