"""A sink that passes a guest's calls through to the host: no policy, just enough to prove the mechanism with real programs."""

import errno
import os
import struct
from collections import Counter

from sentry.arch.x86_64 import NR_EXECVE
from sentry.loader import elf, plan, script
from sentry.platform.interface import JailConfig, SpawnRequest
from syscalls.abi.errors import SyscallError
from syscalls.abi.nr_x86_64 import NAMES

CLONE_FILES, CLONE_THREAD = 0x400, 0x10000
AT_FDCWD = -100


def signed(value, bits=32):
    value &= (1 << bits) - 1
    return value - (value >> (bits - 1) << bits)


class Table(dict):
    """Guest descriptor number to host descriptor; ``cloexec`` holds the numbers that an exec closes."""

    def __init__(self, *args):
        super().__init__(*args)
        self.cloexec = set()
        self.donated = set()
        self.owners = 1

    def copy(self):
        twin = Table({number: os.dup(fd) for number, fd in self.items()})
        twin.cloexec = set(self.cloexec)
        twin.donated = set(self.donated)
        return twin

    def close(self, number):
        os.close(self.pop(number))
        self.cloexec.discard(number)

    def install(self, fd, cloexec=False):
        number = 0
        while number in self:
            number += 1
        self[number] = fd
        self.cloexec.discard(number)
        if cloexec:
            self.cloexec.add(number)
        return number


class Process:
    def __init__(self, parent, table):
        self.parent = parent
        self.table = table
        self.children = set()
        self.zombies = []
        self.waiter = None
        self.cwd = b"/"


class Passthrough:
    """``output`` collects what the guest writes to descriptors 1 and 2."""

    def __init__(self):
        self.platform = None
        self.calls = Counter()
        self.log = []
        self.exits = {}
        self.alive = 0
        self.births = 0
        self.execs = 0
        self.signals = []
        self.stops = []
        self.parked = {}
        self.handlers = {}
        self.masked = None
        self.root_status = None
        self.root = None

    # Sink -------------------------------------------------------------------------------------------------

    def syscall(self, context, nr, *arguments):
        name = NAMES.get(nr, str(nr))
        self.calls[name] += 1
        handler = self.handlers.get(name) or getattr(self, "sys_" + name, None)
        if handler is None:
            self.log.append(f"{name}{arguments}")
            return -errno.ENOSYS
        try:
            return handler(context, *arguments)
        except SyscallError as error:
            return -error.errno
        except OSError as error:
            return -error.errno

    def abandoned(self, context):
        self.calls["abandoned"] += 1
        self.parked.pop(context, None)
        if context.data.waiter is context:
            context.data.waiter = None

    def exec_request(self, context, nr, a0, a1, a2, a3, a4):
        try:
            path = context.memory.read_string(a0 if nr == NR_EXECVE else a1, 4096)
            argv = None
            real = self.path(context, path)
            fd = os.open(real, os.O_RDONLY)
            head = os.pread(fd, 256, 0)
            if script.is_script(head):
                interpreter, argument = script.parse(head)
                old = self.strings(context, a1 if nr == NR_EXECVE else a2)
                argv = [interpreter, *([argument] if argument is not None else []), path, *old[1:]]
                os.close(fd)
                fd = os.open(interpreter, os.O_RDONLY)
            head = os.pread(fd, 64, 0)
            program = plan.Program(elf.parse(head, os.pread(fd, *reversed(elf.phdr_range(head)))), fd)
            loader = None
            if program.image.interpreter_at:
                offset, length = program.image.interpreter_at
                loader_fd = os.open(os.pread(fd, length, offset).rstrip(b"\0"), os.O_RDONLY)
                head = os.pread(loader_fd, 64, 0)
                loader = plan.Program(elf.parse(head, os.pread(loader_fd, *reversed(elf.phdr_range(head)))), loader_fd)
            made = plan.build(
                program, loader, execfn=path, ids=(0, 0, 0, 0), is_secure=False, random_below=lambda n: 5 % n, argv=argv
            )
        except OSError as error:
            context.refuse_exec(error.errno)
            return
        except SyscallError as error:
            context.refuse_exec(error.errno)
            return
        context.data.pending = [program.fd] + ([loader.fd] if loader else [])
        context.execute(made)

    def exec_done(self, context, old_host_tid):
        self.execs += 1
        process = context.data
        for fd in process.pending:
            os.close(fd)
        if process.table.owners > 1:
            process.table.owners -= 1
            process.table = process.table.copy()
        for number in list(process.table.cloexec):
            process.table.close(number)

    def masked_request(self, context, nr, *arguments):
        self.calls[NAMES[nr]] += 1
        if self.masked is None:
            context.unpark(-errno.ENOSYS)
        else:
            self.masked(context, nr, *arguments)

    def birth(self, parent, child, clone_flags):
        self.births += 1
        self.alive += 1
        if clone_flags & CLONE_THREAD:
            child.data = parent.data
            return
        table = parent.data.table
        if clone_flags & CLONE_FILES:
            table.owners += 1
        else:
            table = table.copy()
        child.data = Process(parent.data, table)
        child.data.cwd = parent.data.cwd
        parent.data.children.add(child.host_tid)
        child.data.pid = child.guest_tid

    def thread_exited(self, context, wait_status):
        self.alive -= 1
        if context.host_tid != context.tgid:
            return
        process = context.data
        self.exits[context.guest_tid] = wait_status
        if process is self.root:
            self.root_status = wait_status
        process.table.owners -= 1
        if not process.table.owners:
            for number in list(process.table):
                process.table.close(number)
        parent = process.parent
        if parent is not None:
            parent.zombies.append(context.guest_tid)
            self.parked.pop(context, None)
            waiter, parent.waiter = parent.waiter, None
            if waiter is not None:
                waiter.proceed()
        self.parked.pop(context, None)
        self.retry()

    def stopped(self, context, signal):
        self.stops.append(("stopped", context.guest_tid, signal))

    def continued(self, context):
        self.stops.append(("continued", context.guest_tid))

    def timer_overrun(self, context, timer_id):
        return None

    def uid_of(self, context, pid):
        return None

    def proceeded(self, context, nr, *registers):
        pass

    def exceeds_process_limit(self, context):
        return False

    def admits_birth(self, context):
        return True

    def signalled(self, context, signal):
        self.signals.append((context.guest_tid, signal))

    # Helpers ----------------------------------------------------------------------------------------------

    def strings(self, context, at):
        result = []
        while pointer := int.from_bytes(context.memory.read(at, 8), "little"):
            result.append(context.memory.read_string(pointer, 1 << 17))
            at += 8
        return result

    def path(self, context, path):
        return os.path.join(context.data.cwd, path)

    def fd(self, context, number):
        try:
            return context.data.table[signed(number)]
        except KeyError:
            raise SyscallError(errno.EBADF) from None

    def retry(self):
        for context, attempt in list(self.parked.items()):
            try:
                value = attempt()
            except BlockingIOError:
                continue
            except OSError as error:
                value = -error.errno
            del self.parked[context]
            context.reply(value)

    def run(self, is_done, seconds=20.0):
        import time

        end = time.monotonic() + seconds
        while not is_done():
            self.platform.run_once(200_000_000)
            if self.parked:
                self.retry()
            if time.monotonic() > end:
                raise AssertionError(f"guest does not end; calls {self.calls}, log {self.log}, {self.platform.tracer.contexts}")

    def start(self, platform, config=None):
        self.platform = platform
        platform.start(config or JailConfig(b"guest"), self)

    def spawn(self, argv, env=(b"PATH=/usr/bin:/bin", b"LC_ALL=C"), limits=None, stdin=None):
        """Returns (context, read end of its output)."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        source = os.open("/dev/null", os.O_RDONLY) if stdin is None else stdin
        context = self.platform.spawn(SpawnRequest(argv[0], argv, env, limits or {}))
        context.data = Process(None, Table({0: source, 1: writer, 2: os.dup(writer)}))
        context.data.pid = context.guest_tid
        self.root = context.data
        self.root_status = None
        self.alive += 1
        return context, reader

    def run_program(self, *argv, **options):
        """Returns (wait status, output)."""
        _, reader = self.spawn([part.encode() if isinstance(part, str) else part for part in argv], **options)
        self.run(lambda: self.root_status is not None)
        output = b""
        while True:
            try:
                chunk = os.read(reader, 65536)
            except BlockingIOError:
                break
            if not chunk:
                break
            output += chunk
        os.close(reader)
        return self.root_status, output

    # Calls ------------------------------------------------------------------------------------------------

    def sys_getpid(self, context, *_):
        return context.data.pid

    def sys_gettid(self, context, *_):
        return context.guest_tid

    def sys_getppid(self, context, *_):
        return context.data.parent.pid if context.data.parent else 0

    def sys_getuid(self, *_):
        return 0

    sys_geteuid = sys_getgid = sys_getegid = sys_getuid

    def sys_openat(self, context, dirfd, path, flags, mode, *_):
        name = context.memory.read_string(path, 4096)
        directory = None if signed(dirfd) == AT_FDCWD else self.fd(context, dirfd)
        name = self.path(context, name) if directory is None else name
        fd = os.open(name, flags & 0xFFFFFFFF | os.O_CLOEXEC, mode & 0o7777, dir_fd=directory)
        return context.data.table.install(fd, bool(flags & os.O_CLOEXEC))

    def sys_open(self, context, path, flags, mode, *rest):
        return self.sys_openat(context, AT_FDCWD, path, flags, mode)

    def sys_read(self, context, fd, buf, count, *_):
        host = self.fd(context, fd)

        def attempt():
            data = os.read(host, min(count, 1 << 20))
            context.memory.write(buf, data)
            return len(data)

        return self.blocking(context, host, attempt)

    def blocking(self, context, host, attempt):
        is_blocking = os.get_blocking(host)
        if not is_blocking:
            try:
                return attempt()
            except BlockingIOError:
                self.parked[context] = attempt
                return None
        return attempt()

    def sys_pread64(self, context, fd, buf, count, offset, *_):
        return context.memory.fill_from_host(buf, count, self.fd(context, fd), offset)

    def sys_write(self, context, fd, buf, count, *_):
        return os.write(self.fd(context, fd), context.memory.read(buf, min(count, 65536)))

    def sys_writev(self, context, fd, iov, count, *_):
        total = 0
        for base, length in struct.iter_unpack("<QQ", context.memory.read(iov, 16 * count)):
            if length:
                total += os.write(self.fd(context, fd), context.memory.read(base, length))
        return total

    def sys_close(self, context, fd, *_):
        self.fd(context, fd)
        context.data.table.close(signed(fd))
        if signed(fd) in context.data.table.donated:
            context.data.table.donated.discard(signed(fd))
            context.proceed()
            return None
        return 0

    def _stat(self, context, buf, info):
        packed = struct.pack(
            "<QQQIIIIQqqqqqqqqq24x", info.st_dev, info.st_ino, info.st_nlink, info.st_mode, 0, 0, 0, info.st_rdev, info.st_size,
            info.st_blksize, info.st_blocks, int(info.st_atime), 0, int(info.st_mtime), 0, int(info.st_ctime), 0,
        )  # fmt: skip
        context.memory.write(buf, packed)
        return 0

    def sys_fstat(self, context, fd, buf, *_):
        return self._stat(context, buf, os.fstat(self.fd(context, fd)))

    def sys_newfstatat(self, context, dirfd, path, buf, flags, *_):
        name = context.memory.read_string(path, 4096)
        if not name:
            return self.sys_fstat(context, dirfd, buf)
        directory = None if signed(dirfd) == AT_FDCWD else self.fd(context, dirfd)
        name = self.path(context, name) if directory is None else name
        return self._stat(context, buf, os.stat(name, dir_fd=directory, follow_symlinks=not flags & 0x100))

    def sys_access(self, context, path, mode, *_):
        os.stat(self.path(context, context.memory.read_string(path, 4096)))
        return 0

    def sys_readlink(self, context, path, buf, size, *_):
        text = os.fsencode(os.readlink(self.path(context, context.memory.read_string(path, 4096))))[:size]
        context.memory.write(buf, text)
        return len(text)

    def sys_getcwd(self, context, buf, size, *_):
        context.memory.write(buf, context.data.cwd + b"\0")
        return len(context.data.cwd) + 1

    def sys_mmap(self, context, addr, length, prot, flags, fd, offset):
        context.add_fd(self.fd(context, fd), signed(fd))
        context.data.table.donated.add(signed(fd))
        context.proceed()

    def sys_lseek(self, context, fd, offset, whence, *_):
        return os.lseek(self.fd(context, fd), signed(offset, 64), whence)

    def sys_ioctl(self, *_):
        return -errno.ENOTTY

    def sys_pipe2(self, context, at, flags, *_):
        ends = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        numbers = [context.data.table.install(fd, bool(flags & os.O_CLOEXEC)) for fd in ends]
        context.memory.write(at, struct.pack("<ii", *numbers))
        return 0

    def sys_pipe(self, context, at, *_):
        return self.sys_pipe2(context, at, 0)

    def sys_dup2(self, context, old, new, *_):
        host, new = self.fd(context, old), signed(new)
        if new != signed(old):
            if new in context.data.table:
                context.data.table.close(new)
            context.data.table[new] = os.dup(host)
        return new

    def sys_fcntl(self, context, fd, command, argument, *_):
        host = self.fd(context, fd)
        if command in (0, 1030):
            number = argument
            while number in context.data.table:
                number += 1
            context.data.table[number] = os.dup(host)
            if command == 1030:
                context.data.table.cloexec.add(number)
            return number
        if command == 2:
            (context.data.table.cloexec.add if argument & 1 else context.data.table.cloexec.discard)(signed(fd))
        return 0

    def sys_wait4(self, context, pid, status, options, rusage, *_):
        process = context.data
        if options & 1:  # WNOHANG: the host knows
            context.proceed()
            return None
        if process.zombies:
            process.zombies.pop()
            context.proceed()
            return None
        if not process.children:
            return -errno.ECHILD
        process.waiter = context
        return None

    def sys_kill(self, context, *_):
        context.proceed()

    sys_tgkill = sys_setpgid = sys_setsid = sys_kill

    def sys_prlimit64(self, context, pid, which, new, old, *_):
        if old:
            context.memory.write(old, struct.pack("<QQ", 8 << 20, 8 << 20))
        return 0

    def sys_uname(self, context, buf, *_):
        parts = (b"Linux", b"guest", b"6.1.0", b"#1", b"x86_64", b"")
        context.memory.write(buf, b"".join(part.ljust(65, b"\0") for part in parts))
        return 0
