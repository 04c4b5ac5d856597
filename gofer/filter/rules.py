"""Every host call the gofer may make once it serves, and why. ``filter/build.py`` compiles it; host-surface prints it.

An argument test is (index, operation, value[, masked value]): ``eq``, or ``masked`` (argument & value == third).
"""

O_ACCMODE, O_CREAT, O_TRUNC = 0o3, 0o100, 0o1000
_READ_ONLY_OPEN = ((2, "masked", O_ACCMODE | O_CREAT | O_TRUNC, 0),)
_ANONYMOUS = ((2, "masked", ~0x3 & 0xFFFFFFFF, 0), (3, "masked", 0x20, 0x20))  # PROT_READ|WRITE at most; MAP_ANONYMOUS

Test = tuple[int, str, int] | tuple[int, str, int, int]


class Rule:
    """One call that is allowed. ``is_write`` rules are only in the filter of a gofer with a writable tree."""

    __slots__ = ("call", "condition", "is_write", "reason", "tests")

    def __init__(
        self, call: str, reason: str, *, tests: tuple[Test, ...] = (), condition: str = "", is_write: bool = False
    ) -> None:
        self.call = call
        self.reason = reason
        self.tests = tests
        self.condition = condition
        self.is_write = is_write


READING: tuple[Rule, ...] = (
    Rule("recvfrom", "receive a request from the sentry's socket"),
    Rule("sendto", "send a reply on the sentry's socket", tests=((4, "eq", 0),), condition="no address"),
    Rule("sendmsg", "send a reply with a donated descriptor"),
    Rule("openat2", "open below an exported folder: RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS"),
    Rule(
        "openat",
        "open a checked O_PATH descriptor again through /proc/self/fd; components on kernels without openat2",
        tests=_READ_ONLY_OPEN,
        condition="read-only, no O_CREAT, no O_TRUNC (with a writable tree: any flags)",
    ),
    Rule("statx", "attributes of one object"),
    Rule("fstatfs", "type and totals of a file system"),
    Rule("getdents64", "list a folder"),
    Rule("readlinkat", "text of a symbolic link"),
    Rule("pread64", "data of a file on a network file system"),
    Rule("fsync", "durability on request"),
    Rule("fdatasync", "durability on request"),
    Rule("inotify_init1", "a watch descriptor for the sentry: which folders of a shared tree the host has changed"),
    Rule("inotify_add_watch", "watch a folder that the sentry holds, by its number in /proc/self/fd, the working directory"),
    Rule("inotify_rm_watch", "stop watching a folder that the sentry has forgotten"),
    Rule("fgetxattr", "one `user.` attribute"),
    Rule("flistxattr", "names of extended attributes"),
    Rule("fcntl", "a second descriptor of a node for one operation", tests=((1, "eq", 1030),), condition="F_DUPFD_CLOEXEC"),
    Rule("close", "release descriptors"),
    Rule("geteuid", "whether a new file must change its owner"),
    Rule("getegid", "whether a new file must change its group"),
    Rule("brk", "memory of the interpreter"),
    Rule("mmap", "memory of the interpreter", tests=_ANONYMOUS, condition="anonymous, never executable"),
    Rule("munmap", "memory of the interpreter"),
    Rule("mremap", "memory of the interpreter"),
    Rule("madvise", "memory of the interpreter"),
    Rule("futex", "locks of the interpreter"),
    Rule("rt_sigreturn", "return from a signal"),
    Rule("write", "one line on standard error before it ends", tests=((0, "eq", 2),), condition="descriptor 2"),
    Rule("exit_group", "end"),
)
WRITING: tuple[Rule, ...] = (
    Rule("openat", "open for writing a checked O_PATH descriptor; create where openat2 is missing", is_write=True),
    Rule("pwrite64", "data of a file on a network file system", is_write=True),
    Rule("lseek", "end of file, to append", is_write=True),
    Rule("ftruncate", "truncate", is_write=True),
    Rule("fallocate", "reserve room", is_write=True),
    Rule("mkdirat", "make a folder", is_write=True),
    Rule(
        "mknodat",
        "make a FIFO",
        tests=((2, "masked", 0o170000, 0o010000),),
        condition="type FIFO",
        is_write=True,
    ),
    Rule(
        "mknodat",
        "the name of a socket; whoever connects to it on the host meets nobody",
        tests=((2, "masked", 0o170000, 0o140000),),
        condition="type socket",
        is_write=True,
    ),
    Rule("symlinkat", "make a symbolic link", is_write=True),
    Rule("linkat", "make a hard link", is_write=True),
    Rule("unlinkat", "remove a name", is_write=True),
    Rule("renameat2", "move", is_write=True),
    Rule("fchownat", "owner", is_write=True),
    Rule("fchown", "owner of a new file", is_write=True),
    Rule("fchmodat", "mode", is_write=True),
    Rule("utimensat", "times", is_write=True),
    Rule("fsetxattr", "one `user.` attribute", is_write=True),
    Rule("fremovexattr", "one `user.` attribute", is_write=True),
)


NETWORK: tuple[Rule, ...] = (
    Rule("recvfrom", "frames of the sentry's link; what the outside sends"),
    Rule("sendto", "frames to the sentry's link; what a guest sends to the outside"),
    Rule("epoll_wait", "the event loop"),
    Rule("epoll_pwait", "the event loop, on machines without epoll_wait"),
    Rule("epoll_create1", "the event loop"),
    Rule("epoll_ctl", "the event loop"),
    Rule("socket", "a guest's TCP connection, UDP flow or ping", tests=((0, "eq", 2),), condition="AF_INET"),
    Rule("socket", "a guest's TCP connection, UDP flow or ping", tests=((0, "eq", 10),), condition="AF_INET6"),
    Rule("connect", "to where a guest wants, if the policy has no objection"),
    Rule("accept4", "a connection to a published port"),
    Rule("getsockopt", "how a connect has ended"),
    Rule("setsockopt", "a reset instead of an orderly end", tests=((1, "eq", 1), (2, "eq", 13)), condition="SO_LINGER"),
    Rule("getsockname", "the family of an accepted socket"),
    Rule("ioctl", "sockets that never wait", tests=((1, "eq", 0x5421),), condition="FIONBIO"),
    Rule("shutdown", "one half of a stream ends"),
    Rule("close", "release descriptors"),
    Rule("getrandom", "sequence numbers and ports"),
    Rule("clock_gettime", "timers, where the vdso has no clock"),
    Rule("brk", "memory of the interpreter"),
    Rule("mmap", "memory of the interpreter", tests=_ANONYMOUS, condition="anonymous, never executable"),
    Rule("munmap", "memory of the interpreter"),
    Rule("mremap", "memory of the interpreter"),
    Rule("madvise", "memory of the interpreter"),
    Rule("futex", "locks of the interpreter"),
    Rule("rt_sigreturn", "return from a signal"),
    Rule("write", "one line on standard error before it ends", tests=((0, "eq", 2),), condition="descriptor 2"),
    Rule("exit_group", "end"),
)


def host_rules() -> "list[tuple[str, str, str, str, str]]":
    """(process, call, action, condition, reason) of every rule, as ``sandboxctl host-surface`` lists them."""
    listed = [("gofer", rule.call, "allow", rule.condition, rule.reason) for rule in READING]
    for rule in WRITING:
        condition = f"only with a writable tree; {rule.condition}".rstrip("; ")
        listed.append(("gofer", rule.call, "allow", condition, rule.reason))
    listed += [("gofer", rule.call, "allow", f"network gofer; {rule.condition}".rstrip("; "), rule.reason) for rule in NETWORK]
    listed.append(("gofer", "*", "kill", "every other call, other entry points, x32", "default deny"))
    return listed
