"""strace-like lines: one per call, with its arguments decoded by the table's own records and its result.

A subscriber: the kernel does not know it. ``trace`` wraps the callables of a dispatch table; while tracing is off nothing is
wrapped and nothing costs. A call that waits is printed when it ends; ``pending`` holds the text of those that have not.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sentry.sched.wait import Interrupted
from sentry.trace import flag_names
from syscalls.abi import errno as errnos
from syscalls.abi import signal as signals
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, O_CREAT

if TYPE_CHECKING:
    from sentry.kernel.task import Task

#: bytes of data shown, as strace -s 32
TEXT_MAX = 32
_PATH_SHOWN = 256
_PATH_MAX = 4096
_Call = Callable[..., Any]

#: constants and flags whose kind says only "number": (call or "", argument) to prefix, "=" for a single value
_PREFIXES = {
    ("open", "flags"): "O",
    ("openat", "flags"): "O",
    ("fcntl", "cmd"): "=F",
    ("mmap", "prot"): "PROT",
    ("mmap", "flags"): "MAP",
    ("mprotect", "prot"): "PROT",
    ("madvise", "advice"): "=MADV",
    ("fadvise64", "advice"): "=POSIX_FADV",
    ("faccessat2", "flags"): "AT",
    ("lseek", "whence"): "=SEEK",
    ("ioctl", "request"): "=T",
    ("socket", "domain"): "=AF",
    ("socketpair", "domain"): "=AF",
    ("prctl", "option"): "=PR",
    ("epoll_ctl", "op"): "=EPOLL_CTL",
    ("clone", "flags"): "CLONE",
    ("newfstatat", "flags"): "AT",
    ("statx", "flags"): "AT",
    ("unlinkat", "flags"): "AT",
    ("wait4", "options"): "W",
    ("waitid", "options"): "W",
    ("setitimer", "which"): "=ITIMER",
    ("prlimit64", "resource"): "=RLIMIT",
    ("getrlimit", "resource"): "=RLIMIT",
    ("setrlimit", "resource"): "=RLIMIT",
    ("mount", "mountflags"): "MS",
    ("mount", "flags"): "MS",
}
#: calls whose buffer is worth showing: before the call (what is written) or after it (what was read)
_OPENS = frozenset(("open", "openat"))
_EXECS = frozenset(("execve", "execveat"))
_ACCESSES = frozenset(("access", "faccessat", "faccessat2"))
_MAPS = frozenset(("mmap", "brk", "mremap"))
_WORDS_MAX = 32
_ESCAPES = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_WRITES = frozenset(("write", "pwrite64", "sendto"))
READS = frozenset(("read", "pread64", "recvfrom", "readlink", "readlinkat", "getcwd"))


class Kind(Protocol):
    """What tracing needs of ``syscalls.args.Kind``."""

    name: str
    bits: int
    is_signed: bool


class Argument(Protocol):
    """``syscalls.decode.Argument``."""

    @property
    def name(self) -> str:
        """The man page's name."""

    @property
    def kind(self) -> Any:
        """A ``Kind``; flags have a ``prefix`` too."""


class Entry(Protocol):
    """``syscalls.registry.Entry``."""

    @property
    def name(self) -> str:
        """The call's name."""

    @property
    def arguments(self) -> Sequence[Argument]:
        """Its arguments in order."""


class Strace:
    """Formats calls and hands the lines, without a newline, to ``write``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        #: what each task is doing now
        self.pending: dict[int, str] = {}

    def trace(self, entry: Entry, call: _Call) -> _Call:
        """Return ``call`` with a line printed for each use."""

        def traced(task: "Task", *registers: int) -> Any:
            self.on_enter(task, entry, registers)
            try:
                result = call(task, *registers)
            except SyscallError as error:
                self.on_exit(task, entry, registers, -error.errno)
                raise
            if isinstance(result, Coroutine):
                return self._follow(task, entry, registers, result)
            self.on_exit(task, entry, registers, result)
            return result

        return traced

    def on_enter(self, task: "Task", entry: Entry, registers: Sequence[int]) -> None:
        """Read what must be read before the call changes it."""
        self.pending[task.tid] = self.describe(task, entry, registers)

    def describe(self, task: "Task", entry: Entry, registers: Sequence[int]) -> str:
        """The call with its arguments."""
        return f"{entry.name}({', '.join(arguments_of(task, entry, registers, has_run=False))})"

    def on_exit(self, task: "Task", entry: Entry, registers: Sequence[int], result: object) -> None:
        """Print the line. ``result`` is a number, or something else when the host answers in the sentry's place."""
        text = self.pending.pop(task.tid, entry.name)
        if entry.name in READS and isinstance(result, int) and result >= 0:
            text = f"{entry.name}({', '.join(arguments_of(task, entry, registers, has_run=True, length=result))})"
        self._write(f"[{task.tid}] {text} = {_result(entry, result)}")

    def on_exec(self, task: "Task", entry: Entry, registers: Sequence[int]) -> None:
        """A program is about to be executed."""
        self._write(f"[{task.tid}] {self.describe(task, entry, registers)}")

    def on_signal(self, task: "Task", signal: int) -> None:
        """A signal is delivered."""
        self._write(f"[{task.tid}] --- {signals.name(signal)} ---")

    def on_network(self, decision: dict[str, Any]) -> None:
        """The egress policy has decided (``sentry/boot/egress.py``)."""
        to = f"{decision['address']}:{decision['port']}" if "port" in decision else decision["address"]
        name = f" {decision['name']}" if "name" in decision else ""
        self._write(f"[network] {decision['protocol']} {to}{name} {decision['verdict']} ({decision['reason']})")

    def ended(self, task: "Task", wait_status: int) -> None:
        """The task is gone; what it was doing is shown as unfinished."""
        text = self.pending.pop(task.tid, None)
        if text is not None:
            self._write(f"[{task.tid}] {text} <unfinished ...>")
        signal = wait_status & 0x7F
        how = f"killed by {signals.name(signal)}" if signal else f"exited with {wait_status >> 8 & 0xFF}"
        self._write(f"[{task.tid}] +++ {how} +++")

    async def _follow(self, task: "Task", entry: Entry, registers: Sequence[int], coro: Coroutine[Any, Any, Any]) -> Any:
        try:
            result = await coro
        except SyscallError as error:
            self.on_exit(task, entry, registers, -error.errno)
            raise
        except Interrupted as interruption:
            self.on_exit(task, entry, registers, interruption.restart)
            raise
        self.on_exit(task, entry, registers, result)
        return result


def arguments_of(task: "Task", entry: Entry, registers: Sequence[int], *, has_run: bool, length: int = 0) -> list[str]:
    """The arguments as text; ``has_run``: the call has put ``length`` bytes into its buffer."""
    words: list[str] = []
    for position, argument in enumerate(entry.arguments):
        register = registers[position]
        if argument.name == "mode" and entry.name in _OPENS and not registers[position - 1] & O_CREAT:
            break
        if argument.name == "buf" and entry.name in _WRITES:
            words.append(_data(task, register, registers[position + 1]))
        elif argument.name == "buf" and has_run:
            words.append(_data(task, register, length))
        else:
            words.append(_argument(task, entry, argument, register))
    return words


def _argument(task: "Task", entry: Entry, argument: Argument, register: int) -> str:
    kind = argument.kind
    value = _value(kind, register)
    if kind.name == "path":
        return _path(task, register)
    if kind.name == "ptr":
        if argument.name == "argv" and entry.name in _EXECS:
            return _words(task, register)
        return hex(register) if register else "NULL"
    if argument.name == "mode" and entry.name in _ACCESSES:
        return flag_names.access(value)
    if entry.name in _MAPS and argument.name == "addr" and not value:
        return "NULL"
    if kind.name == "signal":
        return signals.name(value)
    if kind.name == "mode":
        return f"0{value:o}" if value else "0"
    if kind.name == "fd" and value == AT_FDCWD:
        return "AT_FDCWD"
    prefix = getattr(kind, "prefix", "") or _PREFIXES.get((entry.name, argument.name), "")
    if prefix.startswith("="):
        return flag_names.constant(prefix[1:], value)
    if prefix == "O" and not value & 3:
        return "|".join(["O_RDONLY", *([flag_names.flags("O", value)] if value else [])])
    if prefix:
        return flag_names.flags(prefix, value)
    return hex(value) if kind.name == "ulong" and value > TEXT_MAX << 10 else str(value)


def _value(kind: Kind, register: int) -> int:
    mask = (1 << kind.bits) - 1
    value = register & mask
    return value - mask - 1 if kind.is_signed and value >> (kind.bits - 1) else value


def _words(task: "Task", addr: int) -> str:
    """An argument vector, as far as it can be read."""
    words: list[str] = []
    try:
        while len(words) < _WORDS_MAX:
            pointer = task.memory.read_u64(addr + 8 * len(words))
            if not pointer:
                return f"[{', '.join(words)}]"
            words.append(_path(task, pointer))
    except SyscallError:
        return hex(addr) if addr else "NULL"
    return f"[{', '.join(words)}, ...]"


def _path(task: "Task", addr: int) -> str:
    if not addr:
        return "NULL"
    try:
        text = task.memory.guest.read_string(addr, _PATH_MAX)
    except SyscallError:
        return hex(addr)
    return hex(addr) if text is None else _quote(text, _PATH_SHOWN)


def _data(task: "Task", addr: int, length: int) -> str:
    try:
        data = task.memory.guest.read_partial(addr, min(length, TEXT_MAX))
    except SyscallError:
        data = b""
    if not data and length:
        return hex(addr)
    return _quote(data, TEXT_MAX) + ("..." if length > len(data) else "")


def _quote(text: bytes, limit: int) -> str:
    shown = []
    for position, octet in enumerate(text[:limit]):
        known = _ESCAPES.get(octet)
        if known is None and 32 <= octet < 127:
            known = chr(octet)
        elif known is None:
            is_followed_by_digit = text[position + 1 : position + 2].isdigit()
            known = f"\\{octet:03o}" if is_followed_by_digit else f"\\{octet:o}"
        shown.append(known)
    return f'"{"".join(shown)}"' + ("..." if len(text) > limit else "")


def _result(entry: Entry, result: object) -> str:
    if not isinstance(result, int):
        return "? (run by the host)"
    if isinstance(result, bool) or result >= 0:
        if type(result) is not int:
            return f"? ERESTART ({result!r})"
        return hex(result) if entry.name in ("mmap", "brk", "mremap", "shmat") else str(result)
    return f"-1 {errnos.name(-result)}"
