"""What no guest can be served without, asked for before the first one is born."""

import os
from typing import TYPE_CHECKING, Any

from sentry.platform.interface import PlatformError

if TYPE_CHECKING:
    from sentry.platform._core.core import Core


def require(core: "Core", ffi: Any, proc_fd: int) -> None:
    """Raises PlatformError with the call that the host forbids, or that there is no /proc."""
    try:
        os.close(os.memfd_create("probe", os.MFD_CLOEXEC))
    except OSError as error:
        raise PlatformError(f"the host forbids memfd_create: {error.strerror}") from None
    try:
        os.stat("self/status", dir_fd=proc_fd)
    except OSError:
        raise PlatformError("no proc file system is mounted at /proc") from None


def choose_memory_access(core: "Core", ffi: Any, proc_fd: int, *, is_forbidden: bool) -> bool:
    """Let guest memory be reached through /proc/PID/mem if the host forbids process_vm_readv(2) or process_vm_writev(2).

    Returns whether it is; ``is_forbidden`` says so for a test.
    """
    here = ffi.new("char[1]")
    address = int(ffi.cast("uintptr_t", here))
    if not is_forbidden and all(call(os.getpid(), address, here, 1) == 1 for call in (core.guest_read, core.guest_write)):
        return False
    core.guest_memory_by_files(proc_fd)
    return True
