"""What processes have touched, from files as proc(5) has them."""

import os

import pytest

from sentry.platform.notify.resident import Resident

KIB = 1024


@pytest.fixture
def proc(tmp_path):
    def write(pid, anonymous, shared, proportional=0, smaps=""):
        folder = tmp_path / str(pid)
        folder.mkdir(exist_ok=True)
        (folder / "status").write_text(f"Name:\tx\nRssAnon:\t{anonymous:8} kB\nRssFile:\t 900 kB\nRssShmem:\t{shared:8} kB\n")
        (folder / "smaps_rollup").write_text(f"00-ff ---p [rollup]\nPss_Anon: {proportional} kB\nPss_Shmem: {shared} kB\n")
        (folder / "smaps").write_text(smaps)

    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield write, Resident(fd)
    os.close(fd)


def test_the_quick_sum_up_to_the_limit(proc):
    write, resident = proc
    write(1, 100, 20, 7)
    write(2, 30, 0, 7)
    assert resident.total([1, 2], 150 * KIB) == 150 * KIB


def test_proportional_shares_above_it(proc):
    write, resident = proc
    write(1, 100, 0, 55)
    write(2, 100, 0, 50)
    assert resident.total([1, 2], 199 * KIB) == 105 * KIB


def test_shared_anonymous_memory_counts_and_files_of_the_sentry_do_not(proc):
    write, resident = proc
    mappings = (
        "1-2 rw-s 0 00:01 9 /memfd:file (deleted)\nSize: 99 kB\nPss:  80 kB\nPss_Dirty: 80 kB\n"
        "2-3 rw-s 0 00:01 10 /dev/zero (deleted)\nSize: 99 kB\nPss:  11 kB\nPss_Dirty: 3 kB\n"
        "3-4 rw-s 0 00:01 11 /dev/zero (deleted)\nSize: 99 kB\nPss:   4 kB\n"
    )
    write(1, 50, 95, 40, mappings)
    assert resident.total([1], 10 * KIB) == (40 + 11 + 4) * KIB


def test_a_process_that_is_gone_has_nothing(proc):
    write, resident = proc
    write(1, 8, 0)
    assert resident.total([1, 12345], 1 << 40) == 8 * KIB


def test_a_sum_is_used_again_for_a_while(proc, monkeypatch):
    write, resident = proc
    now = [0]

    def clock():
        now[0] += 1000
        return now[0]

    monkeypatch.setattr("sentry.platform.notify.resident.time.monotonic_ns", clock)
    write(1, 8, 0)
    assert resident.total([1], 1 << 40) == 8 * KIB
    write(1, 9, 0)
    assert resident.total([1], 1 << 40) == 8 * KIB
    now[0] += 20_000
    assert resident.total([1], 1 << 40) == 9 * KIB
