"""proc(5): one instance for a sandbox; what it shows depends on the container of the task that looks."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc.plan import plan
from sentry.fs.proc.root import ProcRoot
from sentry.fs.synthetic.filesystem import SyntheticFileSystem
from sentry.fs.synthetic.tree import plant
from sentry.host import procfs

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel

PROC_SUPER_MAGIC: Final = 0x9FA0


class ProcFileSystem(SyntheticFileSystem):
    """Boot mounts it on /proc."""

    name = b"proc"
    magic = PROC_SUPER_MAGIC

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        procfs.prepare()
        root = ProcRoot(self)
        plant(root, plan(self))
        self.root = root
