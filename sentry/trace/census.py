"""Counts what a guest asks for: calls, the commands of calls that have many, results, time, and files of /proc and /sys.

A subscriber like ``strace``: it wraps the callables of a dispatch table, and costs nothing while it is off. What a guest can make
it remember is bounded: beyond ``ROWS_MAX`` different uses of calls new ones are counted together, beyond ``FILES_MAX`` files not.
"""

import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from sentry.sched.wait import Interrupted
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from syscalls.registry import Entry

ROWS_MAX = 4096
FILES_MAX = 1024
_PATH_MAX = 4096
_WORD = 0xFFFFFFFF
_SPECIAL = (b"/proc/", b"/sys/")
_NUMBER = re.compile(rb"(?<=/)[0-9]+(?=/|$)")
#: the registers that tell one use of a call from another: commands and flags
SELECTORS: dict[str, tuple[int, ...]] = {
    "arch_prctl": (0,),
    "clock_gettime": (0,),
    "clone": (0,),
    "close_range": (2,),
    "dup3": (2,),
    "epoll_create1": (0,),
    "epoll_ctl": (1,),
    "eventfd2": (1,),
    "faccessat2": (3,),
    "fadvise64": (3,),
    "fallocate": (1,),
    "fcntl": (1,),
    "flock": (1,),
    "futex": (1,),
    "getrandom": (2,),
    "getsockopt": (1, 2),
    "inotify_init1": (0,),
    "ioctl": (1,),
    "kcmp": (2,),
    "lseek": (2,),
    "madvise": (2,),
    "membarrier": (0,),
    "memfd_create": (1,),
    "mmap": (3,),
    "mount": (3,),
    "mprotect": (2,),
    "mremap": (3,),
    "msgctl": (1,),
    "newfstatat": (3,),
    "open": (1,),
    "openat": (2,),
    "pipe2": (1,),
    "prctl": (0,),
    "prlimit64": (1,),
    "renameat2": (4,),
    "rt_sigprocmask": (0,),
    "semctl": (2,),
    "setsockopt": (1, 2),
    "shmctl": (1,),
    "signalfd4": (3,),
    "socket": (0, 1, 2),
    "socketpair": (0, 1, 2),
    "statx": (2,),
    "timerfd_create": (0, 1),
    "unlinkat": (2,),
    "unshare": (0,),
    "wait4": (2,),
    "waitid": (0, 3),
}


class Use:
    """How often one use of a call occurred, with what results (positive errno: times), and how long it took."""

    __slots__ = ("count", "errors", "ns")

    def __init__(self) -> None:
        self.count = 0
        self.errors: dict[int, int] = {}
        self.ns = 0


class Census:
    """``uses`` by (call, values of its selecting registers), ``files`` by path with process numbers as N."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._now = monotonic_ns
        self.uses: dict[tuple[str, tuple[int, ...]], Use] = {}
        self.files: dict[bytes, int] = {}

    def trace(self, entry: "Entry", call: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``call``, counted."""
        name = entry.name
        paths = [position for position, argument in enumerate(entry.arguments) if argument.kind.name == "path"]

        def counted(task: "Task", *registers: int) -> Any:
            use = self.count(name, registers)
            for position in paths:
                self._note_file(task, registers[position])
            start = self._now()
            try:
                result = call(task, *registers)
            except SyscallError as error:
                self._ended(use, start, error.errno)
                raise
            if isinstance(result, Coroutine):
                return self._follow(use, start, result)
            self._ended(use, start, -result if type(result) is int and -4096 < result < 0 else 0)
            return result

        return counted

    def missing(self, name: str, registers: tuple[int, ...], errno: int) -> None:
        """A call that no handler serves."""
        self._ended(self.count(name, registers), self._now(), errno)

    def count(self, name: str, registers: tuple[int, ...]) -> Use:
        """Count one use and return its record."""
        selectors = SELECTORS.get(name, ())
        key = (name, tuple(registers[position] & _WORD for position in selectors))
        use = self.uses.get(key)
        if use is None:
            if len(self.uses) >= ROWS_MAX:
                key = (name, ())
            use = self.uses.setdefault(key, Use())
        use.count += 1
        return use

    def report(self) -> dict[str, Any]:
        """As plain data, for the control socket."""
        return {
            "uses": [
                [name, list(values), use.count, use.ns, [[errno, times] for errno, times in sorted(use.errors.items())]]
                for (name, values), use in sorted(self.uses.items())
            ],
            "files": [[path, count] for path, count in sorted(self.files.items())],
        }

    def _ended(self, use: Use, start: int, errno: int) -> None:
        use.ns += self._now() - start
        if errno:
            use.errors[errno] = use.errors.get(errno, 0) + 1

    def _note_file(self, task: "Task", addr: int) -> None:
        try:
            path = task.memory.guest.read_string(addr, _PATH_MAX) if addr else None
        except SyscallError:
            return
        if path is not None and path.startswith(_SPECIAL):
            path = _NUMBER.sub(b"N", path)
            if path in self.files or len(self.files) < FILES_MAX:
                self.files[path] = self.files.get(path, 0) + 1

    async def _follow(self, use: Use, start: int, coro: Coroutine[Any, Any, Any]) -> Any:
        errno = 0
        try:
            result = await coro
            if type(result) is int and -4096 < result < 0:
                errno = -result
        except SyscallError as error:
            errno = error.errno
            raise
        except Interrupted:
            errno = 4
            raise
        finally:
            self._ended(use, start, errno)
        return result
