"""shmat(2), shmdt(2): the guest's own thread maps what the sentry lends it for a moment."""

from typing import Final, cast

from sentry.fs.shm import SegmentStorage
from sentry.ipc.namespace import ipc_of
from sentry.ipc.shared_memory import Segment
from sentry.kernel.native_mapping import map_host_file, unmap
from sentry.kernel.task import Task
from syscalls.abi.errno import EEXIST, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import SHM_EXEC, SHM_RDONLY, SHM_REMAP, SHM_RND, SHMLBA
from syscalls.abi.mman import MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE
from syscalls.args import Int, ULong
from syscalls.registry import syscall

_READ: Final = 0o444
_WRITE: Final = 0o222
_EXEC: Final = 0o111


@syscall(man="shmop(2)")
async def sys_shmat(task: Task, shmid: Int, shmaddr: ULong, shmflg: Int) -> int:
    """Attach a segment and return where. Errors: EACCES, EIDRM, EINVAL, ENOMEM."""
    if shmid < 0:
        raise SyscallError(EINVAL)
    address, flags = _place(shmaddr, shmflg)
    prot, rights = PROT_READ, _READ
    if not shmflg & SHM_RDONLY:
        prot, rights = PROT_READ | PROT_WRITE, _READ | _WRITE
    if shmflg & SHM_EXEC:
        prot, rights = prot | PROT_EXEC, rights | _EXEC
    segment = ipc_of(task).segments.get(shmid)
    segment.perm.check(task.credentials, rights)
    memory = cast("SegmentStorage", segment.memory)
    host_fd = memory.host_fd(writable=not shmflg & SHM_RDONLY)
    task.kernel.mounts.mapped.note(host_fd, memory.file, task.fs.root)
    segment.pins += 1  # IPC_RMID meanwhile does not free it
    try:
        found = await map_host_file(task, host_fd, address, segment.pages << 12, prot, flags)  # type: ignore[arg-type]
        segment.attach(task.group)
    except SyscallError as error:
        raise SyscallError(EINVAL if error.errno == EEXIST else error.errno) from error
    finally:
        segment.pins -= 1
        segment.sweep()
    return found


def _place(address: int, flags: int) -> tuple[int, int]:
    """Where, and the flags of mmap(2). Errors: EINVAL."""
    if not address:
        if flags & SHM_REMAP:
            raise SyscallError(EINVAL)
        return 0, MAP_SHARED
    if address & (SHMLBA - 1):
        if not flags & SHM_RND:
            raise SyscallError(EINVAL)
        address &= ~(SHMLBA - 1)
        if not address and flags & SHM_REMAP:
            raise SyscallError(EINVAL)
    return address, MAP_SHARED | (MAP_FIXED if flags & SHM_REMAP else MAP_FIXED_NOREPLACE)


@syscall(man="shmop(2)")
async def sys_shmdt(task: Task, shmaddr: ULong) -> int:
    """Detach what was attached at ``shmaddr``. Errors: EINVAL nothing was."""
    if shmaddr & (SHMLBA - 1):
        raise SyscallError(EINVAL)
    for segment in list(task.group.segments):
        pieces = _pieces(task, segment, shmaddr)
        if pieces:
            for start, end, _ in pieces:
                await unmap(task, start, end - start)
            segment.detached(task.group)
            return 0
    raise SyscallError(EINVAL)


def _pieces(task: Task, segment: Segment, address: int) -> list[tuple[int, int, int]]:
    """What is left of the attachment: the program may have unmapped parts, or given them other rights."""
    return [
        (start, end, offset)
        for start, end, offset in segment.mappings(task.group)
        if start - offset == address and end <= address + (segment.pages << 12)
    ]
