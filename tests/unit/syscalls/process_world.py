"""Processes without a host: real tasks, tables, signals and timers over the scripted platform; the test moves the clock.

``world.init`` is the first process; ``process.fork()`` and ``process.thread()`` make more. ``process.call("getpid")`` runs a
call and gives its answer: a number (-errno), "proceed", "waits", or "sent" when the host carries out a kill.
"""

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from sentry.kernel.creds import Credentials
from sentry.kernel.dispatch import Dispatcher
from sentry.kernel.fd_table import FdTable
from sentry.kernel.fs_context import FsContext
from sentry.kernel.kernel import Kernel
from sentry.kernel.limits import SandboxLimits
from sentry.kernel.namespaces import Namespaces
from sentry.kernel.signals import Signals
from sentry.kernel.task import Task
from sentry.kernel.task_clone import clone_task, enter
from sentry.kernel.task_table import TaskTable
from sentry.kernel.thread_group import ThreadGroup
from sentry.kernel.uts import UtsNamespace
from sentry.mm.usermem import UserMemory
from sentry.platform.fake import FakeContext, FakePlatform
from sentry.sched.runner import Runner
from syscalls.abi.capability import ALL_CAPABILITIES
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SIGCHLD
from syscalls.args import PROCEED
from syscalls.registry import Entry, build_table, calls_of, masked_of

CLONE_THREAD_FLAGS = 0x3D0F00
BUFFER = 0x10000

TABLE = build_table()
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in TABLE if entry is not None}


class Process:
    """One task and its scripted context."""

    def __init__(self, world: "World", task: Task) -> None:
        self.world = world
        self.task = task
        self.context: FakeContext = task.context  # type: ignore[assignment]
        self.ram = self.context.fake_memory
        self.ram.map(BUFFER, 0x10000)

    @property
    def pid(self) -> int:
        return self.task.group.tgid

    def call(self, name: str, *arguments: int) -> Any:
        replies = len(self.context.replies)
        registers = [argument & 0xFFFFFFFFFFFFFFFF for argument in arguments] + [0] * (6 - len(arguments))
        self.task.trap = (ENTRIES[name].nr, *registers)
        try:
            result = ENTRIES[name].call(self.task, *registers)
        except SyscallError as error:
            return -error.errno
        if result is PROCEED:
            return "proceed"
        if result is None:
            return "sent"
        if isinstance(result, Coroutine):
            self.task.fiber.start(result)
            answers = self.context.replies[replies:]
            return self._answer(answers[-1]) if answers else "waits"
        return result

    @staticmethod
    def _answer(reply: tuple[object, ...]) -> Any:
        return reply[1] if reply[0] == "reply" else reply[0]

    @property
    def last(self) -> Any:
        return self._answer(self.context.replies[-1])

    def fork(self, flags: int = SIGCHLD) -> "Process":
        context = self.world.platform.new_context()
        task = clone_task(self.task, context, flags)
        self.world.dispatcher.adopt(task)
        return Process(self.world, task)

    def thread(self) -> "Process":
        return self.fork(CLONE_THREAD_FLAGS)

    def die(self, status: int = 0) -> None:
        self.world.dispatcher.thread_exited(self.context, status)

    def become(self, uid: int, gid: int | None = None) -> "Process":
        self.task.credentials = user(uid, gid)
        return self

    def poke(self, data: bytes, at: int = 0) -> int:
        return self.ram.poke(BUFFER + at, data)

    def peek(self, length: int, at: int = 0) -> bytes:
        return self.ram.read(BUFFER + at, length)

    def number(self, at: int = 0) -> int:
        return int.from_bytes(self.peek(4, at), "little", signed=True)


class World:
    """A kernel with one process in it."""

    def __init__(self, *layers: str) -> None:
        self.now_ns = 1_000_000_000
        self.platform = FakePlatform()
        self.platform.layers = frozenset(layers)
        self.runner = Runner(lambda: self.now_ns)
        self.kernel = Kernel(
            platform=self.platform,
            runner=self.runner,
            tasks=TaskTable(),
            signals=Signals(),
            mounts=SimpleNamespace(mapped=SimpleNamespace(note=lambda *_: None)),  # type: ignore[arg-type]
            limits=SandboxLimits(),
            namespaces=Namespaces(UtsNamespace(b"box")),
            realtime_ns=lambda: self.now_ns + 1_700_000_000_000_000_000,
            random=bytes,
            start_ns=self.now_ns,
        )
        self.dispatcher = Dispatcher(calls_of(TABLE), masked_of(TABLE), PROCEED, self._fatal, lambda kernel: None)
        self.init = self._first()

    def pass_time(self, nanoseconds: int) -> None:
        self.now_ns += nanoseconds
        self.runner.run_ready()

    def run(self) -> None:
        while self.runner.ready:
            self.runner.run_ready()

    def _first(self) -> Process:
        context = self.platform.new_context()
        tasks = self.kernel.tasks
        group = ThreadGroup(context.guest_tid, None, None, {})  # type: ignore[arg-type]
        group.host_pid = context.host_tid
        place: Any = None
        fs = FsContext(place, place)
        task = Task(self.kernel, context, group, UserMemory(context.memory), FdTable(1024), fs, place, user(0), b"init")
        group.leader = task
        tasks.groups[group.tgid] = group
        tasks.new_session(group)
        enter(task)
        self.dispatcher.adopt(task)
        return Process(self, task)

    def _fatal(self, message: str) -> None:
        raise AssertionError(message)


def user(uid: int, gid: int | None = None) -> Credentials:
    gid = uid if gid is None else gid
    caps = ALL_CAPABILITIES if uid == 0 else 0
    return Credentials(uid, uid, uid, uid, gid, gid, gid, gid, permitted=caps, effective=caps, bounding=ALL_CAPABILITIES)
