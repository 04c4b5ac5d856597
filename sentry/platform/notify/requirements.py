"""What no guest can be served without, asked for before the first one is born."""

import os
from typing import TYPE_CHECKING, Any

from sentry.platform.interface import PlatformError

if TYPE_CHECKING:
    from sentry.platform._core.core import Core


def require(core: "Core", ffi: Any, proc_fd: int) -> None:
    """Raises PlatformError with the call that the host forbids, or that there is no /proc."""
    here = ffi.new("char[1]")
    address = int(ffi.cast("uintptr_t", here))
    for name, call in (("process_vm_readv", core.guest_read), ("process_vm_writev", core.guest_write)):
        result = call(os.getpid(), address, here, 1)
        if result < 0:
            raise PlatformError(f"the host forbids {name}: {os.strerror(-result)}")
    try:
        os.close(os.memfd_create("probe", os.MFD_CLOEXEC))
    except OSError as error:
        raise PlatformError(f"the host forbids memfd_create: {error.strerror}") from None
    try:
        os.stat("self/status", dir_fd=proc_fd)
    except OSError:
        raise PlatformError("no proc file system is mounted at /proc") from None
