"""Guests without a guest: tasks with memory, descriptors and a clock, whose system calls are called directly.

``World.task()`` makes a task. ``Guest.call(handler, ...)`` runs a handler to its end and gives its result or -errno;
``Guest.start`` lets it wait, and ``Guest.result`` is its end once ``World.run`` has let things happen.
"""

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from sentry.kernel.creds import Credentials
from sentry.kernel.fd_table import FdTable
from sentry.kernel.limits import SandboxLimits
from sentry.kernel.namespaces import Namespaces
from sentry.kernel.net_namespace import NetNamespace
from sentry.kernel.pseudo_fs import PseudoFileSystems
from sentry.kernel.task_table import TaskTable
from sentry.kernel.uts import UtsNamespace
from sentry.mm.usermem import UserMemory
from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.sched.wait import Interrupted
from sentry.vfs.mount import MountTable
from syscalls.abi.errors import Fault, SyscallError
from syscalls.registry import Entry, build_table

BASE = 0x10000
MEMORY_SIZE = 1 << 20


def check_registers(*values: int) -> None:
    """The real memory is reached through C: what is no 64-bit number would stop the sandbox there."""
    assert all(0 <= value < 1 << 64 for value in values)


class FakeMemory:
    """Guest memory from BASE to BASE + size; everything else faults."""

    def __init__(self, size: int = MEMORY_SIZE) -> None:
        self.data = bytearray(size)

    def read(self, addr: int, length: int) -> bytes:
        data = self.read_partial(addr, length)
        if len(data) < length:
            raise Fault
        return data

    def read_partial(self, addr: int, length: int) -> bytes:
        check_registers(addr, length)
        at = addr - BASE
        return bytes(self.data[at : at + length]) if 0 <= at < len(self.data) else b""

    def read_string(self, addr: int, limit: int) -> bytes | None:
        check_registers(addr, limit)
        data = self.read_partial(addr, limit)
        if not data:
            raise Fault
        end = data.find(b"\0")
        if end < 0:
            if len(data) < limit:
                raise Fault
            return None
        return data[:end]

    def write(self, addr: int, data: Any) -> None:
        if self.write_partial(addr, data) < len(data):
            raise Fault

    def write_partial(self, addr: int, data: Any) -> int:
        check_registers(addr, len(data))
        at = addr - BASE
        if not 0 <= at < len(self.data):
            return 0
        part = memoryview(data)[: len(self.data) - at]
        self.data[at : at + len(part)] = part
        return len(part)


class FakeContext:
    """A thread that is never there."""

    def __init__(self, memory: FakeMemory) -> None:
        self.memory = memory
        self.parked: tuple[int, int | None, Any] | None = None

    def blocked_signals(self) -> int:
        return 0

    def lend_fd(self, source: int) -> int:
        return 1 << 20

    def inject(self, nr: int, arguments: list[int], done: Any) -> None:
        """The host refuses."""
        check_registers(*arguments)
        done(-12)

    def park_masked(self, sigmask: int, timeout_ns: int | None, done: Any) -> None:
        self.parked = sigmask, timeout_ns, done


class FakeSignals:
    def __init__(self) -> None:
        self.sent: list[tuple[Any, int]] = []

    def send_task(self, task: Any, signal: int) -> None:
        self.sent.append((task, signal))


class World:
    """A kernel whose clocks the test moves (``now_ns``)."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000
        self.realtime_offset_ns = 1_700_000_000_000_000_000
        self.signals = FakeSignals()
        self.runner = Runner(lambda: self.now_ns)
        self.kernel: Any = SimpleNamespace(
            runner=self.runner,
            signals=self.signals,
            limits=SandboxLimits(),
            net=NetNamespace(),
            pseudo=PseudoFileSystems(),
            mounts=MountTable(),
            tasks=TaskTable(),
            realtime_ns=lambda: self.now_ns + self.realtime_offset_ns,
            random=lambda count: bytes(range(count)),
        )
        self.namespaces = Namespaces(UtsNamespace(b"box"))
        self.guests = 0

    def guest(self, uid: int = 0) -> "Guest":
        self.guests += 1
        return Guest(self, self.guests, uid)

    def run(self, advance_ns: int = 0) -> None:
        """Let time pass, then let everybody who is ready run until nobody is."""
        self.now_ns += advance_ns
        self.runner.run_ready()
        while self.runner.ready:
            self.runner.run_ready()


class Guest:
    """One task with its own descriptors and memory."""

    def __init__(self, world: World, pid: int, uid: int) -> None:
        self.world = world
        self.ram = FakeMemory()
        self.context = FakeContext(self.ram)
        caps = (1 << 41) - 1 if uid == 0 else 0
        group: Any = SimpleNamespace(
            limits={}, tgid=pid, tasks={}, segments=set(), aio={}, exit_status=None, is_alive=True, host_pid=0
        )
        self.task: Any = SimpleNamespace(
            kernel=world.kernel,
            context=self.context,
            memory=UserMemory(self.ram),  # type: ignore[arg-type]
            fds=FdTable(1024),
            group=group,
            tid=pid,
            credentials=Credentials(uid, uid, uid, uid, uid, uid, uid, uid, effective=caps, permitted=caps),
            fiber=Fiber(world.runner, self._done, self._failed),
            is_masked=False,
            resumption=None,
            trap=(),
            may_be_in=lambda trap: self.task.trap is trap,
            namespaces=world.namespaces,
            sem_undo=None,
        )
        world.kernel.tasks.tasks[pid] = self.task
        world.kernel.tasks.groups[pid] = group
        self.outcomes: list[Any] = []
        self._top = BASE

    def __getattr__(self, name: str) -> Any:
        """``guest.read(fd, addr, 1)`` runs sys_read and gives its result or -errno; it must not wait."""
        entry = entry_of(name)

        def invoke(*arguments: int) -> Any:
            self.start(entry.call, *arguments)
            if self.task.fiber.is_busy:
                self.task.fiber.cancel()
                return "waits"
            return self.outcomes.pop()

        return invoke

    def begin(self, name: str, *arguments: int) -> None:
        """Start a call that may wait; its result is added to ``outcomes``."""
        self.start(entry_of(name).call, *arguments)

    def begin_masked(self, name: str, *arguments: int) -> None:
        """Start the masked form of a call."""
        masked = entry_of(name).masked
        assert masked is not None
        self.start(masked, *arguments)

    def start(self, call: Any, *arguments: int) -> None:
        registers = [argument & 0xFFFFFFFFFFFFFFFF for argument in arguments] + [0] * (6 - len(arguments))
        try:
            result = call(self.task, *registers)
        except SyscallError as error:
            self.outcomes.append(-error.errno)
            return
        if isinstance(result, Coroutine):
            self.task.fiber.start(result)
        else:
            self.outcomes.append(result)

    @property
    def is_waiting(self) -> bool:
        return bool(self.task.fiber.is_busy)

    def alloc(self, data: bytes | int) -> int:
        """Put ``data`` (or that many zero bytes) somewhere in memory and return the address."""
        data = bytes(data)
        addr = self._top
        self._top += (len(data) + 15) & -16
        self.ram.write(addr, data)
        return addr

    def peek(self, addr: int, length: int) -> bytes:
        return self.ram.read(addr, length)

    def words(self, addr: int, count: int) -> list[int]:
        data = self.peek(addr, 4 * count)
        return [int.from_bytes(data[at : at + 4], "little", signed=True) for at in range(0, 4 * count, 4)]

    def put(self, fd: int, data: bytes) -> Any:
        """write(2)."""
        mark = self._top
        result = self.write(fd, self.alloc(data), len(data))
        self._top = mark
        return result

    def get(self, fd: int, length: int) -> Any:
        """read(2): the bytes, or -errno, or "waits"."""
        addr = self.alloc(length)
        result = self.read(fd, addr, length)
        self._top = addr
        return self.peek(addr, result) if isinstance(result, int) and result >= 0 else result

    def pipe_pair(self, flags: int = 0) -> tuple[int, int]:
        addr = self.alloc(8)
        assert self.pipe2(addr, flags) == 0
        reader, writer = self.words(addr, 2)
        return reader, writer

    def _done(self, result: object) -> None:
        self.outcomes.append(result)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, SyscallError):
            self.outcomes.append(-error.errno)
        elif isinstance(error, Interrupted):
            self.outcomes.append(error.restart)
        else:
            raise error


_table: dict[str, Entry] = {}


def entry_of(name: str) -> Entry:
    if not _table:
        _table.update({entry.name: entry for entry in build_table() if entry is not None})
    return _table[name]
