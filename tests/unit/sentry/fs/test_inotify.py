"""The queue of an inotify instance at its limits: what is joined, dropped and told, and when watches end."""

import struct

import pytest

from sentry.fs.inotify import EVENTS_MAX, InotifyFile
from sentry.mm.usermem import BytesSink
from sentry.vfs import watch as told
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.readiness import POLLIN, POLLRDNORM
from sentry.vfs.stat import Attr
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError
from syscalls.abi.inotify import (
    IN_ALL_EVENTS,
    IN_CREATE,
    IN_DELETE_SELF,
    IN_IGNORED,
    IN_ISDIR,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_MODIFY,
    IN_ONESHOT,
    IN_OPEN,
    IN_Q_OVERFLOW,
)
from syscalls.abi.stat import S_IFDIR, S_IFREG

FS = FileSystem(9)


class Place:
    """What ``add`` needs of a path."""

    def __init__(self, inode: Inode) -> None:
        self.inode = inode


class Counted(Inode):
    """An inode that counts its watches."""

    __slots__ = ("added",)

    def __init__(self, mode: int = S_IFDIR | 0o755) -> None:
        super().__init__(FS, Attr(ino=5, mode=mode))
        self.added = 0

    def watch_added(self) -> None:
        self.added += 1

    def watch_removed(self) -> None:
        self.added -= 1


@pytest.fixture
def file() -> InotifyFile:
    return InotifyFile(Counted(), 0)


def events(file: InotifyFile, length: int = 1 << 20) -> list[tuple[int, int, int, bytes]]:
    sink = BytesSink(length)
    if file.try_read(sink, 0) is None:
        return []
    data, found = bytes(sink.data), []
    while data:
        wd, mask, cookie, room = struct.unpack_from("<iIII", data)
        found.append((wd, mask, cookie, data[16 : 16 + room]))
        data = data[16 + room :]
    return found


def test_numbers_begin_at_one_and_are_not_used_again(file: InotifyFile) -> None:
    one, two = Counted(), Counted()
    assert (file.add(Place(one), IN_OPEN), file.add(Place(two), IN_OPEN)) == (1, 2)
    assert file.add(Place(one), IN_OPEN) == 1
    file.remove(2)
    assert file.add(Place(two), IN_OPEN) == 3
    assert (one.added, two.added) == (1, 1)
    for wd in (0, 2, 4, -1):
        with pytest.raises(SyscallError) as caught:
            file.remove(wd)
        assert caught.value.errno == e.EINVAL
    file.close()
    assert (one.added, two.added, one.watches, two.watches) == (0, 0, [], [])


def test_masks_are_replaced_or_added_to(file: InotifyFile) -> None:
    inode = Counted()
    file.add(Place(inode), IN_OPEN | 0x8000)
    file.add(Place(inode), IN_MODIFY | IN_MASK_ADD)
    told.tell(inode, IN_OPEN)
    told.tell(inode, IN_MODIFY)
    file.add(Place(inode), IN_CREATE)
    told.tell(inode, IN_OPEN)
    told.tell(inode, IN_CREATE | IN_ISDIR, 7, b"name")
    assert events(file) == [(1, IN_OPEN, 0, b""), (1, IN_MODIFY, 0, b""), (1, IN_CREATE | IN_ISDIR, 7, b"name".ljust(16, b"\0"))]
    with pytest.raises(SyscallError) as caught:
        file.add(Place(inode), IN_OPEN | IN_MASK_CREATE)
    assert caught.value.errno == e.EEXIST
    assert b"wd:1 ino:5 sdev:9 mask:100 " in file.fdinfo()


@pytest.mark.parametrize(("length", "room"), [(1, 16), (14, 16), (15, 16), (16, 32), (31, 32), (32, 48), (255, 256)])
def test_names_are_padded_to_the_next_place(file: InotifyFile, length: int, room: int) -> None:
    file.push(1, IN_CREATE, 0, b"n" * length)
    assert events(file) == [(1, IN_CREATE, 0, (b"n" * length).ljust(room, b"\0"))]


def test_equal_events_in_a_row_are_one(file: InotifyFile) -> None:
    for mask, name in ((IN_OPEN, b""), (IN_OPEN, b""), (IN_OPEN, b"a"), (IN_OPEN, b""), (IN_MODIFY, b"")):
        file.push(1, mask, 0, name)
    assert [(mask, name[:1]) for _, mask, _, name in events(file)] == [
        (IN_OPEN, b""),
        (IN_OPEN, b"a"),
        (IN_OPEN, b""),
        (IN_MODIFY, b""),
    ]


def test_too_many_are_told_once(file: InotifyFile) -> None:
    for number in range(EVENTS_MAX + 5):
        file.push(number, IN_OPEN, 0, b"")
    found = events(file)
    assert len(found) == EVENTS_MAX + 1
    assert found[-2:] == [(EVENTS_MAX - 1, IN_OPEN, 0, b""), (-1, IN_Q_OVERFLOW, 0, b"")]
    file.push(3, IN_OPEN, 0, b"")
    assert events(file) == [(3, IN_OPEN, 0, b"")]


def test_only_whole_events_are_read(file: InotifyFile) -> None:
    woken: list[int] = []
    file.queue.enqueue(woken.append)
    assert file.readiness() == 0
    file.push(1, IN_OPEN, 0, b"")
    file.push(2, IN_OPEN, 0, b"name")
    assert len(woken) == 2
    assert file.readiness() == POLLIN | POLLRDNORM
    with pytest.raises(SyscallError) as caught:
        events(file, 15)
    assert caught.value.errno == e.EINVAL
    assert [event[0] for event in events(file, 47)] == [1]
    with pytest.raises(SyscallError):
        events(file, 31)
    assert [event[0] for event in events(file, 32)] == [2]
    assert file.readiness() == 0


def test_a_one_shot_watch_is_spent_by_what_it_wants(file: InotifyFile) -> None:
    inode = Counted()
    file.add(Place(inode), IN_OPEN | IN_ONESHOT)
    told.tell(inode, IN_MODIFY)
    told.tell(inode, IN_OPEN)
    told.tell(inode, IN_OPEN)
    assert events(file) == [(1, IN_OPEN, 0, b""), (1, IN_IGNORED, 0, b"")]
    assert inode.added == 0


def test_the_end_of_an_object_ends_its_watches(file: InotifyFile) -> None:
    inode, other = Counted(S_IFREG), InotifyFile(Counted(), 0)
    file.add(Place(inode), IN_ALL_EVENTS)
    other.add(Place(inode), IN_OPEN)
    told.gone(inode)
    assert events(file) == [(1, IN_DELETE_SELF, 0, b""), (1, IN_IGNORED, 0, b"")]
    assert events(other) == [(1, IN_IGNORED, 0, b"")]
    assert inode.watches == []


def test_an_object_without_a_name_lives_as_long_as_it_is_open(file: InotifyFile) -> None:
    inode = Counted(S_IFREG)
    file.add(Place(inode), IN_DELETE_SELF)
    inode.watches.append(told._Departure(inode, 2))  # type: ignore[union-attr]
    told.tell(inode, told.IN_OPEN)
    told.tell(inode, told.IN_CLOSE & -told.IN_CLOSE)
    told.tell(inode, IN_MODIFY)
    told.tell(inode, told.IN_CLOSE & -told.IN_CLOSE, 0, b"a name in it")
    told.tell(inode, told.IN_CLOSE & -told.IN_CLOSE)
    assert events(file) == []
    told.tell(inode, told.IN_CLOSE & -told.IN_CLOSE)
    assert events(file) == [(1, IN_DELETE_SELF, 0, b""), (1, IN_IGNORED, 0, b"")]
    assert inode.watches == []
