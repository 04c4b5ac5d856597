"""cgroup2 as a container sees it: the root of a hierarchy that holds the sandbox's limits (cgroups(7))."""

from typing import TYPE_CHECKING, Final

from sentry.fs.cgroup.plan import cgroup_plan
from sentry.fs.synthetic.filesystem import SyntheticFileSystem
from sentry.fs.synthetic.node import Directory
from sentry.fs.synthetic.tree import plant

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel

CGROUP2_SUPER_MAGIC: Final = 0x63677270


class CgroupFileSystem(SyntheticFileSystem):
    """Boot mounts it on /sys/fs/cgroup, read-only: where runtimes look for their memory limit."""

    name = b"cgroup2"
    magic = CGROUP2_SUPER_MAGIC

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        root = Directory(self)
        plant(root, cgroup_plan())
        self.root = root
