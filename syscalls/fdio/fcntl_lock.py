"""fcntl(2), record locks: F_SETLK and its kin, open-file-description locks too."""

from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import ENOLCK
from syscalls.abi.errors import SyscallError


def record_lock(task: Task, file: FileDescription, op: int, arg: int) -> Outcome:
    """Test, set or wait for the lock of struct flock at ``arg``."""
    raise SyscallError(ENOLCK)
