"""A scripted platform for unit tests: guest threads without a guest.

Memory is a dictionary of mapped bytes that faults elsewhere; every answer of the sentry is recorded on the context.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count

from sentry.platform.interface import (
    Context,
    ExecPlan,
    GuestAddr,
    GuestMemory,
    HostFd,
    JailConfig,
    SignalInfo,
    Sink,
    SpawnRequest,
)
from syscalls.abi.errors import Fault
from syscalls.abi.signal import SI_QUEUE, SI_TIMER

PAGE = 4096


class FakeMemory(GuestMemory):
    """Pages by number; an address outside a mapped page faults. ``read_only`` pages fault on writes."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.read_only: set[int] = set()

    def map(self, addr: GuestAddr, length: int, *, is_writable: bool = True) -> None:
        """Map zeroed pages that cover ``addr`` to ``addr + length``."""
        for page in range(addr // PAGE, (addr + length + PAGE - 1) // PAGE):
            self.pages.setdefault(page, bytearray(PAGE))
            if not is_writable:
                self.read_only.add(page)

    def unmap(self, addr: GuestAddr, length: int) -> None:
        """Forget the pages that cover the range."""
        for page in range(addr // PAGE, (addr + length + PAGE - 1) // PAGE):
            self.pages.pop(page, None)
            self.read_only.discard(page)

    def poke(self, addr: GuestAddr, data: bytes) -> GuestAddr:
        """Map what is needed, store ``data`` and return ``addr``: a test's way to prepare arguments."""
        self.map(addr, max(len(data), 1))
        self.write(addr, data)
        return addr

    def read_partial(self, addr: GuestAddr, length: int) -> bytes:
        """See ``GuestMemory``."""
        parts = bytearray()
        while len(parts) < length:
            page, offset = divmod(addr + len(parts), PAGE)
            content = self.pages.get(page)
            if content is None:
                break
            parts += content[offset : offset + length - len(parts)]
        return bytes(parts)

    def read(self, addr: GuestAddr, length: int) -> bytes:
        """See ``GuestMemory``."""
        data = self.read_partial(addr, length)
        if len(data) != length:
            raise Fault
        return data

    def read_string(self, addr: GuestAddr, limit: int) -> bytes | None:
        """See ``GuestMemory``."""
        data = self.read_partial(addr, limit)
        end = data.find(0)
        if end >= 0:
            return data[:end]
        if len(data) < limit:
            raise Fault
        return None

    def write_partial(self, addr: GuestAddr, data: bytes | bytearray | memoryview) -> int:
        """See ``GuestMemory``."""
        done = 0
        view = memoryview(data)
        while done < len(view):
            page, offset = divmod(addr + done, PAGE)
            content = self.pages.get(page)
            if content is None or page in self.read_only:
                break
            chunk = view[done : done + PAGE - offset]
            content[offset : offset + len(chunk)] = chunk
            done += len(chunk)
        return done

    def write(self, addr: GuestAddr, data: bytes | bytearray | memoryview) -> None:
        """See ``GuestMemory``."""
        if self.write_partial(addr, data) != len(data):
            raise Fault

    def fill_from_host(self, addr: GuestAddr, length: int, fd: HostFd, offset: int) -> int:
        """See ``GuestMemory``; reads the real descriptor."""
        import os

        data = os.pread(fd, length, offset)
        count_ = self.write_partial(addr, data)
        if data and not count_:
            raise Fault
        return count_

    def drain_to_host(self, addr: GuestAddr, length: int, fd: HostFd, offset: int) -> int:
        """See ``GuestMemory``; writes the real descriptor."""
        import os

        data = self.read_partial(addr, length)
        if length and not data:
            raise Fault
        return os.pwrite(fd, data, offset)


class FakeContext(Context):
    """A guest thread that records: ``replies`` has one entry for each answered trap.

    An entry is ("reply", value), ("proceed",), ("kick", restart), ("execute", plan), ("refuse_exec", errno),
    ("park_masked", mask, timeout_ns) or ("unpark", value); ``signals`` has (signal, to_thread, value).
    """

    def __init__(self, tid: int = 1, memory: FakeMemory | None = None) -> None:
        self.host_tid = tid
        self.guest_tid = tid
        self.fake_memory = memory or FakeMemory()
        self.memory = self.fake_memory
        self.data: object = None
        self.replies: list[tuple[object, ...]] = []
        self.signals: list[tuple[int, bool, int | None]] = []
        self.added: dict[int, int] = {}
        self.limits: dict[int, tuple[int, int]] = {}
        self.blocked = self.ignored = self.caught = self.pending = 0
        self.infos: list[SignalInfo | None] = []
        self.stop: Callable[[], None] | None = None
        self.host_queue: list[tuple[int, bytes]] = []
        self.is_gone = False
        self.filters: list[tuple[bytes, int]] = []
        self.injected: Callable[[int], None] | None = None
        self.masked_done: Callable[[int], None] | None = None

    def reply(self, value: int) -> None:
        """Record."""
        self.replies.append(("reply", value))

    def proceed(self) -> None:
        """Record."""
        self.replies.append(("proceed",))

    def proceed_then(self, done: Callable[[], None]) -> None:
        """Record, and run ``done`` at once."""
        self.replies.append(("proceed",))
        done()

    def interrupt_then(self, done: Callable[[], None]) -> None:
        """Record; the test calls ``stop``."""
        self.stop = done

    def kick(self, restart: int) -> None:
        """Record."""
        self.replies.append(("kick", restart))

    def lend_fd(self, source: HostFd) -> int:
        """Record it under a number above the guest's."""
        self.added[1 << 20] = source
        return 1 << 20

    def add_fd(self, source: HostFd, number: int) -> None:
        """Record which host descriptor stands under ``number``."""
        self.added[number] = source

    def execute(self, plan: ExecPlan) -> None:
        """Record."""
        self.replies.append(("execute", plan))

    def refuse_exec(self, errno: int) -> None:
        """Record."""
        self.replies.append(("refuse_exec", errno))

    def park_masked(self, sigmask: int, timeout_ns: int | None, done: Callable[[int], None]) -> None:
        """Record; the test calls ``masked_done``."""
        self.replies.append(("park_masked", sigmask, timeout_ns))
        self.masked_done = done

    def unpark(self, value: int) -> None:
        """Record."""
        self.replies.append(("unpark", value))

    def inject(self, nr: int, arguments: Sequence[int], done: Callable[[int], None]) -> None:
        """Record; the test calls ``injected``."""
        self.replies.append(("inject", nr, *arguments))
        self.injected = done

    def bear(self, arguments: Sequence[int], done: Callable[[int], None], *, clears_handlers: bool) -> None:
        """Record; the test calls ``injected``."""
        self.replies.append(("bear", *arguments, clears_handlers))
        self.injected = done

    def take_signal(self, signals: int, done: Callable[[bytes | None], None]) -> None:
        """Give the first of ``host_queue`` (signal, siginfo) that is in the set; nothing of a thread that ``is_gone``."""
        if self.is_gone:
            done(None)
            return
        for entry in sorted(self.host_queue, key=lambda entry: entry[0]):
            if signals >> (entry[0] - 1) & 1:
                self.host_queue.remove(entry)
                self.pending &= ~(1 << (entry[0] - 1))
                done(entry[1])
                return
        done(b"")

    def add_filter(self, program: bytes, flags: int, done: Callable[[int], None]) -> None:
        """Record and succeed."""
        self.filters.append((program, flags))
        done(0)

    def enter_strict_mode(self, done: Callable[[int], None]) -> None:
        """Record and succeed."""
        self.filters.append((b"strict", 0))
        done(0)

    def signal_masks(self) -> tuple[int, int, int, int]:
        """What the test has set."""
        return self.blocked, self.ignored, self.caught, self.pending

    def blocked_signals(self) -> int:
        """What the test has set."""
        return self.blocked

    def ignored_signals(self) -> int:
        """What the test has set."""
        return self.ignored

    def caught_signals(self) -> int:
        """What the test has set."""
        return self.caught

    def pending_signals(self) -> int:
        """What the test has set."""
        return self.pending

    def send_signal(self, signal: int, *, to_thread: bool = False, info: SignalInfo | None = None) -> None:
        """Record."""
        self.signals.append((signal, to_thread, info.value if info is not None and info.code in (SI_QUEUE, SI_TIMER) else None))
        self.infos.append(info)

    def set_limit(self, resource: int, soft: int, hard: int) -> None:
        """Record."""
        self.limits[resource] = (soft, hard)


class FakePlatform:
    """Plays events that the test has scripted: ``script.append(lambda sink: ...)``; ``run_once`` plays the next one."""

    name = "fake"

    def __init__(self) -> None:
        self.layers: frozenset[str] = frozenset()
        self.script: deque[Callable[[Sink], None]] = deque()
        self.sink: Sink | None = None
        self.contexts: list[FakeContext] = []
        self.spawned: list[SpawnRequest] = []
        self.watched: dict[HostFd, Callable[[int], None]] = {}
        self._tids = count(1)

    def start(self, config: JailConfig, sink: Sink) -> None:
        """Remember the sink."""
        self.sink = sink

    def new_context(self) -> FakeContext:
        """A further guest thread."""
        context = FakeContext(next(self._tids))
        self.contexts.append(context)
        return context

    def spawn(self, request: SpawnRequest) -> FakeContext:
        """A first process; no exec_request follows unless scripted."""
        self.spawned.append(request)
        return self.new_context()

    def trap(self, context: FakeContext, nr: int, *args: int) -> int | None:
        """Deliver a trapped call now and return the sentry's immediate answer, recorded like a reply."""
        assert self.sink is not None
        padded: Sequence[int] = [arg & 0xFFFFFFFFFFFFFFFF for arg in args] + [0] * (6 - len(args))
        result = self.sink.syscall(context, nr, *padded)
        if result is not None:
            context.replies.append(("reply", result))
        return result

    def run_once(self, timeout_ns: int | None) -> None:
        """Play the next scripted event, if any."""
        if self.script:
            assert self.sink is not None
            self.script.popleft()(self.sink)

    def watch(self, fd: HostFd, events: int, ready: Callable[[int], None]) -> Callable[[], None]:
        """Record; the test calls ``watched[fd](revents)``."""
        self.watched[fd] = ready

        def stop() -> None:
            self.watched.pop(fd, None)

        return stop

    def limit_tasks(self, tasks: int) -> bool:
        """Whoever asks gets it."""
        return True

    def limit_memory(self, size: int) -> bool:
        """Whoever asks gets it."""
        return True

    def freeze(self) -> None:
        """Nothing runs by itself."""

    def kill_all(self) -> None:
        """SIGKILL, recorded on every context."""
        for context in self.contexts:
            context.send_signal(9)

    def close(self) -> None:
        """Nothing to release."""
