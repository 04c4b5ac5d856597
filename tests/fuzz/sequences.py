"""Random sequences of calls over files, descriptors, pipes, sockets, signals, processes and memory, as text for the runner.

Hypothesis draws and shrinks them. Arguments name earlier results ($N), so that descriptors are mostly real ones.
"""

from hypothesis import strategies as st

from syscalls.abi.nr_x86_64 import NUMBERS

_NAMES = ("a", "b", "d", "d/x", "file", "none/x", "")
_NAME_AT = 0x8000
_PAIR_AT = 0x7000
AT_FDCWD = "-100"
#: bytes that every case finds in its arena: names, and words to write
PREAMBLE = "".join(f"set {_NAME_AT + 32 * i:x} {name.encode().hex()}00\n" for i, name in enumerate(_NAMES)) + (
    "set 0 68656c6c6f20776f726c640a\nset 100 ff00000000000000\nset 120 0002000000000000\n"
)

_fd = st.one_of(st.sampled_from(["3", "3", "3", "4", "5", "6", "7", "8", "9"]), st.sampled_from(["-1", "0", "63", "64"]))
_name = st.sampled_from([f"@{_NAME_AT + 32 * i:x}" for i in range(len(_NAMES))])
_size = st.sampled_from(["0", "1", "5", "12", "100", "4096", "60000"])
_out = st.sampled_from(["@1000", "@1000", "@1000", "+4", "0"])
_offset = st.sampled_from(["0", "1", "5", "20", "4096", "-1", "100000"])
_dir = st.just(AT_FDCWD)


def _call(name: str, *arguments: st.SearchStrategy[str], mark: str = "!") -> st.SearchStrategy[str]:
    return st.tuples(*arguments).map(lambda words: " ".join((str(NUMBERS[name]), name + mark, *words)))


def _one(*values: int) -> st.SearchStrategy[str]:
    return st.sampled_from([str(value) for value in values])


CALLS = st.one_of(
    _call("openat", _dir, _name, _one(0, 1, 2, 0o102, 0o302, 0o1102, 0o2102, 0o200000, 0o200200, 0o100), _one(0, 0o600, 0o400)),
    _call("close", _fd),
    _call("read", _fd, _out, _size, mark="#"),
    _call("write", _fd, st.sampled_from(["@0", "+5", "0"]), st.sampled_from(["0", "1", "5", "12", "4096"])),
    _call("pread64", _fd, _out, _size, _offset, mark="#"),
    _call("pwrite64", _fd, st.just("@0"), st.sampled_from(["0", "5", "12"]), _offset),
    _call("lseek", _fd, _offset, _one(0, 1, 2, 3, 4, 5)),
    _call("ftruncate", _fd, _offset),
    _call("truncate", _name, _offset),
    _call("dup", _fd),
    _call("dup2", _fd, st.sampled_from(["3", "5", "9", "63", "64", "-1"])),
    _call("dup3", _fd, st.sampled_from(["3", "5", "9"]), _one(0, 0o2000000, 1)),
    _call("fcntl", _fd, _one(0, 1, 2, 3, 4, 1030, 1031, 1032, 1033, 1034), _one(0, 1, 5, 2048, 4096)),
    _call("mkdirat", _dir, _name, _one(0, 0o700, 0o755)),
    _call("unlinkat", _dir, _name, _one(0, 0x200)),
    _call("renameat2", _dir, _name, _dir, _name, _one(0, 1, 2, 3)),
    _call("linkat", _dir, _name, _dir, _name, _one(0)),
    _call("symlinkat", _name, _dir, _name),
    _call("readlinkat", _dir, _name, _out, _size, mark="#"),
    _call("faccessat", _dir, _name, _one(0, 1, 2, 4, 7)),
    _call("fchmodat", _dir, _name, _one(0, 0o600, 0o755)),
    _call("chdir", _name),
    _call("pipe2", st.sampled_from([f"@{_PAIR_AT:x}"]), _one(0o4000)),
    _call("socketpair", _one(1), _one(0o4001, 0o4002, 0o4005), _one(0), st.just(f"@{_PAIR_AT:x}")),
    _call("socket", _one(1), _one(0o4001, 0o4002), _one(0)),
    _call("shutdown", _fd, _one(0, 1, 2, 3)),
    _call("sendto", _fd, st.just("@0"), _one(0, 5, 12), _one(0x40, 0x4040)),
    _call("recvfrom", _fd, _out, _size, _one(0x40, 0x42, 0x60), mark="#"),
    _call("eventfd2", _one(0, 1, 5), _one(0o4000, 0o4001)),
    _call("epoll_create1", _one(0)),
    _call("rt_sigprocmask", _one(0, 1, 2, 3), st.sampled_from(["@100", "@120", "0"]), st.sampled_from(["@2000", "0"]), _one(8)),
    _call("rt_sigpending", st.just("@2100"), _one(8, 9)),
    _call("getpriority", _one(0, 1, 3), _one(0)),
    _call("umask", _one(0, 0o22, 0o77)),
    _call("setpgid", _one(0), _one(0)),
    _call("setsid", mark="*"),
    _call("getpgid", _one(0), mark="*"),
    _call("wait4", _one(0xFFFFFFFFFFFFFFFF, 0), st.just("0"), _one(0, 1)),
    _call("madvise", st.just("@2000"), _one(0, 4096), _one(0, 3, 4, 8, 99)),
    _call("msync", st.just("@0"), _one(0, 4096), _one(0, 1, 4, 5)),
    _call("mincore", st.just("@0"), _one(0, 4096), _out),
    _call("fallocate", _fd, _one(0, 1, 3, 16), st.sampled_from(["0", "5"]), st.sampled_from(["0", "1", "100"])),
    _call("copy_file_range", _fd, st.just("0"), _fd, st.just("0"), _size, _one(0, 1)),
    _call("sendfile", _fd, _fd, st.just("0"), _size),
    _call("fsync", _fd),
    _call("flock", _fd, _one(4, 5, 6, 8)),
)
#: what is left behind: the names, their sizes by reading them, and the descriptors
_END = [
    *(f"{NUMBERS['readlinkat']} readlinkat# {AT_FDCWD} @{_NAME_AT + 32 * i:x} @1000 4096" for i in range(len(_NAMES))),
    *(f"{NUMBERS['faccessat']} faccessat! {AT_FDCWD} @{_NAME_AT + 32 * i:x} 0" for i in range(len(_NAMES))),
    *(f"{NUMBERS['pread64']} pread64# {fd} @1000 60000 0" for fd in range(3, 9)),
    *(f"{NUMBERS['fcntl']} fcntl! {fd} 3" for fd in range(3, 12)),
]
SEQUENCES = st.lists(CALLS, min_size=1, max_size=30).map(lambda lines: "\n".join([*lines, *_END]) + "\n")
