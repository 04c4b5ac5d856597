"""The side of a terminal that programs have open: read(2) with VMIN and VTIME, write(2), poll(2)."""

from typing import TYPE_CHECKING, Final

from sentry.fs.tty import ioctl, job_control
from sentry.fs.tty.terminal import OUTPUT_MAX
from sentry.vfs.file import O_NONBLOCK, FileDescription
from sentry.vfs.readiness import POLLERR, POLLHUP, READABLE, WRITABLE
from syscalls.abi.errno import EIO, ENOTTY
from syscalls.abi.errors import SyscallError
from syscalls.abi.ioctl import TIOCSPGRP
from syscalls.abi.signal import SIGTTIN, SIGTTOU
from syscalls.abi.termios import TOSTOP, VMIN, VTIME

if TYPE_CHECKING:
    from sentry.fs.tty.terminal import Terminal
    from sentry.kernel.task import Task
    from sentry.sched.runner import Timer
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink, Source

_NS_PER_DECISECOND: Final = 100_000_000
_CHUNK: Final = 2048


class SlaveFile(FileDescription):
    """An open terminal."""

    __slots__ = ("_bytes_seen", "_deadline_ns", "_reader", "_timer", "_waiting", "terminal")

    is_stream = True
    has_async = True
    has_job_control = True

    def __init__(self, inode: "Inode", flags: int, terminal: "Terminal") -> None:
        super().__init__(inode, flags)
        self.terminal = terminal
        self.queue = terminal.queue
        self._waiting: object = None  # the read that has to wait
        self._reader: object = None  # the read that VTIME is running for
        self._deadline_ns = 0
        self._bytes_seen = 0
        self._timer: Timer | None = None

    def before_read(self, task: "Task") -> None:
        """A background process may not read. Raises Interrupted; errors: EIO."""
        job_control.check(self.terminal, task, SIGTTIN)

    def before_write(self, task: "Task") -> None:
        """Nor write, if TOSTOP says so. Raises Interrupted; errors: EIO."""
        if self.terminal.discipline.modes.lflag & TOSTOP:
            job_control.check(self.terminal, task, SIGTTOU)

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """A line, or what VMIN and VTIME ask for; 0 after a hang-up. Errors: EIO for a read that the hang-up has met waiting."""
        terminal = self.terminal
        discipline = terminal.discipline
        if terminal.is_hung_up:
            if self._waiting is sink:
                raise SyscallError(EIO)
            return 0
        if not sink.remaining:
            return 0
        if not (discipline.has_input if discipline.is_canonical else self._has_enough(sink)):
            if not discipline.is_canonical and self._has_timed_out(sink):
                return 0
            self._waiting = sink
            return None
        self._waiting = self._reader = None
        data, used = discipline.peek(sink.remaining)
        count = sink.put(data) if data else 0
        discipline.consume(used if count == len(data) else count)
        terminal.input_consumed()
        return count

    def _has_enough(self, sink: "Sink") -> bool:
        """Whether a read in non-canonical mode has what it waits for (termios(3), "Canonical and noncanonical mode")."""
        modes = self.terminal.discipline.modes
        available = len(self.terminal.discipline.buffer)
        if not available:
            return False
        if available >= min(max(modes.cc[VMIN], 1), sink.remaining) or self.flags & O_NONBLOCK:
            return True
        return bool(modes.cc[VTIME]) and self._has_timer_passed(sink, available)

    def _has_timed_out(self, sink: "Sink") -> bool:
        """Nothing is there: whether VMIN 0 ends the read."""
        cc = self.terminal.discipline.modes.cc
        if cc[VMIN]:
            return False
        return not cc[VTIME] or (not self.flags & O_NONBLOCK and self._has_timer_passed(sink, 0))

    def _has_timer_passed(self, sink: "Sink", available: int) -> bool:
        """VTIME since this read began, or since the last byte came."""
        runner = self.terminal.kernel.runner
        now = runner.monotonic_ns()
        if self._reader is not sink or self._bytes_seen != available:
            self._reader, self._bytes_seen = sink, available
            self._deadline_ns = now + self.terminal.discipline.modes.cc[VTIME] * _NS_PER_DECISECOND
            self._stop_timer()
            self._timer = runner.call_at(self._deadline_ns, lambda: self.queue.wake(READABLE))
            return False
        if now < self._deadline_ns:
            return False
        self._reader = None
        return True

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Output, as far as the far side has room. Errors: EIO after a hang-up."""
        terminal = self.terminal
        discipline = terminal.discipline
        if terminal.is_hung_up:
            raise SyscallError(EIO)
        done = 0
        while source.remaining:
            room = OUTPUT_MAX - len(discipline.output.data)
            if discipline.is_output_held or room <= 0:
                break
            data = source.take(min(room, _CHUNK))
            discipline.write(data)
            done += len(data)
        if done:
            terminal.output_changed()
        return done if done or not source.remaining else None

    def readiness(self) -> int:
        """poll(2) bits."""
        terminal = self.terminal
        discipline = terminal.discipline
        if terminal.is_hung_up:
            return READABLE | WRITABLE | POLLERR | POLLHUP
        ready = 0
        if discipline.is_canonical:
            has_input = discipline.has_input
        else:
            cc = discipline.modes.cc
            has_input = len(discipline.buffer) >= (cc[VMIN] if cc[VMIN] and not cc[VTIME] else 1)
        if has_input:
            ready |= READABLE
        if not discipline.is_output_held and len(discipline.output.data) < OUTPUT_MAX:
            ready |= WRITABLE
        return ready

    def ioctl(self, task: "Task", request: int, argument: int) -> "ioctl.Outcome":  # type: ignore[override]  # may be a coroutine
        """ioctl_tty(2). Errors: EIO after a hang-up, ENOTTY."""
        if self.terminal.is_hung_up:
            raise SyscallError(ENOTTY if request == TIOCSPGRP else EIO)  # Linux: hung_up_tty_ioctl()
        return ioctl.control(self.terminal, task, request, argument, is_master=False, is_readable=self.is_readable)

    def close(self) -> None:
        """One open file less."""
        self._stop_timer()
        self.terminal.close_slave()

    def describe(self) -> bytes:
        """A terminal that was never found by name."""
        return b"/dev/pts/%d" % self.terminal.number
