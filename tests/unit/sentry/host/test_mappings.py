"""The host's table of mappings (proc_pid_maps(5)), searched for one file."""

import os
from mmap import MAP_SHARED, PROT_READ, mmap

from sentry.host.mappings import Mapping, mappings_of

GONE = 0x3FFFFFF0


def test_every_mapping_of_a_file_is_found_with_its_place() -> None:
    with os.fdopen(os.memfd_create("a name with blanks"), "wb") as file, os.fdopen(os.memfd_create("x"), "wb") as other:
        for each in (file, other):
            each.truncate(3 * 4096)
        stat = os.fstat(file.fileno())
        identity = stat.st_dev, stat.st_ino
        assert mappings_of(os.getpid(), identity) == []
        with (
            mmap(other.fileno(), 4096, MAP_SHARED, PROT_READ),
            mmap(file.fileno(), 8192, MAP_SHARED, PROT_READ, offset=4096),
        ):
            (found,) = mappings_of(os.getpid(), identity)
            assert (found.end - found.start, found.offset) == (8192, 4096)
            with mmap(file.fileno(), 4096, MAP_SHARED, PROT_READ, offset=4096):  # never one with the other
                both = mappings_of(os.getpid(), identity)
                assert sorted((one.offset, one.end - one.start) for one in both) == [(4096, 4096), (4096, 8192)]
        assert mappings_of(os.getpid(), identity) == []


def test_who_is_gone_has_no_mappings() -> None:
    assert mappings_of(GONE, (1, 1)) == []
    assert Mapping(1, 2, 3).end == 2
