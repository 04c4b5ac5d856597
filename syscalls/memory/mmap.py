"""mmap(2), munmap(2): anonymous memory is the host kernel's business; a file's backing descriptor is lent by the sentry.

The guest's number gets a copy in the guest's host table, opened with exactly the guest's rights, and the call is let through;
no other untrapped call can use that copy, and close and exec remove it (design.md, section 3).
"""

from collections.abc import Coroutine
from typing import Any

from sentry.kernel import closing
from sentry.kernel.memory_usage import admits
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from sentry.vfs.mount import MS_NOEXEC
from syscalls.abi.errno import EACCES, EINVAL, ENOMEM, ENOSPC, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.mman import (
    HUGE_PAGE_SIZES,
    MAP_ANONYMOUS,
    MAP_HUGE_SHIFT,
    MAP_HUGETLB,
    MAP_NORESERVE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    PROT_EXEC,
    PROT_WRITE,
)
from syscalls.args import PROCEED, Fd, Int, Result, Size, ULong
from syscalls.registry import Support, native, syscall

_PAGE_MASK = 0xFFF

native("munmap", "mmap(2)", "gives up the process's own mappings")


@syscall(
    man="mmap(2)",
    support=Support.PARTIAL,
    note="no huge pages (ENOMEM); the times of a file written through a mapping do not change",
    native="anonymous memory of the process's own",
    condition="flags has MAP_ANONYMOUS and not MAP_HUGETLB; with --memory and no control group: shorter than 16 MiB",
    proceeds="the descriptor was lent by the sentry, opened with the guest's own rights",
)
def sys_mmap(
    task: Task, addr: ULong, length: Size, prot: Int, flags: Int, fd: Fd, offset: ULong
) -> Result | Coroutine[Any, Any, Result]:
    """Map memory or a file. Errors: EINVAL, EBADF, EACCES, EPERM (noexec), ENODEV, ENOMEM; the host finds the others."""
    if offset & _PAGE_MASK:
        raise SyscallError(EINVAL)
    if flags & MAP_ANONYMOUS:
        if flags & MAP_HUGETLB:
            raise SyscallError(ENOMEM if flags >> MAP_HUGE_SHIFT & 63 in HUGE_PAGE_SIZES else EINVAL)
        if prot & PROT_WRITE and not flags & MAP_NORESERVE and not admits(task.kernel, length):
            raise SyscallError(ENOMEM)
        return PROCEED
    file = task.fds.get(fd)
    if flags & MAP_HUGETLB or not length:
        raise SyscallError(EINVAL)
    is_shared = flags & MAP_TYPE in (MAP_SHARED, MAP_SHARED_VALIDATE)
    if not is_shared and flags & MAP_TYPE != MAP_PRIVATE:
        raise SyscallError(EINVAL)
    _check_access(file, prot, is_shared=is_shared)
    if fd in task.fds.host_copies:
        return PROCEED
    return _lend(task, file, fd, is_shared=is_shared)


async def _lend(task: Task, file: FileDescription, fd: int, *, is_shared: bool) -> Result:
    # A writable description lends its full rights at once, whatever this mapping needs: a later one may need them.
    file.acquire()
    try:
        host_fd = await _backing(task, file, is_shared=is_shared)
        if closing.has(task, fd):
            await closing.wait_for(task, fd)
        if task.fds.find(fd) is not file:
            return await _moved(task, fd)
        if fd not in task.fds.host_copies:
            task.context.add_fd(host_fd, fd)  # type: ignore[arg-type]
            task.fds.host_copies.add(fd)
            task.kernel.mounts.mapped.note(host_fd, file, task.fs.root)
    finally:
        file.release()
    return PROCEED


async def _backing(task: Task, file: FileDescription, *, is_shared: bool) -> int:
    """The descriptor to lend. Memory for all that could be written is charged; a mapping that only reads (a sparse file that is
    larger than the limit, say) goes without that, and then can never be made writable."""
    try:
        return await file.mapping_fd(writable=file.is_writable, shared=is_shared or file.is_writable)
    except SyscallError as error:
        if error.errno != ENOSPC or (is_shared and task.trap[3] & PROT_WRITE):
            raise
        return await file.mapping_fd(writable=False, shared=is_shared)


async def _moved(task: Task, fd: int) -> Result:
    """Another thread has closed or replaced the number meanwhile: the call begins again."""
    _, addr, length, prot, flags, _, offset = task.trap
    again = sys_mmap(task, addr, length, prot & 0xFFFFFFFF, flags & 0xFFFFFFFF, fd, offset)
    return again if not isinstance(again, Coroutine) else await again


def _check_access(file: FileDescription, prot: int, *, is_shared: bool) -> None:
    """Linux: mm/mmap.c, do_mmap()."""
    if is_shared and prot & PROT_WRITE and not file.is_writable:
        raise SyscallError(EACCES)
    if not file.is_readable:
        raise SyscallError(EACCES)
    if prot & PROT_EXEC and file.path is not None and file.path.mount.flags & MS_NOEXEC:
        raise SyscallError(EPERM)
