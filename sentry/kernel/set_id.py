"""Set-user-ID and set-group-ID programs (execve(2), "Effect on process attributes"; credentials(7)).

Policy: the bits count as in docker, since credentials are the sentry's alone: they raise a guest's user to another guest's user,
never to one of the host. They are ignored on mounts with ``nosuid``, under no_new_privs, for scripts, and while another process
shares the working directory (CLONE_FS), as Linux does. File capabilities are not looked at.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sentry.kernel.cred_change import after_exec
from sentry.kernel.creds import CAP_SETUID
from sentry.vfs.mount import MS_NOSUID

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.stat import Attr

S_ISUID: Final = 0o4000
#: without the group's permission to execute, the bit means mandatory locking
_SET_GROUP: Final = 0o2010


def ids_of(task: "Task", path: "Path", attr: "Attr") -> tuple[int, int]:
    """The effective user and group that the program at ``path`` gives to ``task``."""
    creds = task.credentials
    same = creds.euid, creds.egid
    mode = attr.mode
    if not mode & (S_ISUID | 0o2000) or path.mount.flags & MS_NOSUID or creds.no_new_privs:
        return same
    euid = attr.uid if mode & S_ISUID else creds.euid
    egid = attr.gid if mode & _SET_GROUP == _SET_GROUP else creds.egid
    if (euid, egid) != same and _shares_folder(task) and not creds.has(CAP_SETUID):
        return creds.uid, creds.gid
    return euid, egid


def executed(creds: "Credentials", ids: tuple[int, int]) -> "Credentials":
    """The credentials after execve(2) of a program that gives ``ids``."""
    if creds.no_new_privs or ids == (creds.euid, creds.egid):
        return after_exec(creds)
    return after_exec(replace(creds, euid=ids[0], egid=ids[1], ambient=0))


def _shares_folder(task: "Task") -> bool:
    """Whether another process could change the working directory of the program."""
    return any(other.fs is task.fs and other.group is not task.group for other in task.kernel.tasks.tasks.values())
