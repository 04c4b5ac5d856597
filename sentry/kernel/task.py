"""A task: one guest thread as the sentry knows it.

Concerns live in files of their own: task_clone, task_exec, task_exit, task_wait, signals.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.kernel.births import OnBirth
    from sentry.kernel.creds import Credentials
    from sentry.kernel.fd_table import FdTable
    from sentry.kernel.fs_context import FsContext
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.sem_undo import UndoList
    from sentry.kernel.task_exec import PendingExec
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.mm.usermem import UserMemory
    from sentry.platform.interface import Context
    from sentry.sched.fiber import Fiber
    from sentry.vfs.mount import MountNamespace


class Task:
    """One guest thread.

    ``tid`` is the guest's number, ``context.host_tid`` the host's. ``fiber`` runs its current system call. ``memory`` is the
    only way to its memory. ``fds``, ``fs`` and ``group`` may be shared with other tasks as clone(2) said.
    """

    __slots__ = (
        "__weakref__",
        "clear_child_tid",
        "context",
        "credentials",
        "exec_errno",
        "fds",
        "fiber",
        "fs",
        "group",
        "is_exiting",
        "is_masked",
        "kernel",
        "memory",
        "mounts",
        "name",
        "namespaces",
        "on_birth",
        "pdeath_signal",
        "pending_exec",
        "rechecks",
        "resumption",
        "seccomp_filters",
        "seccomp_mode",
        "sem_undo",
        "signal_epoch",
        "tid",
        "trap",
    )

    def __init__(  # noqa: PLR0913 - what clone(2) can share, one by one
        self,
        kernel: "Kernel",
        context: "Context",
        group: "ThreadGroup",
        memory: "UserMemory",
        fds: "FdTable",
        fs: "FsContext",
        mounts: "MountNamespace",
        credentials: "Credentials",
        name: bytes,
    ) -> None:
        self.kernel = kernel
        self.context = context
        self.tid = context.guest_tid
        self.group = group
        self.memory = memory
        self.fds = fds
        self.fs = fs
        self.mounts = mounts
        self.credentials = credentials
        self.name = name
        self.namespaces = kernel.namespaces
        self.sem_undo: UndoList | None = None  # from the first SEM_UNDO on; CLONE_SYSVSEM shares it
        self.fiber: Fiber
        self.is_exiting = False
        self.signal_epoch = 0  # the group's, when this thread last looked for signals before it became deaf
        #: an interrupted call with a relative timeout, and the deadline that it keeps unless a handler runs first
        self.resumption: tuple[tuple[int, ...], int] | None = None
        #: who is looked at again when this thread's kill has surely run (sentry.kernel.signals)
        self.rechecks: list[Task] = []
        self.seccomp_mode = 0  # the guest's own: SECCOMP_MODE_
        self.seccomp_filters = 0  # how many it has stacked; the host holds them
        self.pdeath_signal = 0  # PR_SET_PDEATHSIG
        #: sleeping in the host under a signal mask (ppoll and its kin): signals reach it without a kick
        self.is_masked = False
        #: (nr, a0..a5) of the call under way, for tracing and restart
        self.trap: tuple[int, ...] = ()
        #: what its child needs before it runs, while a birth that the sentry makes is under way
        self.on_birth: OnBirth | None = None
        #: an execve that the host has been asked to carry out
        self.pending_exec: PendingExec | None = None
        #: why the last execve failed (positive errno), for the container's first program
        self.exec_errno = 0

    def may_be_in(self, trap: tuple[int, ...]) -> bool:
        """Whether the call ``trap``, which was let through, may not have run yet: the thread has made no other since."""
        return self.trap is trap and not self.is_exiting

    def __repr__(self) -> str:
        return f"<Task {self.tid} {self.name!r}>"
