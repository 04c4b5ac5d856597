"""The pipe itself (pipe(7)): a ring of page-sized slots, as Linux counts them, with readers and writers.

A slot holds the bytes of one write, or of several that fit (Linux merges a write into the last page if all of its odd part fits);
only whole free slots make a pipe writable. That is visible to guests that fill a pipe without blocking, so it is kept exactly.
Slots that one write fills are stored as one chunk, so that 64 KiB cost one copy, not sixteen.

Linux: fs/pipe.c, pipe_write(), pipe_read(), pipe_poll().
"""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.readiness import POLLERR, POLLHUP, READABLE, WRITABLE
from syscalls.abi.errno import EBUSY, EFAULT, EINVAL, EPERM, EPIPE
from syscalls.abi.errors import Fault, SyscallError

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits
    from sentry.vfs.io import Sink, Source

PAGE: Final = 4096
DEFAULT_SLOTS: Final = 16
_SIZE_MAX: Final = 1 << 31


class Packet(bytes):
    """A chunk written in packet mode (O_DIRECT): one read takes one packet and drops what it has no room for."""

    __slots__ = ()


class Pipe:
    """Bytes on their way from writers to readers. ``readers``/``writers`` count open descriptions.

    Descriptions share queues: those that only read, those that only write, those that do both, so that an edge reaches the right
    end of the pipe only. ``r_counter`` and ``w_counter`` count openings, for open(2) of FIFOs.
    """

    __slots__ = (
        "_charged",
        "_chunks",
        "_limits",
        "_start",
        "_tail_room",
        "_used",
        "both_queue",
        "length",
        "r_counter",
        "read_queue",
        "readers",
        "slots",
        "w_counter",
        "write_queue",
        "writers",
    )

    def __init__(self, limits: "SandboxLimits") -> None:
        self._limits = limits
        self._charged = PAGE
        limits.charge(PAGE)
        self._chunks: deque[bytes | bytearray] = deque()
        self._start = 0  # bytes of the first chunk that have been read
        self._tail_room = 0  # bytes that may be merged into the last slot
        self._used = 0  # slots in use
        self.length = 0
        self.slots = DEFAULT_SLOTS
        self.read_queue = WaitQueue()
        self.write_queue = WaitQueue()
        self.both_queue = WaitQueue()
        self.readers = 0
        self.writers = 0
        self.r_counter = 0
        self.w_counter = 0

    def try_read(self, sink: "Sink", *, splits_packets: bool = False) -> int | None:
        """Move bytes to ``sink``; 0 when empty and no writer is left, None to wait. Errors: EFAULT.

        With ``splits_packets`` (splice(2)) the rest of a packet stays, and what follows it is taken too.
        """
        chunks = self._chunks
        if not chunks:
            return None if self.writers and sink.remaining else 0
        done = 0
        was_full = self._used >= self.slots
        while chunks and sink.remaining:
            chunk = chunks[0]
            start = self._start
            try:
                count = sink.put(memoryview(chunk)[start:] if start else chunk)
            except Fault:
                if not done:
                    raise
                break
            done += count
            if type(chunk) is Packet and not splits_packets:
                self._drop_first(len(chunk) - start)
                break
            is_short = count < len(chunk) - start
            self._consume(count)
            if is_short:
                break
        if was_full and self._used < self.slots:
            self._wake_writers()
        return done

    def try_write(self, source: "Source", *, is_packet: bool = False) -> int | None:
        """Take what fits; None if nothing does. At most PIPE_BUF bytes go wholly or not at all. Errors: EPIPE, EFAULT, ENOMEM."""
        total = source.remaining
        if not total:
            return 0
        if not self.readers:
            raise SyscallError(EPIPE)
        odd = total & (PAGE - 1)
        done = 0
        if odd and odd <= self._tail_room and self._chunks:
            done = self._merge(source, odd)
            if not source.remaining:
                self._wake_readers()
                return done
        free = self.slots - self._used
        if free > 0:
            try:
                done += self._append(source, free, is_packet)
            except Fault:
                if not done:
                    raise
        # Linux wakes a watched reader even when nothing fitted (pipe_write(), poll_usage): an edge that epoll reports.
        self._wake_readers()
        return done or None

    def readiness(self, *, is_reader: bool, is_writer: bool, has_had_writer: bool = True) -> int:
        """The poll(2) bits of a description with these ends (Linux: pipe_poll())."""
        mask = 0
        if is_reader:
            if self._chunks:
                mask = READABLE
            if not self.writers and has_had_writer:
                mask |= POLLHUP
        if is_writer:
            if self._used < self.slots:
                mask |= WRITABLE
            if not self.readers:
                mask |= POLLERR
        return mask

    def resize(self, size: int, size_max: int, *, is_privileged: bool) -> int:
        """F_SETPIPE_SZ: a power of two pages, at least ``size``. Errors: EINVAL, EPERM above the limit, EBUSY."""
        if size > _SIZE_MAX or size < 0:
            raise SyscallError(EINVAL)
        slots = 1 << (max(size - 1, 0) // PAGE).bit_length()
        if slots > self.slots and slots * PAGE > size_max and not is_privileged:
            raise SyscallError(EPERM)
        if slots < self._used:
            raise SyscallError(EBUSY)
        was_full = self._used >= self.slots
        self.slots = slots
        if was_full and self._used < slots:
            self._wake_writers()
        return slots * PAGE

    def room(self) -> int:
        """Bytes that certainly fit: those of the free slots."""
        return max(self.slots - self._used, 0) * PAGE

    def peek(self, length: int) -> "Iterator[tuple[bytes, bool]]":
        """The first ``length`` bytes without consuming them (tee(2)), in parts; whether a part is a packet."""
        start = self._start
        for chunk in self._chunks:
            if length <= 0:
                return
            part = bytes(memoryview(chunk)[start : start + length])
            yield part, type(chunk) is Packet
            length -= len(part)
            start = 0

    def push_back(self, data: bytes) -> None:
        """Return bytes to the front that a splice could not deliver."""
        if not data:
            return
        if self._start:
            rest = bytes(memoryview(self._chunks[0])[self._start :])
            self._used -= _pages(len(self._chunks[0])) - self._start // PAGE
            self._chunks.popleft()
            if rest:
                self._chunks.appendleft(rest)
                self._used += _pages(len(rest))
            self._start = 0
        if not self._chunks:
            self._tail_room = 0
        self._chunks.appendleft(data)
        self._used += _pages(len(data))
        self.length += len(data)
        self._wake_readers()

    def close_reader(self) -> None:
        """A reading description is gone: writers get EPIPE when it was the last."""
        self.readers -= 1
        self._closed()

    def close_writer(self) -> None:
        """A writing description is gone: readers see the end of file when it was the last."""
        self.writers -= 1
        self._closed()

    def _closed(self) -> None:
        if not self.readers and not self.writers:
            self._chunks.clear()
            self.length = self._used = self._start = self._tail_room = 0
            self._limits.uncharge(self._charged)
            self._charged = 0
        if bool(self.readers) != bool(self.writers):
            self.wake_all()

    def wake_all(self) -> None:
        """One side has come or gone: everybody looks again."""
        for queue in (self.read_queue, self.write_queue, self.both_queue):
            queue.wake()

    def _wake_readers(self) -> None:
        self.read_queue.wake(READABLE)
        if self.both_queue:
            self.both_queue.wake(READABLE)

    def _wake_writers(self) -> None:
        self.write_queue.wake(WRITABLE)
        if self.both_queue:
            self.both_queue.wake(WRITABLE)

    def reopen(self) -> None:
        """Account for a FIFO that is opened again after its last close. Errors: ENOMEM."""
        if not self._charged:
            self._limits.charge(PAGE)
            self._charged = PAGE
            self.slots = DEFAULT_SLOTS

    def _merge(self, source: "Source", odd: int) -> int:
        data = source.take(odd)
        if len(data) < odd:
            # Linux: copy_page_from_iter() came up short: EFAULT and nothing is added.
            raise SyscallError(EFAULT)
        last = self._chunks[-1]
        if type(last) is not bytearray:
            last = self._chunks[-1] = bytearray(last)
        last += data
        self._tail_room -= odd
        self.length += odd
        if self.length > self._charged:
            self._charge()
        return odd

    def _append(self, source: "Source", free: int, is_packet: bool) -> int:
        wanted = min(source.remaining, free * PAGE)
        if self.length + wanted > self._charged:
            self._charge(wanted)
        data = source.take(wanted)
        count = len(data)
        if count < wanted:
            # Linux drops the page that could not be filled: only whole pages before it count.
            count &= -PAGE
            if not count:
                raise Fault
            data = data[:count]
        if is_packet:
            if count <= PAGE:
                self._chunks.append(Packet(data))
            else:
                self._chunks.extend(Packet(data[at : at + PAGE]) for at in range(0, count, PAGE))
            self._tail_room = 0
        else:
            self._chunks.append(data)
            self._tail_room = -count % PAGE
        self._used += (count + PAGE - 1) // PAGE
        self.length += count
        return count

    def _charge(self, more: int = 0) -> None:
        wanted = (self.length + more + 4 * PAGE - 1) // (4 * PAGE) * (4 * PAGE)
        self._limits.charge(wanted - self._charged)
        self._charged = wanted

    def _consume(self, count: int) -> None:
        chunk = self._chunks[0]
        end = self._start + count
        if end == len(chunk):
            self._drop_first(count)
            return
        self._used -= end // PAGE - self._start // PAGE
        self._start = end
        self.length -= count

    def _drop_first(self, count: int) -> None:
        chunk = self._chunks.popleft()
        self._used -= _pages(len(chunk)) - self._start // PAGE
        self._start = 0
        self.length -= count
        if not self._chunks:
            self._tail_room = 0


def _pages(count: int) -> int:
    return (count + PAGE - 1) // PAGE
