"""struct statx: every field in its place, and a mask that tells what is filled (statx(2))."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.vfs.mount import make_dev, unique_id
from sentry.vfs.stat import Attr
from syscalls.abi.stat import STATX, STATX_ATTR_MOUNT_ROOT, STATX_BASIC_STATS, STATX_BTIME, STATX_MNT_ID, STATX_MNT_ID_UNIQUE
from syscalls.files.statx import pack_statx

SECOND = 1_000_000_000
FULL = Attr(
    ino=11, mode=0o100644, nlink=3, uid=5, gid=6, size=7000, blocks=16, blksize=512, rdev=make_dev(300, 70000),
    atime_ns=20 * SECOND + 1, mtime_ns=30 * SECOND + 2, ctime_ns=40 * SECOND + 3, btime_ns=50 * SECOND + 4,
)  # fmt: skip


def place(*, is_root: bool) -> Any:
    root = object()
    mount = SimpleNamespace(id=42, root=root)
    inode = SimpleNamespace(fs=SimpleNamespace(dev=make_dev(8, 1)))
    return SimpleNamespace(mount=mount, dentry=root if is_root else object(), inode=inode)


def test_every_field_is_in_its_place() -> None:
    expected = (
        STATX_BASIC_STATS | STATX_BTIME, 512, 0, 3, 5, 6, 0o100644, 11, 7000, 16, STATX_ATTR_MOUNT_ROOT,
        20, 1, 50, 4, 40, 3, 30, 2, 300, 70000, 8, 1, 0, 0, 0,
    )  # fmt: skip
    assert STATX.unpack(pack_statx(place(is_root=False), FULL, 0)) == expected


def test_a_birth_time_that_is_unknown_is_not_claimed() -> None:
    fields = STATX.unpack(pack_statx(place(is_root=False), Attr(ino=1, mode=0o40755), STATX_BTIME))
    assert (fields[0], fields[13:15]) == (STATX_BASIC_STATS, (0, 0))


def test_the_root_of_a_mount_says_so() -> None:
    assert STATX.unpack(pack_statx(place(is_root=True), FULL, 0))[2] == STATX_ATTR_MOUNT_ROOT


@pytest.mark.parametrize(
    ("asked", "told"),
    [(0, 0), (STATX_MNT_ID, STATX_MNT_ID), (STATX_MNT_ID | STATX_MNT_ID_UNIQUE, STATX_MNT_ID_UNIQUE), (0x2000, 0)],
)
def test_the_mount_is_named_by_the_wider_number_if_both_are_asked_for(asked: int, told: int) -> None:
    where = place(is_root=False)
    fields = STATX.unpack(pack_statx(where, FULL, asked))
    number = {0: 0, STATX_MNT_ID: 42, STATX_MNT_ID_UNIQUE: unique_id(where.mount)}[told]
    assert (fields[0] & ~(STATX_BASIC_STATS | STATX_BTIME), fields[23]) == (told, number)
