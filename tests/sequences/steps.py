"""Random steps for the player: few names, few slots and small sizes, so that they meet each other."""

import os
import socket

from hypothesis import strategies as st

NAMES = ("a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a", "link")
#: what the player's flags may be
OPEN_FLAGS = (0, os.O_WRONLY, os.O_RDWR)
OPEN_MORE = (0, os.O_CREAT, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_DIRECTORY, os.O_NOFOLLOW, os.O_PATH)

name = st.sampled_from(NAMES)
slot = st.integers(0, 9)
text = st.sampled_from(("x", "abc", "0123456789"))
times = st.sampled_from((1, 3, 500, 7000))
size = st.sampled_from((0, 1, 5, 100, 4096, 70000))
mode = st.sampled_from((0o644, 0o600, 0o755, 0o400, 0o000, 0o1777, 0o2775))
kind = st.sampled_from((socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET))
events = st.sampled_from((1, 4, 5, 1 | 1 << 31, 5 | 1 << 30, 1 | 0x2000, 0))
xattr = st.sampled_from(("user.x", "user.y"))


def step(call: str, *arguments: "st.SearchStrategy[object]") -> "st.SearchStrategy[list[object]]":
    return st.tuples(st.just(call), *arguments).map(list)


opened = st.builds(lambda first, second: first | second, st.sampled_from(OPEN_FLAGS), st.sampled_from(OPEN_MORE))

PATHS = st.one_of(
    step("open", name, opened, mode),
    step("open", name, opened, mode),
    step("mkdir", name, mode),
    step("mkdir", st.sampled_from(("d", "e", "d/e")), st.just(0o755)),
    step("rmdir", name),
    step("unlink", name),
    step("link", name, name, st.booleans()),
    step("symlink", name, name),
    step("readlink", name),
    step("rename", name, name, st.sampled_from((0, 0, 0, 1, 2, 3))),
    step("mkfifo", name, st.sampled_from((0o644, 0o600, 0o000))),
    step("chmod", name, mode),
    step("truncate", name, size),
    step("access", name, st.integers(0, 7)),
    step("stat", name, st.booleans()),
    step("listdir", name),
    step("chdir", st.sampled_from(("d", "..", ".", "d/e", "a"))),
    step("setxattr", name, xattr, text, st.integers(0, 2)),
    step("getxattr", name, xattr),
    step("listxattr", name),
    step("removexattr", name, xattr),
)
FILES = st.one_of(
    step("open", st.sampled_from(("a", "b")), st.just(os.O_RDWR | os.O_CREAT), st.just(0o644)),
    step("open", st.just("."), st.just(os.O_TMPFILE | os.O_RDWR), st.just(0o600)),
    step("name", slot, name),
    step("close", slot),
    step("dup", slot),
    step("dup2", slot, slot),
    step("read", slot, size),
    step("pread", slot, size, size),
    step("write", slot, text, times),
    step("pwrite", slot, text, size),
    step("lseek", slot, st.sampled_from((0, 1, -1, 5000, 70000)), st.integers(0, 4)),
    step("ftruncate", slot, size),
    step("fallocate", slot, st.sampled_from((0, 1, 2, 3)), size, size),
    step("fstat", slot),
    step("fsync", slot),
    step("flags", slot, st.sampled_from((0, os.O_APPEND))),
    step("copy_range", slot, slot, size, st.one_of(st.none(), size), st.one_of(st.none(), size)),
    step("sendfile", slot, slot, st.one_of(st.none(), size), size),
)
LOCKS = st.one_of(
    step("lock", slot, st.sampled_from(("flock", "posix", "ofd", "ofd")), st.integers(0, 2), size, size),
    step("query", slot, st.integers(0, 2), size, size),
)
STREAMS = st.one_of(
    step("pipe", st.sampled_from((0, 0, os.O_DIRECT))),
    step("pipe_size", slot, st.sampled_from((0, 4096, 8192, 70000))),
    step("socketpair", kind),
    step("socket", kind),
    step("bind", slot, name),
    step("connect", slot, name),
    step("listen", slot, st.integers(0, 3)),
    step("accept", slot),
    step("shutdown", slot, st.integers(0, 2)),
    step("send", slot, text, times, st.sampled_from((0, socket.MSG_EOR))),
    step("send_to", slot, text, name),
    step("receive", slot, st.sampled_from((1, 5, 10000)), st.sampled_from((0, socket.MSG_PEEK, socket.MSG_TRUNC))),
    step("pass_fd", slot, slot),
    step("take_fd", slot, st.sampled_from((0, 24, 100))),
    step("write", slot, text, times),
    step("read", slot, size),
    step("splice", slot, slot, size, st.one_of(st.none(), size), st.one_of(st.none(), size)),
    step("tee", slot, slot, size),
)
EVENTS = st.one_of(
    step("eventfd", st.integers(0, 3), st.sampled_from((0, os.EFD_SEMAPHORE))),
    step("epoll"),
    step("watch", slot, slot, st.integers(1, 3), events),
    step("wait", slot, st.integers(1, 8)),
    step("poll", slot, st.sampled_from((1, 4, 5, 0x2000))),
)
CALLS = st.one_of(PATHS, FILES, PATHS, FILES, LOCKS, STREAMS, STREAMS, EVENTS)
#: what a sequence begins with, so that it does not spend itself on EBADF
_RDWR = os.O_RDWR | os.O_CREAT
BEGINNINGS: list[list[list[object]]] = [
    [],
    [["mkdir", "d", 0o755], ["open", "a", _RDWR, 0o644], ["write", 0, "0123456789", 500], ["open", "d/b", _RDWR, 0o644]],
    [["pipe", 0], ["open", "a", _RDWR, 0o644], ["write", 2, "abc", 500], ["pipe", 0], ["write", 1, "xyz", 30]],
    [["socketpair", 1], ["socketpair", 2], ["socketpair", 5], ["epoll"]],
    [["socket", 1], ["bind", 0, "a"], ["listen", 0, 2], ["socket", 1], ["connect", 1, "a"], ["accept", 0], ["epoll"]],
    [["socket", 2], ["bind", 0, "a"], ["socket", 2], ["bind", 1, "b"], ["connect", 1, "a"]],
    [["epoll"], ["eventfd", 1, 0], ["pipe", 0], ["watch", 0, 1, 1, 1], ["watch", 0, 2, 1, 1], ["watch", 0, 3, 1, 4]],
    [["open", "a", _RDWR, 0o644], ["open", "a", _RDWR, 0o644], ["open", "a", 0, 0], ["write", 0, "0123456789", 500], ["dup", 0]],
    [["mkdir", "d", 0o755], ["mkdir", "e", 0o755], ["mkdir", "d/e", 0o755], ["symlink", "d/e", "link"], ["symlink", "link", "c"]],
    [["mkfifo", "a", 0o644], ["open", "a", 0, 0], ["open", "a", 1, 0], ["write", 1, "abc", 3]],
]
SEQUENCES = st.builds(
    lambda beginning, rest: [*beginning, *rest], st.sampled_from(BEGINNINGS), st.lists(CALLS, min_size=1, max_size=60)
)
