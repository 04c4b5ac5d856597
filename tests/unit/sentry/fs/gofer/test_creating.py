"""Making files in a shared folder: how often the gofer is asked, and who wins."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.vfs.opening import open_at
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from tests.unit.sentry.fs.gofer.mount import Mount, drive
from tests.unit.sentry.vfs.world import World

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    tmp_path.chmod(0o755)
    (tmp_path / "there").write_bytes(b"x")
    (tmp_path / "link").symlink_to("nowhere")
    made = Mount(tmp_path, is_shared=True, is_writable=True)
    yield made
    made.close()


def requests_for(mount: Mount, world: World, path: bytes, flags: int) -> int:
    before = mount.client.requests
    file = drive(open_at(world.task, AT_FDCWD, path, flags, 0o600))
    count = mount.client.requests - before
    file.acquire().release()
    return count


def test_a_new_file_costs_one_request_if_it_must_be_new(mount: Mount, tmp_path: Path) -> None:
    world = World(mount.fs)
    assert requests_for(mount, world, b"exclusive", _NEW) == 1
    assert requests_for(mount, world, b"perhaps", os.O_CREAT | os.O_WRONLY) == 2
    assert sorted(os.listdir(tmp_path)) == ["exclusive", "link", "perhaps", "there"]


@pytest.mark.parametrize("name", [b"there", b"link"])
@pytest.mark.parametrize("uid", [0, 12345])
def test_what_is_there_is_said_before_what_is_forbidden(mount: Mount, name: bytes, uid: int) -> None:
    world = World(mount.fs)
    world.task.credentials = world.new_task(uid).credentials
    with pytest.raises(SyscallError) as caught:
        drive(open_at(world.task, AT_FDCWD, name, _NEW, 0o600))
    assert caught.value.errno == e.EEXIST


def test_a_folder_that_may_not_be_written_to(mount: Mount) -> None:
    world = World(mount.fs)
    world.task.credentials = world.new_task(12345).credentials
    with pytest.raises(SyscallError) as caught:
        drive(open_at(world.task, AT_FDCWD, b"new", _NEW, 0o600))
    assert caught.value.errno == e.EACCES
