"""Open files of a gofer's tree: those that stay at the gofer, those that came with a descriptor, and what each refuses."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentry.fs.gofer.file import _DATA_MAX, CachedFile, OpenHandle, OwnedFile, RemoteFile, ask
from sentry.vfs.context import OpenContext
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.gofer.mount import HostSink, HostSource, Mount, drive

LONG = bytes(range(256)) * 1000
APPEND = -1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"0123456789")
    (tmp_path / "long").write_bytes(LONG)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dir").mkdir()
    return tmp_path


@pytest.fixture
def mount(folder: Path) -> Iterator[Callable[..., Mount]]:
    made: list[Mount] = []

    def make(**options: object) -> Mount:
        made.append(Mount(folder, **{"is_shared": True, "is_writable": True, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def refused(number: int, coro: object) -> None:
    with pytest.raises(SyscallError) as caught:
        drive(coro)  # type: ignore[arg-type]
    assert caught.value.errno == number


def remote(made: Mount, name: str, flags: int) -> RemoteFile:
    """An open file as one on a network file system: without a descriptor here."""
    inode = made.at(name)
    handle = drive(ask(inode, flags))
    if handle.fd >= 0:
        os.close(handle.fd)
        handle.fd = -1
    return RemoteFile(inode, flags, handle).acquire()  # type: ignore[return-value]


def is_closed(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError as error:
        return error.errno == errno.EBADF
    return False


def test_reading_a_file_that_stays_at_the_gofer(mount: Callable[..., Mount]) -> None:
    file = remote(mount(), "long", os.O_RDWR)
    for offset, length in (
        (0, 10),
        (5, 0),
        (0, _DATA_MAX),
        (0, _DATA_MAX + 1),
        (3, 2 * _DATA_MAX),
        (len(LONG) - 5, 100),
        (len(LONG), 5),
    ):
        sink = HostSink(length)
        expected = LONG[offset : offset + length]
        assert drive(file.read_remote(sink, offset)) == len(expected)
        assert sink.data == expected
    file.release()


def test_a_frame_is_not_asked_for_in_vain(mount: Callable[..., Mount]) -> None:
    made = mount()
    file = remote(made, "file", os.O_RDWR)
    before = made.client.requests
    drive(file.read_remote(HostSink(100), 0))
    assert made.client.requests == before + 1  # it was short: the file ends
    file.release()


def test_writing_a_file_that_stays_at_the_gofer(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount()
    file = remote(made, "file", os.O_RDWR)
    assert drive(file.write_remote(HostSource(b"abc"), 2)) == 3
    assert (folder / "file").read_bytes() == b"01abc56789"
    assert file.inode.attr.size == 10
    assert drive(file.write_remote(HostSource(b"xyz"), 9)) == 3
    assert file.inode.attr.size == 12
    assert drive(file.write_remote(HostSource(b"!"), APPEND)) == 1
    assert file.inode.attr.size == 13
    assert (folder / "file").read_bytes() == b"01abc5678xyz!"
    assert drive(file.write_remote(HostSource(LONG), 1)) == len(LONG)
    assert (folder / "file").read_bytes() == b"0" + LONG
    assert file.inode.attr.size == len(LONG) + 1
    assert drive(file.write_remote(HostSource(b""), 5)) == 0
    assert drive(file.size()) == len(LONG) + 1
    file.release()


def test_mappings_of_a_file_that_stays_at_the_gofer(mount: Callable[..., Mount]) -> None:
    made = mount()
    writer = remote(made, "file", os.O_WRONLY)
    refused(e.EACCES, writer.mapping_fd(writable=False, shared=False))
    reader = remote(made, "file", os.O_RDONLY)
    refused(e.EACCES, reader.mapping_fd(writable=True, shared=True))
    fd = drive(reader.mapping_fd(writable=True, shared=False))
    assert os.pread(fd, 4, 2) == b"2345"
    assert drive(reader.mapping_fd(writable=False, shared=True)) == fd
    reader.release()
    assert is_closed(fd)
    both = remote(made, "file", os.O_RDWR)
    assert os.pwrite(drive(both.mapping_fd(writable=True, shared=True)), b"X", 0) == 1
    both.release()
    writer.release()


def test_a_closed_file_is_closed_at_the_gofer(mount: Callable[..., Mount]) -> None:
    made = mount()
    file = remote(made, "file", os.O_RDWR)
    number, inode = file.handle.number, file.gofer_inode
    assert number
    assert inode.opened == [number]
    file.release()
    assert (inode.opened, file.handle.number) == ([], 0)
    again = remote(made, "file", os.O_RDWR)
    assert again.handle.number  # and the number may be another's now
    drive(again.fsync(data_only=True))
    drive(again.truncate(3))
    assert again.inode.attr.size == 3
    drive(again.allocate(0, 0, 9))
    assert again.inode.attr.size == 9
    again.release()


def test_seeking_data_and_holes(mount: Callable[..., Mount]) -> None:
    file = remote(mount(), "file", os.O_RDWR)
    assert drive(file.seek_data(9, hole=False)) == 9
    assert drive(file.seek_data(9, hole=True)) == 10
    refused(e.ENXIO, file.seek_data(10, hole=False))
    refused(e.ENXIO, file.seek_data(10, hole=True))
    file.release()


def test_mappings_follow_the_access_mode(mount: Callable[..., Mount]) -> None:
    made = mount()
    writer, reader, both = (made.open("file", flags) for flags in (os.O_WRONLY, os.O_RDONLY, os.O_RDWR))
    assert all(isinstance(file, OwnedFile) for file in (writer, reader, both))
    refused(e.EACCES, writer.mapping_fd(writable=False, shared=True))
    refused(e.EACCES, reader.mapping_fd(writable=True, shared=True))
    with pytest.raises(OSError, match="Bad file"):
        os.pwrite(drive(reader.mapping_fd(writable=True, shared=False)), b"x", 0)
    assert os.pwrite(drive(both.mapping_fd(writable=True, shared=True)), b"x", 0) == 1
    refused(e.EINVAL, reader.truncate(1))
    drive(reader.fsync(data_only=False))
    for file in (writer, reader, both):
        file.release()


def test_an_unchanging_file_is_never_written(mount: Callable[..., Mount]) -> None:
    made = mount(is_shared=False, is_writable=False)
    file = made.open("file")
    assert isinstance(file, CachedFile)
    refused(e.EACCES, file.mapping_fd(writable=True, shared=True))
    fd = drive(file.mapping_fd(writable=True, shared=False))
    with pytest.raises(OSError, match="Bad file"):
        os.pwrite(fd, b"x", 0)
    inode = made.at("file")
    for flags in (os.O_WRONLY, os.O_RDWR):
        refused(e.EROFS, inode.open(OpenContext(None, flags, None)))  # type: ignore[arg-type]
    drive(file.fsync(data_only=False))
    refused(e.EINVAL, file.truncate(0))
    file.release()


def test_another_file_of_that_name_is_stale(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount()
    inode = made.at("file")
    (folder / "new").write_bytes(b"other")
    (folder / "new").rename(folder / "file")
    descriptors = len(os.listdir("/proc/self/fd"))
    refused(e.ESTALE, ask(inode, 0))
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_attributes_by_name(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount()
    file, link, directory = made.at("file"), made.at("link"), made.at("dir")
    try:
        os.setxattr(folder / "file", "user.try", b"1")
    except OSError:
        pytest.skip("this host's file system has no user attributes")
    assert drive(file.getxattr(b"user.try")) == b"1"
    assert drive(file.listxattr()) == [b"user.try"]
    assert drive(directory.listxattr()) == []
    refused(e.EOPNOTSUPP, file.getxattr(b"trusted.try"))
    refused(e.EOPNOTSUPP, link.getxattr(b"security.try"))
    refused(e.ENODATA, link.getxattr(b"user.try"))
    refused(e.ENODATA, file.getxattr(b"user.none"))
    assert drive(link.listxattr()) == []
    drive(file.setxattr(b"user.two", b"22", 0))
    assert os.getxattr(folder / "file", "user.two") == b"22"
    drive(file.removexattr(b"user.try"))
    assert drive(file.listxattr()) == [b"user.two"]
    refused(e.ENODATA, file.removexattr(b"user.try"))
    fixed = mount(is_shared=False, is_writable=False).at("file")
    assert drive(fixed.getxattr(b"user.two")) == b"22"
    for coro in (fixed.setxattr(b"user.two", b"", 0), fixed.removexattr(b"user.two")):
        refused(e.EROFS, coro)


def test_what_is_not_a_link_or_a_folder(mount: Callable[..., Mount]) -> None:
    made = mount()
    for name in ("file", "dir"):
        refused(e.EINVAL, made.at(name).readlink())
    assert drive(made.at("link").readlink()) == b"file"
    for name in ("file", "link"):
        refused(e.ENOTDIR, made.at(name).read_children())
        refused(e.ENOTDIR, made.at(name).lookup(b"x"))


def test_a_handle_is_closed_once() -> None:
    class Client:
        closed: list[int] = []

        def close_open(self, number: int) -> None:
            self.closed.append(number)

    client, fd = Client(), os.open("/dev/null", os.O_RDONLY)
    handle = OpenHandle(7, fd)
    handle.close(client)  # type: ignore[arg-type]
    assert is_closed(fd)
    handle.close(client)  # type: ignore[arg-type]
    OpenHandle(0, -1).close(client)  # type: ignore[arg-type]
    assert client.closed == [7]
