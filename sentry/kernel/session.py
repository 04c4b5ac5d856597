"""Sessions and process groups (setsid(2), setpgid(2), credentials(7))."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.kernel.thread_group import ThreadGroup


class Session:
    """A session; ``terminal`` is its controlling terminal (a tty of sentry.fs.tty) or None."""

    __slots__ = ("leader", "process_groups", "sid", "terminal")

    def __init__(self, sid: int) -> None:
        self.sid = sid
        self.leader: ThreadGroup | None = None
        self.process_groups: dict[int, ProcessGroup] = {}
        self.terminal: object | None = None


class ProcessGroup:
    """A process group within one session."""

    __slots__ = ("members", "pgid", "session")

    def __init__(self, pgid: int, session: Session) -> None:
        self.pgid = pgid
        self.session = session
        self.members: dict[int, ThreadGroup] = {}
        session.process_groups[pgid] = self

    def add(self, group: "ThreadGroup") -> None:
        """Move ``group`` here."""
        self.members[group.tgid] = group
        group.process_group = self

    def remove(self, group: "ThreadGroup") -> None:
        """Take ``group`` out; an empty process group vanishes."""
        self.members.pop(group.tgid, None)
        if not self.members:
            self.session.process_groups.pop(self.pgid, None)
