"""A terminal: a line discipline, the session that it controls, and its two sides (tty(4), pty(7), credentials(7)).

The near side are the files that programs of the sandbox have open (``SlaveFile``); the far side is the master of a
pseudo-terminal or the caller's own terminal, and hears of output through ``far``.
"""

from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakSet

from sentry.fs.tty.line_discipline import LineDiscipline
from sentry.kernel.creds import CAP_SYS_ADMIN
from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.mount import make_dev
from sentry.vfs.readiness import POLLHUP, READABLE, WRITABLE
from syscalls.abi.errno import EBUSY, EIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ACCMODE, O_NOCTTY, O_WRONLY
from syscalls.abi.signal import SIGCONT, SIGHUP, SIGWINCH
from syscalls.abi.termios import EXTPROC, IXON, VSTART, VSTOP

if TYPE_CHECKING:
    from sentry.fs.tty.slave import SlaveFile
    from sentry.fs.tty.termios import Termios
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.session import ProcessGroup, Session
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.vfs.inode import Inode

PTS_MAJOR: Final = 136
#: how much output waits for the far side before writers do
OUTPUT_MAX: Final = 8192

# what a master in packet mode is told (ioctl_tty(2), TIOCPKT)
PKT_FLUSHREAD, PKT_FLUSHWRITE, PKT_STOP, PKT_START, PKT_NOSTOP, PKT_DOSTOP, PKT_IOCTL = 1, 2, 4, 8, 16, 32, 64


class FarSide(Protocol):
    """Who shows the output and types the input."""

    def output_changed(self) -> None:
        """There is output, or none any more."""

    def input_drained(self) -> None:
        """Input that had to wait was taken."""

    def notice(self, status: int) -> None:
        """PKT_* bits."""

    def slaves_changed(self) -> None:
        """The first program has opened the terminal, or the last has closed it."""


class Terminal:
    """``number`` is N of /dev/pts/N. ``session`` and ``foreground`` are None while it controls nobody."""

    def __init__(self, kernel: "Kernel", number: int) -> None:
        self.kernel = kernel
        self.number = number
        self.discipline = LineDiscipline()
        self.queue = WaitQueue()
        self.far: FarSide | None = None
        self.session: Session | None = None
        self.foreground: ProcessGroup | None = None
        #: processes that have given their controlling terminal up (TIOCNOTTY)
        self.deserters: WeakSet[ThreadGroup] = WeakSet()
        self.window = (0, 0, 0, 0)  # rows, columns, pixels
        self.slaves = 0
        self.was_opened = False
        self.is_locked = False
        self.is_exclusive = False
        self.is_hung_up = False
        self.is_console = False
        self._backlog = bytearray()

    @property
    def number_encoded(self) -> int:
        """Its device number (tty_nr of /proc/PID/stat)."""
        return make_dev(PTS_MAJOR, self.number)

    # The near side

    def open_slave(self, inode: "Inode", flags: int, task: "Task | None") -> "SlaveFile":
        """Open the terminal; a session leader without one gets it. Errors: EIO hung up or locked, EBUSY (TIOCEXCL)."""
        from sentry.fs.tty.slave import SlaveFile

        if self.is_hung_up or self.is_locked:
            raise SyscallError(EIO)
        if self.is_exclusive and task is not None and not task.credentials.has(CAP_SYS_ADMIN):
            raise SyscallError(EBUSY)
        file = SlaveFile(inode, flags, self)
        self.slaves += 1
        if not self.was_opened or self.slaves == 1:
            self.was_opened = True
            if self.far is not None:
                self.far.slaves_changed()
        if task is not None and not flags & O_NOCTTY and flags & O_ACCMODE != O_WRONLY:
            self._adopt_leader(task)
        return file

    def close_slave(self) -> None:
        """One open file less."""
        self.slaves -= 1
        if self.slaves == 0:
            self.is_exclusive = False
            if self.far is not None:
                self.far.slaves_changed()

    def _adopt_leader(self, task: "Task") -> None:
        session = task.group.process_group.session
        if session.leader is task.group and session.terminal is None and self.session is None:
            self.become_controlling(session, task.group.process_group)

    # The far side

    @property
    def has_backlog(self) -> bool:
        """Whether input waits for a reader to make room."""
        return bool(self._backlog)

    def type(self, data: bytes) -> int:
        """Input from the far side; returns how much was taken, 0 while earlier input still waits for a reader."""
        if self._backlog:
            return 0
        done = self.discipline.receive(data)
        self._backlog += data[done:]
        self._input_changed()
        return len(data)

    def input_consumed(self) -> None:
        """A reader has made room."""
        if self._backlog:
            done = self.discipline.receive(bytes(self._backlog))
            if done:
                del self._backlog[:done]
                self._input_changed()
            if not self._backlog and self.far is not None:
                self.far.input_drained()

    def drop_backlog(self) -> None:
        """Forget input that has not reached the line discipline yet."""
        if self._backlog:
            self._backlog.clear()
            if self.far is not None:
                self.far.input_drained()

    def take_output(self, length: int) -> bytes:
        """Up to ``length`` bytes for the far side; writers may go on."""
        data = self.discipline.output.data
        part = bytes(data[:length])
        del data[:length]
        if part:
            self.queue.wake(WRITABLE)
        return part

    def _input_changed(self) -> None:
        discipline = self.discipline
        if discipline.signals:
            signals, discipline.signals = discipline.signals, []
            for signal in signals:
                self.signal_foreground(signal)
        if discipline.was_flushed:
            discipline.was_flushed = False
            if self.far is not None:
                self.far.notice(PKT_FLUSHREAD | PKT_FLUSHWRITE)
        self.queue.wake(READABLE | WRITABLE)
        self.output_changed()

    def output_changed(self) -> None:
        """Tell the far side."""
        if self.far is not None and self.discipline.output.data:
            self.far.output_changed()

    # Modes

    def set_modes(self, modes: "Termios") -> None:
        """tcsetattr(3)."""
        old = self.discipline.modes
        had_flow = _has_usual_flow(old)
        self.discipline.set_modes(modes)
        if self.far is not None and _has_usual_flow(modes) != had_flow:
            self.far.notice(PKT_DOSTOP if _has_usual_flow(modes) else PKT_NOSTOP)
        if self.far is not None and (old.lflag | modes.lflag) & EXTPROC:
            self.far.notice(PKT_IOCTL)
        self.queue.wake(READABLE | WRITABLE)
        self.output_changed()

    def set_flow(self, *, stopped: bool) -> None:
        """tcflow(3)."""
        self.discipline.set_flow(stopped=stopped)
        if self.far is not None:
            self.far.notice(PKT_STOP if stopped else PKT_START)
        self.queue.wake(WRITABLE)
        self.output_changed()

    def set_window(self, window: tuple[int, int, int, int]) -> None:
        """TIOCSWINSZ: the foreground hears of a change."""
        if window != self.window:
            self.window = window
            self.signal_foreground(SIGWINCH)

    # Sessions

    def become_controlling(self, session: "Session", foreground: "ProcessGroup | None" = None) -> None:
        """Make this the controlling terminal of ``session``."""
        if foreground is None:
            foreground = session.leader.process_group if session.leader is not None else None
        self.session, self.foreground = session, foreground
        session.terminal = self
        self.deserters.clear()

    def disassociate(self) -> None:
        """The session is gone or has lost its terminal."""
        session, self.session, self.foreground = self.session, None, None
        if session is not None and session.terminal is self:
            session.terminal = None

    def signal_foreground(self, signal: int) -> None:
        """A signal for the foreground process group, if there is one."""
        if self.foreground is not None:
            self.kernel.signals.send_process_group(self.foreground, signal)

    def hang_up(self) -> None:
        """The far side is gone for good: every open file is dead, the session leader is told (Linux: __tty_hangup())."""
        if self.is_hung_up:
            return
        self.is_hung_up = True
        session = self.session
        if session is not None and session.leader is not None:
            self.kernel.signals.send_group(session.leader, SIGHUP)
            self.kernel.signals.send_group(session.leader, SIGCONT)
        self.disassociate()
        self.discipline.flush_input()
        self._backlog.clear()
        self.queue.wake(READABLE | WRITABLE | POLLHUP)


def _has_usual_flow(modes: "Termios") -> bool:
    """Whether the far side may do flow control itself (ioctl_tty(2), TIOCPKT_DOSTOP)."""
    return bool(modes.iflag & IXON) and modes.cc[VSTART] == 0o21 and modes.cc[VSTOP] == 0o23
