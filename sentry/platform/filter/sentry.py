"""The sentry's own filter: every host call that it may make once the sandbox runs, with the reason.

Installed by ``confine`` as the last start step. Anything else answers EPERM, which is our bug and stops the sandbox; programs and
foreign entry points are death. The list serves the Python interpreter, the event loop, the platform, and the files that the gofer
donates. openat cannot be narrowed here (a filter sees no strings): the sentry runs as an ordinary user without capabilities.
"""

from dataclasses import dataclass
from typing import Final

from sentry.platform.filter import bpf
from sentry.platform.filter.bpf import Instruction, Program
from syscalls.abi.nr_x86_64 import NUMBERS

_EPERM = bpf.RET_ERRNO | 1
_PROT_EXEC = 4
_SECCOMP_IOCTL_TYPE, _IOCTL_TYPE_MASK = 0x2100, 0xFF00
_NSFS_IOCTL_TYPE = 0xB700
# TCGETS TCSETS TCSETSW TCSETSF TCFLSH TIOCGWINSZ TIOCSWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX.
# Not TIOCSTI, which types for the user.
_TTY_IOCTLS = (0x5401, 0x5402, 0x5403, 0x5404, 0x540B, 0x5413, 0x5414, 0x541B, 0x5421, 0x5450, 0x5451)


@dataclass(frozen=True)
class Call:
    """A call that is allowed; ``masked`` = (argument, mask, values): the masked low half must be one of the values.

    ``exact``: values that the whole low half may have instead.
    """

    name: str
    reason: str
    condition: str = ""
    masked: tuple[int, int, tuple[int, ...]] | None = None
    exact: tuple[int, ...] = ()


def _calls(names: str, reason: str) -> tuple[Call, ...]:
    return tuple(Call(name, reason) for name in names.split())


CALLS: Final[tuple[Call, ...]] = (
    # The event loop comes first: its rules with arguments are on the hot path.
    Call(
        "ioctl",
        "seccomp notifications, pid translation, terminals handed in by the caller",
        "requests of the seccomp and nsfs families; terminal modes and sizes, FIONREAD, FIONBIO, FIOCLEX",
        (1, _IOCTL_TYPE_MASK, (_SECCOMP_IOCTL_TYPE, _NSFS_IOCTL_TYPE)),
        _TTY_IOCTLS,
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
    *_calls("openat getdents64", "/proc of a guest, Python's late imports, files of an overlay on disk"),
    *_calls("unlinkat", "files of an overlay on disk"),
    *_calls("memfd_create", "file data of tmpfs and overlay, load requests"),
    *_calls("sendmsg recvmsg sendto recvfrom getsockopt setsockopt", "control socket, gofer, spawner"),
    Call("socketpair", "the spawner's answer", "UNIX sockets only", (0, 0xFFFFFFFF, (1,))),
    *_calls("shutdown getsockname getpeername", "control socket"),
    *_calls("pipe2 eventfd2 timerfd_create timerfd_settime signalfd4", "wake-ups of the event loop"),
    Call("mmap", "the interpreter's memory", "nothing executable", (2, _PROT_EXEC, (0,))),
    Call("mprotect", "the interpreter's memory", "nothing executable", (2, _PROT_EXEC, (0,))),
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

#: Never answered, always death: what a taken-over sentry would try first.
KILLED: Final = ("execve", "execveat", "init_module", "finit_module", "bpf", "io_uring_setup", "kexec_load", "mount")


def program() -> Program:
    """Return the filter."""
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
    for call in CALLS:
        body = [Instruction(bpf.RET, bpf.RET_ALLOW)]
        if call.masked is not None:
            argument, mask, values = call.masked
            body = [Instruction(bpf.LD_ABS, bpf.argument_low(argument))]
            for value in call.exact:
                body += [Instruction(bpf.JEQ, value, 0, 1), Instruction(bpf.RET, bpf.RET_ALLOW)]
            body.append(Instruction(bpf.AND, mask))
            for value in values:
                body += [Instruction(bpf.JEQ, value, 0, 1), Instruction(bpf.RET, bpf.RET_ALLOW)]
            body.append(Instruction(bpf.RET, _EPERM))
        result += [Instruction(bpf.JEQ, NUMBERS[call.name], 0, len(body)), *body]
    result.append(Instruction(bpf.RET, _EPERM))
    return result
