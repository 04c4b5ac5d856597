"""What the sentry reads of the host's /proc: whole, bounded, and nothing of who is gone."""

import os

import pytest

from sentry.host import procfs
from syscalls.abi.errno import EACCES, EIO, ENOENT, EPERM, ESRCH
from syscalls.abi.errors import SyscallError

GONE = 0x3FFFFFF0


def test_a_file_is_read_whole_however_many_pieces_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/proc/filesystems", "rb") as file:
        whole = file.read()
    assert procfs.read("filesystems") == whole
    monkeypatch.setattr(procfs, "_CHUNK", 7)
    assert procfs.read("filesystems") == whole


def test_a_file_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "_CHUNK", 10)
    monkeypatch.setattr(procfs, "_READ_MAX", 20)
    with open("/proc/filesystems", "rb") as file:
        assert procfs.read("filesystems") == file.read(20)


def test_threads_are_found_by_their_number() -> None:
    content = procfs.read_thread(os.getpid(), "status")
    assert content is not None
    assert b"\nPid:\t%d\n" % os.getpid() in content


def test_who_is_gone_reads_as_nothing() -> None:
    assert procfs.read_thread(GONE, "status") is None
    assert procfs.read("no-such-file") is None


def test_links_are_not_followed() -> None:
    with pytest.raises(SyscallError) as caught:
        procfs.read_thread(os.getpid(), "exe")
    assert caught.value.errno == EIO


@pytest.mark.parametrize(("host", "errno"), [(EACCES, EACCES), (EPERM, EACCES), (EIO, EIO), (24, EIO)])
def test_what_the_host_keeps_to_itself_is_no_empty_file(host: int, errno: int) -> None:
    with pytest.raises(SyscallError) as caught:
        procfs._raise_unless_gone(OSError(host, ""))
    assert caught.value.errno == errno
    for gone in (ENOENT, ESRCH):
        procfs._raise_unless_gone(OSError(gone, ""))


def test_the_processors_are_those_that_may_be_used() -> None:
    assert procfs.processors() == sorted(os.sched_getaffinity(0))


def test_reading_leaves_no_descriptor_behind() -> None:
    procfs.read("version")
    before = len(os.listdir("/proc/self/fd"))
    procfs.read("version")
    procfs.read("no-such-file")
    assert len(os.listdir("/proc/self/fd")) <= before  # what an earlier test left may be collected meanwhile
