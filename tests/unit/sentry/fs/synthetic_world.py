"""A container in this process: real kernel records, real file systems, tasks whose host threads are this test's own process."""

import os
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

from sentry.fs.cgroup.filesystem import CgroupFileSystem
from sentry.fs.dev.filesystem import DevFileSystem
from sentry.fs.devpts.filesystem import DevPtsFileSystem
from sentry.fs.proc.filesystem import ProcFileSystem
from sentry.fs.sys.filesystem import SysFileSystem
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.kernel.creds import Credentials
from sentry.kernel.fd_table import FdTable
from sentry.kernel.fs_context import FsContext
from sentry.kernel.kernel import Kernel
from sentry.kernel.limits import SandboxLimits
from sentry.kernel.namespaces import Namespaces
from sentry.kernel.session import ProcessGroup, Session
from sentry.kernel.task import Task
from sentry.kernel.task_table import TaskTable
from sentry.kernel.thread_group import ThreadGroup
from sentry.kernel.uts import UtsNamespace
from sentry.mm.usermem import BytesSink, BytesSource, UserMemory
from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.sched.wait import Interrupted
from sentry.vfs import namespace
from sentry.vfs.mount import MS_NODEV, MountTable
from syscalls.abi.errors import Fault, SyscallError

T = TypeVar("T")
AT_FDCWD = -100
ALL_CAPS = (1 << 41) - 1
BASE = 0x1000
START_NS = 5_000_000_000


class Memory:
    """A little guest memory."""

    def __init__(self) -> None:
        self.data = bytearray(4096)

    def read(self, addr: int, length: int) -> bytes:
        if not BASE <= addr <= BASE + len(self.data) - length:
            raise Fault
        return bytes(self.data[addr - BASE : addr - BASE + length])

    def write(self, addr: int, data: Any) -> None:
        if not BASE <= addr <= BASE + len(self.data) - len(data):
            raise Fault
        self.data[addr - BASE : addr - BASE + len(data)] = data


class Context:
    """The host thread of a task: this process."""

    def __init__(self, tid: int) -> None:
        self.guest_tid = tid
        self.host_tid = os.getpid()
        self.memory = Memory()
        self.data: object = None
        self.blocked = 0
        self.ignored = 0

    def blocked_signals(self) -> int:
        return self.blocked

    def ignored_signals(self) -> int:
        return self.ignored


class Signals:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []

    def send_group(self, group: Any, signal: int) -> None:
        self.sent.append((group.tgid, signal))

    def send_process_group(self, process_group: Any, signal: int) -> None:
        for group in process_group.members.values():
            self.send_group(group, signal)


class World:
    """One container with init (pid 1) at the root of a tmpfs; proc, sys, dev and devpts are mounted."""

    def __init__(self, memory_max: int | None = 256 << 20) -> None:
        self.now_ns = START_NS
        self.signals = Signals()
        self.watched: dict[int, Any] = {}
        self.kernel = Kernel(
            platform=SimpleNamespace(watch=self._watch),  # type: ignore[arg-type]
            runner=Runner(lambda: self.now_ns),
            tasks=TaskTable(),
            signals=self.signals,  # type: ignore[arg-type]
            mounts=MountTable(),
            limits=SandboxLimits(memory_max=memory_max),
            namespaces=Namespaces(UtsNamespace(b"box")),
            realtime_ns=lambda: 1_700_000_000_000_000_000 + self.now_ns,
            random=os.urandom,
            start_ns=START_NS,
        )
        table = self.kernel.mounts
        root = TmpFileSystem(table.allocate_dev(), self.kernel.realtime_ns, mode=0o755)
        self.namespace = table.namespace(root, 0, b"root")
        self.init = self.spawn(1)
        for name in (b"/proc", b"/sys", b"/dev", b"/tmp"):
            self.run(namespace.mkdir_at(self.init, AT_FDCWD, name, 0o755))
        self.devpts = DevPtsFileSystem(self.kernel).serve()
        for fs, at, flags in (
            (ProcFileSystem(self.kernel), b"/proc", MS_NODEV),
            (SysFileSystem(self.kernel), b"/sys", MS_NODEV),
            (CgroupFileSystem(self.kernel), b"/sys/fs/cgroup", MS_NODEV),
            (DevFileSystem(self.kernel), b"/dev", 0),
            (self.devpts, b"/dev/pts", 0),
        ):
            place = self.run(namespace.resolve(self.init, AT_FDCWD, at))
            self.namespace.attach(table.mount(fs, flags, fs.name), place)

    def spawn(self, pid: int, parent: Task | None = None, uid: int = 0, *, new_session: bool = False) -> Task:
        """A new process."""
        kernel = self.kernel
        tasks = kernel.tasks
        if parent is None or new_session:
            process_group = ProcessGroup(pid, Session(pid))
            tasks.sessions[pid] = process_group.session
        else:
            process_group = parent.group.process_group
        tasks.process_groups[process_group.pgid] = process_group
        group = ThreadGroup(pid, parent.group if parent else None, process_group, {})
        group.host_pid = os.getpid()
        group.start_time_ns = self.now_ns
        process_group.add(group)
        if parent is None or new_session:
            process_group.session.leader = group
        if parent is not None:
            parent.group.children[pid] = group
        tasks.groups[pid] = group
        caps = ALL_CAPS if uid == 0 else 0
        creds = Credentials(uid, uid, uid, uid, uid, uid, uid, uid, (), caps, caps, bounding=ALL_CAPS)
        place = self.namespace.root_path
        context: Any = Context(pid)
        guest = SimpleNamespace(read=context.memory.read, write=context.memory.write, read_partial=lambda addr, length: b"")
        memory = UserMemory(guest)  # type: ignore[arg-type]
        fs = FsContext(place, place)
        task = Task(kernel, context, group, memory, FdTable(1024), fs, self.namespace, creds, b"task%d" % pid)
        group.leader = task
        group.tasks[pid] = task
        tasks.tasks[pid] = task
        task.fiber = Fiber(kernel.runner, lambda result: None, self._failed)
        task.fiber.owner = task
        return task

    def own_process_group(self, task: Task) -> ProcessGroup:
        """setpgid(0, 0)."""
        process_group = ProcessGroup(task.group.tgid, task.group.process_group.session)
        self.kernel.tasks.join(task.group, process_group)
        return process_group

    def end(self, task: Task, *, reaped: bool) -> None:
        """exit(2), and maybe the parent's wait."""
        group = task.group
        group.exit_status = 0
        task.is_exiting = True
        self.kernel.tasks.tasks.pop(task.tid)
        group.tasks.clear()
        if reaped:
            del self.kernel.tasks.groups[group.tgid]

    def run(self, coroutine: Coroutine[Any, Any, T], task: Task | None = None) -> T:
        """Run on a task's fiber what never waits."""
        outcome: list[Any] = []

        async def body() -> None:
            try:
                outcome.append(await coroutine)
            except (SyscallError, Interrupted) as error:
                outcome.append(error)

        (task or self.init).fiber.start(body())
        result = outcome[0]
        if isinstance(result, BaseException):
            raise result
        return result  # type: ignore[no-any-return]

    def open(self, path: bytes, flags: int = 0, task: Task | None = None) -> Any:
        """open(2)."""
        task = task or self.init
        return self.run(namespace.open_at(task, AT_FDCWD, path, flags, 0), task).acquire()

    def read(self, path: bytes, task: Task | None = None) -> bytes:
        """A whole file."""
        task = task or self.init
        file = self.open(path, task=task)
        sink = BytesSink(1 << 20)

        async def body() -> None:
            while file.try_read(sink, len(sink.data)):
                pass

        self.run(body(), task)
        file.release()
        return bytes(sink.data)

    def write(self, path: bytes, data: bytes, task: Task | None = None) -> int | None:
        """A whole file."""
        file = self.open(path, 1, task)
        try:
            return file.try_write(BytesSource(data), 0)  # type: ignore[no-any-return]
        finally:
            file.release()

    def list(self, path: bytes, task: Task | None = None) -> list[bytes]:
        """The names in a directory."""
        task = task or self.init

        async def body() -> list[bytes]:
            place = await namespace.resolve(task, AT_FDCWD, path)
            return [entry.name for entry in await place.inode.read_children()]

        return self.run(body(), task)

    def readlink(self, path: bytes, task: Task | None = None) -> bytes:
        """readlink(2)."""
        task = task or self.init

        async def body() -> bytes:
            return await (await namespace.resolve(task, AT_FDCWD, path, follow=False)).inode.readlink()

        return self.run(body(), task)

    def _watch(self, fd: int, events: int, ready: Any) -> Any:
        self.watched[fd] = ready
        return lambda: self.watched.pop(fd, None)

    def _failed(self, error: BaseException) -> None:
        raise error
