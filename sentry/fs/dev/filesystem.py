"""/dev as a container sees it: a small tmpfs with the usual nodes and links, in which root may make more (mknod(2)).

Names and permissions are those of docker and of the OCI runtime specification, "Default Devices".
"""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from sentry.fs.dev.memory import open_full, open_null, open_random, open_zero
from sentry.fs.dev.terminal import open_console, open_tty
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.fs.tmpfs.storage import StoragePool
from sentry.vfs.mount import make_dev
from syscalls.abi.stat import S_IFCHR, S_IFDIR

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel

SIZE_MAX: Final = 64 << 20
#: name, major, minor, mode, opener (Linux: Documentation/admin-guide/devices.txt)
_DEVICES: Final = (
    (b"null", 1, 3, 0o666, open_null),
    (b"zero", 1, 5, 0o666, open_zero),
    (b"full", 1, 7, 0o666, open_full),
    (b"random", 1, 8, 0o666, open_random),
    (b"urandom", 1, 9, 0o666, open_random),
    (b"tty", 5, 0, 0o666, open_tty),
    (b"console", 5, 1, 0o620, open_console),
)
_LINKS: Final = (
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
    (b"ptmx", b"pts/ptmx"),
)
TTY_GID: Final = 5


class DevFileSystem(TmpFileSystem):
    """Registers the drivers with the kernel's device registry and makes the nodes."""

    def __init__(self, kernel: "Kernel") -> None:
        pool = StoragePool(limits=kernel.limits, bytes_max=SIZE_MAX)
        super().__init__(kernel.mounts.allocate_dev(), kernel.realtime_ns, pool, mode=0o755)
        devices = kernel.mounts.devices
        for name, major, minor, mode, opener in _DEVICES:
            devices.register(S_IFCHR, major, minor, opener)
            gid = TTY_GID if name == b"console" else 0
            _finish(self.root.create(name, S_IFCHR | mode, 0, gid, make_dev(major, minor)))
        for name, target in _LINKS:
            _finish(self.root.symlink(name, target, 0, 0))
        for name in (b"pts", b"shm"):
            _finish(self.root.mkdir(name, S_IFDIR | 0o755, 0, 0))


def _finish(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run work on a file system in memory, which never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("tmpfs never waits")
