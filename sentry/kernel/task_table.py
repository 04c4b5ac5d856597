"""All tasks, processes, process groups and sessions of one pid namespace (a container)."""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sentry.host.process import exists
from sentry.kernel.session import ProcessGroup, Session

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

DEPARTED_MAX = 1024
_LOOKED_AT = 4


class TaskTable:
    """Finds tasks by the guest's numbers.

    A number that is not in here does not exist for the guest: no call lets it through to the host.

    The host keeps the zombies and chooses among them when a parent waits for any child (kernel-facts.md 5), so a dead process
    stays in ``groups`` until its number is found to be gone: ``find_group``, ``find_process_group`` and ``processes`` look.
    """

    __slots__ = ("_dead", "departed", "groups", "init", "process_groups", "sessions", "tasks")

    def __init__(self) -> None:
        self.tasks: dict[int, Task] = {}
        self.groups: dict[int, ThreadGroup] = {}
        #: the container's first process, whose end is the end of all; it inherits orphans
        self.init: ThreadGroup | None = None
        #: the real uids of the last processes that are gone: their signals may still be pending
        self.departed: dict[int, int] = {}
        #: zombies as far as the sentry knows, in no order: the host does not tell when they are waited for
        self._dead: deque[ThreadGroup] = deque()
        self.process_groups: dict[int, ProcessGroup] = {}
        self.sessions: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self.tasks)

    def find_task(self, tid: int) -> "Task | None":
        """The task with that tid, or None."""
        return self.tasks.get(tid)

    def find_group(self, pid: int) -> "ThreadGroup | None":
        """The process with that pid, or None; zombies are found until their parent has waited for them."""
        group = self.groups.get(pid)
        if group is not None and group.exit_status is not None:
            self._settle([group])
            return self.groups.get(pid)
        return group

    def uid_of(self, pid: int) -> int | None:
        """The real uid of a process that lives or did so lately."""
        group = self.groups.get(pid)
        return self.departed.get(pid) if group is None else group.leader.credentials.uid

    def find_process_group(self, pgid: int) -> ProcessGroup | None:
        """The process group with that number, or None; zombies are members until their parent has waited for them."""
        process_group = self.process_groups.get(pgid)
        if process_group is None:
            return None
        self._settle(process_group.members.values())
        return self.process_groups.get(pgid)

    def processes(self) -> "list[ThreadGroup]":
        """All processes and zombies."""
        self._settle(self.groups.values())
        return list(self.groups.values())

    def died(self, group: "ThreadGroup") -> None:
        """``group`` is a zombie now. At each death some of the earlier ones are looked at, so that those are forgotten that have
        been waited for, or that nobody waits for (SA_NOCLDWAIT), and never all are."""
        dead = self._dead
        dead.append(group)
        for _ in range(min(len(dead) - 1, _LOOKED_AT)):
            earlier = dead.popleft()
            if self.groups.get(earlier.tgid) is not earlier:
                continue
            if exists(earlier.host_pid):
                dead.append(earlier)
            else:
                self.forget(earlier)

    def forget(self, group: "ThreadGroup") -> None:
        """The zombie has been waited for (or nobody ever will): its number is free."""
        if self.groups.get(group.tgid) is group:
            del self.groups[group.tgid]
        self.departed.pop(group.tgid, None)
        self.departed[group.tgid] = group.leader.credentials.uid
        if len(self.departed) > DEPARTED_MAX:
            del self.departed[next(iter(self.departed))]
        parent = group.parent
        if parent is not None and parent.children.get(group.tgid) is group:
            del parent.children[group.tgid]
        self.leave(group)

    def _settle(self, groups: "Iterable[ThreadGroup]") -> None:
        """Forget those of ``groups`` that have been waited for."""
        for group in [group for group in groups if group.exit_status is not None and not exists(group.host_pid)]:
            self.forget(group)

    def new_session(self, group: "ThreadGroup") -> Session:
        """setsid(2): ``group`` becomes leader of a new session and of a new process group in it."""
        session = Session(group.tgid)
        session.leader = group
        self.sessions[session.sid] = session
        self.join(group, ProcessGroup(group.tgid, session))
        return session

    def join(self, group: "ThreadGroup", process_group: ProcessGroup) -> None:
        """Move ``group`` from its process group into ``process_group`` (setpgid(2))."""
        old: ProcessGroup | None = group.process_group
        if old is process_group and group.tgid in old.members:
            return
        if old is not None:
            self.leave(group)
        process_group.session.process_groups[process_group.pgid] = process_group
        self.process_groups[process_group.pgid] = process_group
        process_group.add(group)

    def leave(self, group: "ThreadGroup") -> None:
        """Take ``group`` out of its process group; empty ones and empty sessions vanish."""
        process_group = group.process_group
        process_group.remove(group)
        if not process_group.members:
            if self.process_groups.get(process_group.pgid) is process_group:
                del self.process_groups[process_group.pgid]
            session = process_group.session
            if not session.process_groups:
                self.sessions.pop(session.sid, None)

    def is_orphaned(self, process_group: ProcessGroup) -> bool:
        """Whether no living member has a parent in another process group of the same session (setpgid(2), POSIX 3.264)."""
        for member in process_group.members.values():
            if member.exit_status is not None:
                continue
            parent = member.parent
            if (
                parent is not None
                and parent.process_group is not process_group
                and parent.process_group.session is process_group.session
            ):
                return False
        return True
