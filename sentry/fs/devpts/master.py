"""The master of a pseudo-terminal: what open("/dev/ptmx") gives (pty(7), ioctl_tty(2))."""

from typing import TYPE_CHECKING, Final

from sentry.fs.tty import ioctl
from sentry.fs.tty.terminal import PKT_DOSTOP, PKT_NOSTOP, PKT_START, PKT_STOP
from sentry.vfs.file import FileDescription
from sentry.vfs.readiness import POLLHUP, POLLIN, POLLPRI, READABLE, WRITABLE
from syscalls.abi.errno import EINVAL, EIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_CLOEXEC
from syscalls.abi.ioctl import FIONREAD, TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCPKT, TIOCSIG, TIOCSPTLCK
from syscalls.abi.signal import SIGINT, SIGQUIT, SIGTSTP

if TYPE_CHECKING:
    from sentry.fs.devpts.filesystem import DevPtsFileSystem
    from sentry.fs.tty.terminal import Terminal
    from sentry.kernel.task import Task
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink, Source

_CHUNK: Final = 2048


class MasterFile(FileDescription):
    """Reads what programs write to the terminal, writes what they read (``sentry.fs.tty.terminal.FarSide``)."""

    __slots__ = ("_is_packet", "_pts", "_status", "terminal")

    is_stream = True
    has_async = True

    def __init__(self, inode: "Inode", flags: int, terminal: "Terminal", pts: "DevPtsFileSystem") -> None:
        super().__init__(inode, flags)
        self.terminal = terminal
        self._pts = pts
        self._is_packet = False
        self._status = 0

    def output_changed(self) -> None:
        """See ``FarSide``."""
        self.queue.wake(READABLE)

    def input_drained(self) -> None:
        """See ``FarSide``."""
        self.queue.wake(WRITABLE)

    def slaves_changed(self) -> None:
        """See ``FarSide``."""
        self.queue.wake(READABLE | POLLHUP)

    def notice(self, status: int) -> None:
        """See ``FarSide``."""
        if self._is_packet and status:
            for pair in (PKT_STOP | PKT_START, PKT_DOSTOP | PKT_NOSTOP):  # the later one holds
                if status & pair:
                    self._status &= ~pair
            self._status |= status
            self.queue.wake(READABLE | POLLPRI)

    @property
    def _is_cut_off(self) -> bool:
        """Every program has closed the terminal."""
        return self.terminal.was_opened and self.terminal.slaves == 0

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """The terminal's output, in packet mode after a byte that says so. Errors: EIO when nobody has the terminal open."""
        if not sink.remaining:
            return 0
        if self._status:
            count = sink.put(bytes((self._status,)))
            self._status = 0
            return count
        data = self.terminal.discipline.output.data
        if not data:
            if self._is_cut_off:
                raise SyscallError(EIO)
            return None
        if self._is_packet:
            head = sink.put(b"\0")
            count = sink.put(bytes(data[: sink.remaining])) if sink.remaining else 0
            self.terminal.take_output(count)
            return head + count
        count = sink.put(bytes(data[: sink.remaining]))
        self.terminal.take_output(count)
        return count

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Typed input; whoever opens the terminal next may read it."""
        done = 0
        while source.remaining:
            if self.terminal.has_backlog:
                break
            data = source.take(_CHUNK)
            self.terminal.type(data)
            done += len(data)
        return done if done or not source.remaining else None

    def readiness(self) -> int:
        """poll(2) bits."""
        ready = 0
        if self._status:
            ready |= READABLE | POLLPRI
        if self.terminal.discipline.output.data:
            ready |= READABLE
        if self._is_cut_off:
            ready |= POLLIN | POLLHUP
        if not self.terminal.has_backlog:
            ready |= WRITABLE
        return ready

    def ioctl(self, task: "Task", request: int, argument: int) -> "ioctl.Outcome":  # type: ignore[override]  # may be a coroutine
        """The master's own requests, else those of the terminal. Errors: ENOTTY, EFAULT, EINVAL."""
        memory, terminal = task.memory, self.terminal
        if request == TIOCGPTN:
            memory.write_u32(argument, terminal.number)
        elif request == TIOCSPTLCK:
            terminal.is_locked = memory.read_u32(argument) != 0
        elif request == TIOCGPTLCK:
            memory.write_u32(argument, int(terminal.is_locked))
        elif request == TIOCPKT:
            is_packet = memory.read_u32(argument) != 0
            if is_packet != self._is_packet:
                self._status = 0
            self._is_packet = is_packet
        elif request == TIOCGPKT:
            memory.write_u32(argument, int(self._is_packet))
        elif request == TIOCGPTPEER:
            return self._open_peer(task, argument)
        elif request == TIOCSIG:
            if argument not in (SIGINT, SIGQUIT, SIGTSTP):
                raise SyscallError(EINVAL)
            terminal.signal_foreground(argument)
        elif request == FIONREAD:
            memory.write_u32(argument, len(terminal.discipline.output.data))
        else:
            return ioctl.control(terminal, task, request, argument, is_master=True)
        return 0

    def _open_peer(self, task: "Task", flags: int) -> int:
        """TIOCGPTPEER: a descriptor of the terminal, whatever is mounted over /dev/pts."""
        mount = self.path.mount if self.path is not None else None
        file = self._pts.open_terminal(self.terminal, flags, task, mount)
        return task.fds.install(file, cloexec=bool(flags & O_CLOEXEC))

    def close(self) -> None:
        """The terminal is hung up and its name gone."""
        self.terminal.far = None
        self.terminal.hang_up()
        self._pts.remove(self.terminal)

    def describe(self) -> bytes:
        """A master that was not opened by name."""
        return b"/dev/pts/ptmx"
