"""The same random file operations on a World and on a directory of the host: results and error numbers must agree."""

import errno
import os
import stat
from ctypes import CDLL, c_char_p, c_int, c_uint, get_errno
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from sentry.vfs import namespace as ns
from syscalls.abi import fcntl as f
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.vfs.world import World, read, run, write

DEPTH = 45  # directories above the playground: no `..` of a short path climbs out
NAMES = (b"a", b"b", b"c", b"d")
_libc = CDLL(None, use_errno=True)
_libc.renameat2.argtypes = (c_int, c_char_p, c_int, c_char_p, c_uint)

component = st.sampled_from((*NAMES, *NAMES, b".", b".."))
paths = st.builds(
    lambda parts, slash: b"/".join(parts) + slash,
    st.lists(component, min_size=1, max_size=4),
    st.sampled_from((b"", b"", b"", b"/")),
)
modes = st.sampled_from((0o644, 0o600, 0o755, 0o4755, 0o2711))
open_flags = st.lists(
    st.sampled_from((f.O_CREAT, f.O_EXCL, f.O_TRUNC, f.O_NOFOLLOW, f.O_DIRECTORY, f.O_APPEND)), max_size=3, unique=True
).map(lambda bits: sum(bits))
operations = st.one_of(
    st.tuples(st.just("mkdir"), paths, modes),
    st.tuples(st.just("put"), paths, st.sampled_from((0, 1, 2)), open_flags | st.just(f.O_CREAT), st.binary(max_size=9)),
    st.tuples(st.just("put"), paths, st.just(2), st.just(f.O_CREAT), st.sampled_from((b"x" * 70_000, b"y" * 5000))),
    st.tuples(st.just("get"), paths),
    st.tuples(st.just("unlink"), paths),
    st.tuples(st.just("rmdir"), paths),
    st.tuples(st.just("rename"), paths, paths, st.sampled_from((0, 0, 0, f.RENAME_NOREPLACE, f.RENAME_EXCHANGE))),
    st.tuples(st.just("link"), paths, paths),
    st.tuples(st.just("symlink"), paths, paths),
    st.tuples(st.just("readlink"), paths),
    st.tuples(st.just("lstat"), paths),
    st.tuples(st.just("stat"), paths),
    st.tuples(st.just("list"), paths),
    st.tuples(st.just("truncate"), paths, st.sampled_from((0, 3, 5000, 70_000))),
    st.tuples(st.just("chmod"), paths, modes),
    st.tuples(st.just("chdir"), paths),
)


def _attributes(mode: int, nlink: int, size: int) -> tuple[int, int, int]:
    return mode, nlink, 0 if stat.S_ISDIR(mode) else size


class HostSide:
    """The host's answer. Works by absolute path: the working directory of the tests stays."""

    def __init__(self, base: Path) -> None:
        self.top = os.path.join(os.fsencode(base), *[b"n"] * DEPTH)
        os.makedirs(self.top)
        self.cwd = os.open(self.top, os.O_PATH)

    def close(self) -> None:
        os.close(self.cwd)

    def run(self, name: str, *args: Any) -> Any:
        old = os.umask(0o022)
        try:
            return getattr(self, name)(*args)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        finally:
            os.umask(old)

    def mkdir(self, path: bytes, mode: int) -> None:
        os.mkdir(path, mode, dir_fd=self.cwd)

    def put(self, path: bytes, access: int, flags: int, data: bytes) -> Any:
        fd = os.open(path, access | flags, 0o644, dir_fd=self.cwd)
        try:
            return os.write(fd, data) if access else None
        finally:
            os.close(fd)

    def get(self, path: bytes) -> bytes:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK, dir_fd=self.cwd)
        try:
            return os.read(fd, 1 << 20)
        finally:
            os.close(fd)

    def unlink(self, path: bytes) -> None:
        os.unlink(path, dir_fd=self.cwd)

    def rmdir(self, path: bytes) -> None:
        os.rmdir(path, dir_fd=self.cwd)

    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        if _libc.renameat2(self.cwd, old, self.cwd, new, flags):
            raise OSError(get_errno(), "renameat2")

    def link(self, old: bytes, new: bytes) -> None:
        os.link(old, new, src_dir_fd=self.cwd, dst_dir_fd=self.cwd, follow_symlinks=False)

    def symlink(self, target: bytes, path: bytes) -> None:
        os.symlink(target, path, dir_fd=self.cwd)

    def readlink(self, path: bytes) -> bytes:
        return os.readlink(path, dir_fd=self.cwd)

    def lstat(self, path: bytes) -> Any:
        found = os.stat(path, dir_fd=self.cwd, follow_symlinks=False)
        return _attributes(found.st_mode, found.st_nlink, found.st_size)

    def stat(self, path: bytes) -> Any:
        found = os.stat(path, dir_fd=self.cwd)
        return _attributes(found.st_mode, found.st_nlink, found.st_size)

    def list(self, path: bytes) -> Any:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.cwd)
        try:
            return sorted(os.fsencode(name) for name in os.listdir(fd))
        finally:
            os.close(fd)

    def truncate(self, path: bytes, size: int) -> None:
        # Never creates; opens for writing, as truncate(2) checks.
        os.truncate(b"/proc/self/fd/%d/%s" % (self.cwd, path), size)

    def chmod(self, path: bytes, mode: int) -> None:
        os.chmod(path, mode, dir_fd=self.cwd)

    def chdir(self, path: bytes) -> None:
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY, dir_fd=self.cwd)
        os.close(self.cwd)
        self.cwd = fd


class GuestSide:
    """The VFS's answer."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.task = world.task
        self.task.fs.cwd = self.task.fs.root
        for _ in range(DEPTH):
            try:
                run(ns.mkdir_at(self.task, f.AT_FDCWD, b"n", 0o755))
            except SyscallError as error:
                assert error.errno == errno.EEXIST
            self.task.fs.cwd = run(ns.resolve(self.task, f.AT_FDCWD, b"n"))

    def run(self, name: str, *args: Any) -> Any:
        try:
            return getattr(self, name)(*args)
        except SyscallError as error:
            return errno.errorcode[error.errno]

    def mkdir(self, path: bytes, mode: int) -> None:
        run(ns.mkdir_at(self.task, f.AT_FDCWD, path, mode))

    def put(self, path: bytes, access: int, flags: int, data: bytes) -> Any:
        from syscalls.files.open import check_flags

        check_flags(access | flags)
        file = run(ns.open_at(self.task, f.AT_FDCWD, path, access | flags, 0o644))
        file.acquire()
        try:
            return write(file, data, -1 if flags & f.O_APPEND else 0) if access else None
        finally:
            file.release()

    def get(self, path: bytes) -> bytes:
        file = run(ns.open_at(self.task, f.AT_FDCWD, path, f.O_NONBLOCK, 0))
        file.acquire()
        try:
            return read(file)
        finally:
            file.release()

    def unlink(self, path: bytes) -> None:
        run(ns.unlink_at(self.task, f.AT_FDCWD, path, is_rmdir=False))

    def rmdir(self, path: bytes) -> None:
        run(ns.unlink_at(self.task, f.AT_FDCWD, path, is_rmdir=True))

    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        run(ns.rename_at(self.task, f.AT_FDCWD, old, f.AT_FDCWD, new, flags))

    def link(self, old: bytes, new: bytes) -> None:
        run(ns.link_at(self.task, f.AT_FDCWD, old, f.AT_FDCWD, new, 0))

    def symlink(self, target: bytes, path: bytes) -> None:
        run(ns.symlink_at(self.task, target, f.AT_FDCWD, path))

    def readlink(self, path: bytes) -> bytes:
        return run(ns.readlink_at(self.task, f.AT_FDCWD, path))

    def lstat(self, path: bytes) -> Any:
        attr = run(ns.stat_path(self.task, f.AT_FDCWD, path, f.AT_SYMLINK_NOFOLLOW))
        return _attributes(attr.mode, attr.nlink, attr.size)

    def stat(self, path: bytes) -> Any:
        attr = run(ns.stat_path(self.task, f.AT_FDCWD, path, 0))
        return _attributes(attr.mode, attr.nlink, attr.size)

    def list(self, path: bytes) -> Any:
        file = run(ns.open_at(self.task, f.AT_FDCWD, path, f.O_DIRECTORY, 0))
        names = [entry.name for entry in run(file.read_entries())]
        assert names[:2] == [b".", b".."]
        assert len(set(names)) == len(names)
        return sorted(names[2:])

    def truncate(self, path: bytes, size: int) -> None:
        run(ns.truncate_path(self.task, path, size))

    def chmod(self, path: bytes, mode: int) -> None:
        run(ns.chmod_at(self.task, f.AT_FDCWD, path, mode))

    def chdir(self, path: bytes) -> None:
        self.task.fs.cwd = run(ns.resolve(self.task, f.AT_FDCWD, path, want_directory=True))


def play(script: list[tuple[Any, ...]], host: HostSide, guest: GuestSide) -> None:
    """Run ``script`` on both sides, comparing every answer."""
    for step, (name, *args) in enumerate(script):
        expected, found = host.run(name, *args), guest.run(name, *args)
        assert found == expected, f"step {step}: {name}{tuple(args)}: host {expected!r}, guest {found!r}"


def compare_trees(host: HostSide, guest: GuestSide, path: bytes = b".", depth: int = 0) -> None:
    """Everything below the working directory is the same on both sides."""
    names = host.run("list", path)
    assert guest.run("list", path) == names
    for name in names:
        child = path + b"/" + name
        expected = host.run("lstat", child)
        assert guest.run("lstat", child) == expected, child
        if stat.S_ISDIR(expected[0]) and depth < 8:
            compare_trees(host, guest, child, depth + 1)
        elif stat.S_ISREG(expected[0]):
            assert guest.run("get", child) == host.run("get", child)
