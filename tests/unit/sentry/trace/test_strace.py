"""strace-like lines: decoded arguments, results, calls that wait and calls that end with their task."""

from types import SimpleNamespace
from typing import Any

import pytest

from sentry.sched.wait import Interrupted
from sentry.trace import flag_names
from sentry.trace.strace import Strace
from syscalls.abi.errno import ENOENT
from syscalls.abi.errors import Fault, SyscallError
from syscalls.args import PROCEED, Fd, Flags, Mode, PathPtr, Signal, Size, UInt, UserPtr
from syscalls.decode import Argument

MEMORY = {0x1000: b"/etc/pass\twd\0", 0x2000: b'hello "world"\n' * 20}


class Memory:
    def read_string(self, addr: int, limit: int) -> bytes:
        if addr not in MEMORY:
            raise Fault
        return MEMORY[addr].split(b"\0")[0]

    def read_partial(self, addr: int, length: int) -> bytes:
        return MEMORY.get(addr, b"")[:length]


TASK: Any = SimpleNamespace(tid=7, memory=SimpleNamespace(guest=Memory()))


def entry(name: str, **arguments: Any) -> Any:
    listed = tuple(Argument(word, getattr(kind, "__metadata__", (kind,))[0]) for word, kind in arguments.items())
    return SimpleNamespace(name=name, arguments=listed)


def run(call: Any, record: Any, *registers: int) -> list[str]:
    lines: list[str] = []
    traced = Strace(lines.append).trace(record, call)
    try:
        traced(TASK, *registers, *[0] * (6 - len(registers)))
    except SyscallError:
        lines.append("raised")
    return lines


OPENAT = entry("openat", dirfd=Fd, pathname=PathPtr, flags=UInt, mode=Mode)


def test_arguments_are_decoded() -> None:
    registers = ((1 << 64) - 100, 0x1000, 0o2000101, 0o644)
    assert run(lambda *_: 3, OPENAT, *registers) == [
        '[7] openat(AT_FDCWD, "/etc/pass\\twd", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = 3'
    ]


def test_errors_have_names_and_go_on() -> None:
    def fails(*_: object) -> int:
        raise SyscallError(ENOENT)

    assert run(fails, OPENAT, 5, 0x1000, 0, 0) == ['[7] openat(5, "/etc/pass\\twd", O_RDONLY) = -1 ENOENT', "raised"]
    assert run(lambda *_: -ENOENT, entry("getpid"))[0].endswith("= -1 ENOENT")


def test_bad_addresses_are_shown_as_numbers() -> None:
    assert run(lambda *_: 0, entry("chdir", path=PathPtr), 0x66) == ["[7] chdir(0x66) = 0"]
    assert run(lambda *_: 0, entry("chdir", path=PathPtr), 0) == ["[7] chdir(NULL) = 0"]


def test_data_that_is_written_and_read_is_shown() -> None:
    write = entry("write", fd=Fd, buf=UserPtr, count=Size)
    assert run(lambda *_: 5, write, 1, 0x2000, 5) == ['[7] write(1, "hello", 5) = 5']
    read = entry("read", fd=Fd, buf=UserPtr, count=Size)
    assert run(lambda *_: 7, read, 0, 0x2000, 100) == ['[7] read(0, "hello \\"", 100) = 7']
    assert run(lambda *_: -4, read, 0, 0x2000, 100) == ["[7] read(0, 0x2000, 100) = -1 EINTR"]


def test_long_data_is_cut() -> None:
    line = run(lambda *_: 280, entry("write", fd=Fd, buf=UserPtr, count=Size), 1, 0x2000, 280)[0]
    assert '"..., 280)' in line
    assert len(line) < 150


def test_flags_signals_and_constants() -> None:
    assert run(lambda *_: 4, entry("eventfd2", initval=UInt, flags=Flags("EFD", 0o2004001)), 1, 0o2000001) == [
        "[7] eventfd2(1, EFD_SEMAPHORE|EFD_CLOEXEC) = 4"
    ]
    assert run(lambda *_: PROCEED, entry("kill", pid=Fd, sig=Signal), 1, 15) == ["[7] kill(1, SIGTERM) = ? (run by the host)"]
    assert run(lambda *_: 0, entry("lseek", fd=Fd, whence=UInt), 1, 2) == ["[7] lseek(1, SEEK_END) = 0"]


def test_unknown_bits_are_hexadecimal() -> None:
    assert flag_names.flags("EFD", 0x40000001) == "EFD_SEMAPHORE|0x40000000"
    assert flag_names.constant("SEEK", 77) == "77"


@pytest.mark.parametrize(
    ("error", "text"),
    [(None, "= 9"), (SyscallError(ENOENT), "= -1 ENOENT"), (Interrupted(), "= ? ERESTART (<Restart.SYS: 512>)")],
)
def test_a_call_that_waits_is_printed_at_its_end(error: BaseException | None, text: str) -> None:
    async def waits(*_: object) -> int:
        if error is not None:
            raise error
        return 9

    lines: list[str] = []
    strace = Strace(lines.append)
    coro = strace.trace(entry("pause"), waits)(TASK, *[0] * 6)
    assert not lines
    assert strace.pending == {7: "pause()"}
    with pytest.raises((StopIteration, SyscallError, Interrupted)):
        coro.send(None)
    assert lines == [f"[7] pause() {text}"]


def test_the_end_of_a_task_shows_what_it_did() -> None:
    lines: list[str] = []
    strace = Strace(lines.append)
    strace.on_enter(TASK, entry("pause"), [0] * 6)
    strace.ended(TASK, 9)
    strace.ended(TASK, 3 << 8)
    assert lines == ["[7] pause() <unfinished ...>", "[7] +++ killed by SIGKILL +++", "[7] +++ exited with 3 +++"]
