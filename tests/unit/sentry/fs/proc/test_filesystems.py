"""/proc/filesystems: whatever mount(2) takes is listed there."""

from sentry.fs.mount_types import TYPES
from sentry.fs.proc.fixed import FILESYSTEMS


def test_every_type_that_can_be_mounted_is_listed() -> None:
    listed = {line.partition(b"\t")[2] for line in FILESYSTEMS.splitlines()}
    assert set(TYPES) <= listed
