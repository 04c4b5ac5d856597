"""sysfs(5) as a container sees it: processors, the cgroup, a few kernel settings; no hardware."""

from typing import TYPE_CHECKING, Final

from sentry.fs.synthetic.filesystem import SyntheticFileSystem
from sentry.fs.synthetic.node import Directory
from sentry.fs.synthetic.tree import plant
from sentry.fs.sys.plan import plan

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel

SYSFS_MAGIC: Final = 0x62656572


class SysFileSystem(SyntheticFileSystem):
    """Boot mounts it on /sys, read-only."""

    name = b"sysfs"
    magic = SYSFS_MAGIC
    file_size = 4096

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        root = Directory(self)
        plant(root, plan(self))
        self.root = root
