"""The exec stub's file and its load list (the layout of ``_core/stub/stub.h``)."""

import fcntl
import os
from struct import Struct, unpack_from

from sentry.arch.x86_64 import STUB_CODE_END, STUB_CODE_START, STUB_END
from sentry.platform._core.core import stub_path
from sentry.platform.interface import ExecPlan, PlatformError
from syscalls.abi.errno import ENAMETOOLONG, ENOEXEC, ENOMEM
from syscalls.abi.errors import SyscallError

SEGMENTS_MAX, AUXV_MAX, EXECFN_MAX = 128, 32, 4104
_HEADER = Struct("<11Q")
_PAIR = Struct("<QQ")
_SEGMENT = Struct("<5Qq")
_MFD_CLOEXEC, _MFD_ALLOW_SEALING, _MFD_EXEC = 1, 2, 0x10
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def open_stub() -> tuple[int, int]:
    """Return a descriptor of the stub and its entry address: a sealed memfd, or the packaged file where none may be executed."""
    try:
        image = stub_path().read_bytes()
    except OSError as error:
        raise PlatformError(f"the exec stub is not built ({error}): run 'make setup' or install a wheel") from error
    entry = unpack_from("<Q", image, 24)[0]
    if not STUB_CODE_START <= entry < STUB_CODE_END:
        raise PlatformError("the exec stub does not lie where the filter expects it: build it again")
    fd = -1
    for flags in (_MFD_CLOEXEC | _MFD_ALLOW_SEALING | _MFD_EXEC, _MFD_CLOEXEC | _MFD_ALLOW_SEALING):
        try:
            fd = os.memfd_create("exec", flags)
            break
        except OSError:
            continue  # MFD_EXEC is unknown before Linux 6.3, and refused with vm.memfd_noexec=2
    if fd < 0 or not os.fstat(fd).st_mode & 0o100:
        return os.open(stub_path(), os.O_RDONLY | os.O_CLOEXEC), entry
    os.write(fd, image)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd, entry


def check_plan(plan: ExecPlan, fds_max: int) -> None:
    """Refuse what the stub cannot load. Errors: ENOEXEC, ENOMEM, ENAMETOOLONG."""
    if len(plan.segments) > SEGMENTS_MAX or len(plan.auxv) > AUXV_MAX:
        raise SyscallError(ENOEXEC)
    if len({segment.fd for segment in plan.segments if segment.fd is not None}) > fds_max:
        raise SyscallError(ENOEXEC)
    if len(plan.execfn) >= EXECFN_MAX:
        raise SyscallError(ENAMETOOLONG)
    for segment in plan.segments:
        if segment.addr < STUB_END and segment.addr + segment.length > STUB_CODE_START:
            raise SyscallError(ENOMEM)


def load_list(plan: ExecPlan, numbers: dict[int, int], fd_first: int) -> bytes:
    """Return the load list; ``numbers`` maps a plan's host descriptors to those of the guest."""
    parts = [
        _HEADER.pack(
            plan.entry,
            plan.brk_start,
            plan.has_executable_stack,
            *plan.code,
            *plan.data,
            fd_first,
            fd_first + len(numbers),
            len(plan.segments),
            len(plan.auxv),
        )
    ]
    parts += [_PAIR.pack(key, value & 0xFFFFFFFFFFFFFFFF) for key, value in plan.auxv.items()]
    parts.append(bytes(16 * (AUXV_MAX - len(plan.auxv))))
    for segment in plan.segments:
        fd = -1 if segment.fd is None else numbers[segment.fd]
        parts.append(_SEGMENT.pack(segment.addr, segment.length, segment.prot, segment.offset, segment.zero_from, fd))
    parts.append(bytes(_SEGMENT.size * (SEGMENTS_MAX - len(plan.segments))))
    parts.append(plan.execfn + b"\0")
    return b"".join(parts)
