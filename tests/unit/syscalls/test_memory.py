"""mmap of files: rights, the lent descriptor, and what is left to the host."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.vfs.dentry import Dentry
from sentry.vfs.file import FileDescription
from sentry.vfs.mount import MS_NOEXEC
from syscalls.abi.errno import EACCES, EBADF, EINVAL, ENODEV, ENOMEM, EPERM
from syscalls.abi.fcntl import O_PATH, O_RDONLY, O_RDWR, O_WRONLY
from syscalls.abi.mman import (
    MADV_DONTNEED,
    MADV_MERGEABLE,
    MAP_ANONYMOUS,
    MAP_HUGETLB,
    MAP_PRIVATE,
    MAP_SHARED,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
)
from tests.unit.syscalls.process_world import World

PAGE = 4096


class Mappable(FileDescription):
    """Lends descriptor 700, or 800 where it may be written."""

    def __init__(self, flags: int, mount_flags: int = 0) -> None:
        inode: Any = SimpleNamespace(locks=None, watches=None)
        path: Any = SimpleNamespace(mount=SimpleNamespace(flags=mount_flags), dentry=Dentry(b"file", None, None))
        super().__init__(inode, flags, path)
        self.asked: list[tuple[bool, bool]] = []

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        self.asked.append((writable, shared))
        return 800 if writable and shared else 700


@pytest.mark.parametrize(
    ("flags", "prot", "kind", "result"),
    [
        (O_RDONLY, PROT_READ, MAP_SHARED, "proceed"),
        (O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE, "proceed"),
        (O_RDONLY, PROT_READ | PROT_WRITE, MAP_SHARED, -EACCES),
        (O_WRONLY, PROT_WRITE, MAP_SHARED, -EACCES),
        (O_WRONLY, PROT_READ, MAP_PRIVATE, -EACCES),
        (O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, "proceed"),
        (O_RDWR, PROT_READ, 0, -EINVAL),
        (O_RDWR, PROT_READ, MAP_SHARED | MAP_HUGETLB, -EINVAL),
        (O_RDWR | O_PATH, PROT_READ, MAP_SHARED, -EBADF),
    ],
)
def test_rights(world: World, flags: int, prot: int, kind: int, result: object) -> None:
    fd = world.init.task.fds.install(Mappable(flags))
    assert world.init.call("mmap", 0, PAGE, prot, kind, fd, 0) == result


def test_the_copy_is_lent_once_with_full_rights(world: World) -> None:
    process = world.init
    file = Mappable(O_RDWR)
    fd = process.task.fds.install(file)
    assert process.call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == "proceed"
    assert process.context.added == {fd: 800}
    assert process.call("mmap", 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == "proceed"
    assert file.asked == [(True, True)]
    assert file.references == 1


def test_a_reader_gets_a_readers_copy(world: World) -> None:
    fd = world.init.task.fds.install(Mappable(O_RDONLY))
    world.init.call("mmap", 0, PAGE, PROT_READ, MAP_SHARED, fd, 0)
    assert world.init.context.added == {fd: 700}


def test_noexec_mounts(world: World) -> None:
    fd = world.init.task.fds.install(Mappable(O_RDONLY, MS_NOEXEC))
    assert world.init.call("mmap", 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == -EPERM
    assert world.init.call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == "proceed"


def test_what_cannot_be_mapped(world: World) -> None:
    inode: Any = SimpleNamespace(locks=None, watches=None)
    fd = world.init.task.fds.install(FileDescription(inode, O_RDWR))
    call = world.init.call
    assert call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == -ENODEV
    assert call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1) == -EINVAL
    assert call("mmap", 0, 0, PROT_READ, MAP_PRIVATE, fd, 0) == -EINVAL
    assert call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE, 77, 0) == -EBADF


def test_anonymous_memory_is_the_hosts(world: World) -> None:
    assert world.init.call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 77, 0) == "proceed"
    assert world.init.call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) == -ENOMEM


def test_a_number_that_changes_while_the_file_is_asked(world: World) -> None:
    process = world.init
    second = Mappable(O_RDONLY)

    class Slow(Mappable):
        async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
            process.task.fds.replace(3, second)
            return 999

    process.task.fds.replace(3, Slow(O_RDONLY))
    assert process.call("mmap", 0, PAGE, PROT_READ, MAP_PRIVATE, 3, 0) == "proceed"
    assert process.context.added == {3: 700}


def test_advice(world: World) -> None:
    assert world.init.call("madvise", 0, PAGE, MADV_DONTNEED) == "proceed"
    assert world.init.call("madvise", 0, PAGE, MADV_MERGEABLE) == -EINVAL
    assert world.init.call("madvise", 0, PAGE, 100) == -EINVAL
    assert world.init.call("madvise", 0, PAGE, -1) == -EINVAL
