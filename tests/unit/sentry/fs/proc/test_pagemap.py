"""/proc/PID/pagemap and map_files: whole entries, no frames, nothing of the stub, and only for those who may look."""

import pytest

from sentry.arch.x86_64 import STUB_CODE_START, STUB_END
from sentry.fs.proc.pid import map_files
from sentry.host import procfs
from sentry.mm.usermem import BytesSink
from sentry.vfs import namespace
from syscalls.abi.errno import EACCES, EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.synthetic_world import AT_FDCWD, World

PRESENT, FRAME = 1 << 63, 0x1234


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def host_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in whose table every page is there and has a frame."""
    entry = (PRESENT | FRAME).to_bytes(8, "little")
    monkeypatch.setattr(procfs, "read_thread_at", lambda tid, name, offset, length: entry * (length // 8))


def read(world: World, offset: int, length: int) -> list[int]:
    file = world.open(b"/proc/self/pagemap")
    sink = BytesSink(length)
    assert file.try_read(sink, offset) == len(sink.data)
    return [int.from_bytes(sink.data[i : i + 8], "little") for i in range(0, len(sink.data), 8)]


@pytest.mark.usefixtures("host_table")
def test_no_frame_is_told(world: World) -> None:
    assert read(world, 0, 64) == [PRESENT] * 8


@pytest.mark.usefixtures("host_table")
def test_the_stub_is_not_there(world: World) -> None:
    pages = (STUB_END - STUB_CODE_START) // 4096
    assert read(world, (STUB_CODE_START // 4096 - 1) * 8, (pages + 2) * 8) == [PRESENT, *[0] * pages, PRESENT]


@pytest.mark.usefixtures("host_table")
def test_the_table_ends_where_addresses_end_and_one_read_is_bounded(world: World) -> None:
    end = ((1 << 47) - 4096) // 4096 * 8
    assert len(read(world, end - 16, 800)) == 2
    assert read(world, end, 8) == []
    assert len(read(world, 0, 1 << 30)) == 1 << 17


def test_the_hosts_own_table_agrees_about_a_page_that_is_there(world: World) -> None:
    data = bytearray(b"x" * 8192)
    address = id(data)  # an object's header has been written: its page is there, or swapped out
    (entry,) = read(world, address // 4096 * 8, 8)
    assert entry >> 62
    assert not entry & (1 << 55) - 1


def test_only_whole_entries_are_read_and_none_written(world: World) -> None:
    file = world.open(b"/proc/self/pagemap")
    for offset, length in ((4, 8), (8, 4)):
        with pytest.raises(SyscallError) as caught:
            file.try_read(BytesSink(length), offset)
        assert caught.value.errno == EINVAL


@pytest.mark.parametrize("path", [b"/proc/1/pagemap", b"/proc/1/map_files"])
def test_a_stranger_may_not_look(world: World, path: bytes) -> None:
    stranger = world.spawn(5, world.init, uid=1000)
    with pytest.raises(SyscallError) as caught:
        world.list(path, stranger) if path.endswith(b"files") else world.read(path, stranger)
    assert caught.value.errno == EACCES


def test_mapped_files_lead_nowhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {(0x7F0000001000, 0x7F0000003000): (b"rw-s", b"/data")}
    monkeypatch.setattr(map_files, "mapped_files", lambda viewer, target: files)
    assert world.list(b"/proc/self/map_files") == [b"7f0000001000-7f0000003000"]
    assert world.readlink(b"/proc/self/map_files/7f0000001000-7f0000003000") == b"/data"
    with pytest.raises(SyscallError) as caught:
        world.run(namespace.stat_path(world.init, AT_FDCWD, b"/proc/self/map_files/7f0000001000-7f0000003000", 0))
    assert caught.value.errno == EPERM
