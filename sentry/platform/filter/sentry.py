"""The sentry's own filter: every host call that it may make once the sandbox runs, with the reason.

Installed by ``confine`` as the last start step. Anything else answers EPERM, which is our bug and stops the sandbox; programs and
foreign entry points are death. The list serves the Python interpreter, the event loop, the platform, and the files that the gofer
donates. A filter sees no strings, so openat may read what the caller may read; it writes nothing that was there before.
"""

import os
from dataclasses import dataclass
from typing import Final

from sentry.platform.filter import bpf
from sentry.platform.filter.bpf import Instruction, Program
from syscalls.abi.nr_x86_64 import NUMBERS

_EPERM = bpf.RET_ERRNO | 1
_WHOLE = 0xFFFFFFFF
_PROT_EXEC = 4
_NEW_FILE, _UNNAMED_FILE = os.O_CREAT | os.O_EXCL, os.O_TMPFILE
_READING = (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_TMPFILE & ~os.O_DIRECTORY, os.O_RDONLY)
_SECCOMP_IOCTL_TYPE, _IOCTL_TYPE_MASK = 0x2100, 0xFF00
_NSFS_IOCTL_TYPE = 0xB700
# TCGETS TCSETS TCSETSW TCSETSF TCFLSH TIOCGWINSZ TIOCSWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX.
# Not TIOCSTI, which types for the user.
_TTY_IOCTLS = (0x5401, 0x5402, 0x5403, 0x5404, 0x540B, 0x5413, 0x5414, 0x541B, 0x5421, 0x5450, 0x5451)


@dataclass(frozen=True)
class Call:
    """A call that is allowed; ``masked`` = (argument, pairs): the masked low half must equal one pair (mask, value)."""

    name: str
    reason: str
    condition: str = ""
    masked: tuple[int, tuple[tuple[int, int], ...]] | None = None


def _calls(names: str, reason: str) -> tuple[Call, ...]:
    return tuple(Call(name, reason) for name in names.split())


CALLS: Final[tuple[Call, ...]] = (
    # The event loop comes first: its rules with arguments are on the hot path.
    Call(
        "ioctl",
        "seccomp notifications, pid translation, terminals handed in by the caller",
        "requests of the seccomp and nsfs families; terminal modes and sizes, FIONREAD, FIONBIO, FIOCLEX",
        (
            1,
            (
                (_IOCTL_TYPE_MASK, _SECCOMP_IOCTL_TYPE),
                *((_WHOLE, request) for request in _TTY_IOCTLS),
                (_IOCTL_TYPE_MASK, _NSFS_IOCTL_TYPE),
            ),
        ),
    ),
    *_calls("ppoll poll epoll_wait epoll_pwait epoll_ctl epoll_create1 select pselect6", "the event loop waits"),
    *_calls("process_vm_readv process_vm_writev", "guest memory, with the guest's own page protections"),
    *_calls("wait4 waitid", "collects the guests' ptrace events"),
    *_calls("ptrace", "guests only: the sentry may trace nothing but its own descendants of the same user"),
    *_calls("kill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal pidfd_open", "signals to guests"),
    *_calls("prlimit64", "the host's limits of a guest follow the sentry's"),
    *_calls("read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2", "donated files, streams, control socket"),
    *_calls("lseek close close_range dup dup3 fcntl ftruncate fallocate fsync fdatasync", "donated files and memory files"),
    *_calls("copy_file_range sendfile splice", "moves data between donated files"),
    *_calls("fstat newfstatat statx fstatfs readlink readlinkat", "kinds of descriptors, /proc of a guest, imports"),
    Call("openat", "/proc of a guest, Python's late imports", "reading, of files that are there", (2, (_READING,))),
    *_calls("getdents64", "/proc of a guest, Python's late imports"),
    *_calls("memfd_create", "file data of tmpfs and overlay, load requests"),
    *_calls("sendmsg recvmsg getsockopt setsockopt", "control socket, gofer, spawner"),
    Call("sendto", "control socket, gofer, frames over the sandbox's link", "no address", (4, ((_WHOLE, 0),))),
    Call("recvfrom", "control socket, frames over the sandbox's link", "no address is asked for", (4, ((_WHOLE, 0),))),
    Call("socketpair", "the spawner's answer", "UNIX sockets only", (0, ((_WHOLE, 1),))),
    *_calls("shutdown getsockname getpeername", "control socket"),
    *_calls("pipe2 eventfd2 timerfd_create timerfd_settime signalfd4", "wake-ups of the event loop"),
    Call("mmap", "the interpreter's memory", "nothing executable", (2, ((_PROT_EXEC, 0),))),
    Call("mprotect", "the interpreter's memory", "nothing executable", (2, ((_PROT_EXEC, 0),))),
    *_calls("munmap mremap brk madvise", "the interpreter's memory"),
    *_calls("futex sched_yield sched_getaffinity getcpu membarrier", "the interpreter's locks"),
    *_calls("rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall", "the interpreter's signal handling"),
    *_calls("clock_gettime clock_getres gettimeofday time clock_nanosleep nanosleep", "clocks"),
    *_calls("sched_setaffinity", "wakes a guest on the sentry's own processor"),
    *_calls("getrandom", "random bytes"),
    *_calls("getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups", "its own identity"),
    *_calls("getrusage times sysinfo uname", "accounting and information for /proc"),
    *_calls("getcwd", "Python's imports"),
    *_calls("exit exit_group", "the end"),
)

#: Needed as well where the overlay lies on disk: its files are made there and have no names (open(2), O_TMPFILE; else unlinked).
OVERLAY_CALLS: Final[tuple[Call, ...]] = (
    Call(
        "openat",
        "files of an overlay on disk (--overlay DIR)",
        "making a file that was not there",
        (2, ((_NEW_FILE, _NEW_FILE), (_UNNAMED_FILE, _UNNAMED_FILE))),
    ),
    *_calls("unlinkat", "files of an overlay on disk (--overlay DIR)"),
)

#: Needed as well where the host forbids process_vm_writev.
MEMORY_FILE_CALLS: Final[tuple[Call, ...]] = (
    Call(
        "openat",
        "/proc/PID/mem of a guest, where the host forbids process_vm_writev",
        "reading and writing, of files that are there",
        (2, ((_READING[0], os.O_RDWR),)),
    ),
)

#: Never answered, always death: what a taken-over sentry would try first.
KILLED: Final = ("execve", "execveat", "init_module", "finit_module", "bpf", "io_uring_setup", "kexec_load", "mount")


def program(*, has_overlay_on_disk: bool, has_memory_files: bool = False) -> Program:
    """Return the filter; what the two conditions ask for is allowed with them only."""
    result: Program = [
        Instruction(bpf.LD_ABS, bpf.ARCH),
        Instruction(bpf.JEQ, bpf.AUDIT_ARCH_X86_64, 1, 0),
        Instruction(bpf.RET, bpf.RET_KILL_PROCESS),
        Instruction(bpf.LD_ABS, bpf.NR),
        Instruction(bpf.JGE, 0x40000000, 0, 1),
        Instruction(bpf.RET, bpf.RET_KILL_PROCESS),
    ]
    for name in KILLED:
        result += [Instruction(bpf.JEQ, NUMBERS[name], 0, 1), Instruction(bpf.RET, bpf.RET_KILL_PROCESS)]
    by_name: dict[str, list[Call]] = {}
    optional = (OVERLAY_CALLS if has_overlay_on_disk else ()) + (MEMORY_FILE_CALLS if has_memory_files else ())
    for call in CALLS + optional:
        by_name.setdefault(call.name, []).append(call)
    for name, calls in by_name.items():
        body = _body(calls)
        result += [Instruction(bpf.JEQ, NUMBERS[name], 0, len(body)), *body]
    result.append(Instruction(bpf.RET, _EPERM))
    return result


def _body(calls: list[Call]) -> Program:
    """What answers one number: allowed if the condition of one of ``calls`` holds."""
    body: Program = []
    for call in calls:
        if call.masked is None:
            return [Instruction(bpf.RET, bpf.RET_ALLOW)]
        argument, pairs = call.masked
        for mask, value in pairs:
            body.append(Instruction(bpf.LD_ABS, bpf.argument_low(argument)))
            if mask != _WHOLE:
                body.append(Instruction(bpf.AND, mask))
            body += [Instruction(bpf.JEQ, value, 0, 1), Instruction(bpf.RET, bpf.RET_ALLOW)]
    return [*body, Instruction(bpf.RET, _EPERM)]
