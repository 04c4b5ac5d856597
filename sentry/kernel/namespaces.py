"""The namespaces of a task besides mounts and network (namespaces(7)): shared by its children until unshare(2) or setns(2)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.ipc.namespace import IpcNamespace
    from sentry.kernel.uts import UtsNamespace


class Namespaces:
    """``ipc`` is made when it is first used (``sentry.ipc.namespace.ipc_of``)."""

    __slots__ = ("ipc", "uts")

    def __init__(self, uts: "UtsNamespace", ipc: "IpcNamespace | None" = None) -> None:
        self.uts = uts
        self.ipc = ipc
