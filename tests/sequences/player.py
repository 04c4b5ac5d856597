"""Guest side: plays sequences of calls and prints what each of them gives, then the tree that is left.

usage: player.py FOLDER < one JSON list of steps a line      a step: [call, argument...]; descriptors are numbered by "slot"
"""

import array
import ctypes
import errno
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import stat
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LOCKS = {"flock": None, "posix": fcntl.F_SETLK, "ofd": 37}


class Player:
    """One sequence. ``fds`` are the open descriptors by slot; a call names a slot modulo their number."""

    def __init__(self):
        self.fds = []

    def play(self, steps):
        for step in steps:
            name, *arguments = step
            try:
                result = getattr(self, name)(*arguments)
            except OSError as error:
                result = errno.errorcode.get(error.errno, str(error))
            print(" ", name, *arguments, "->", result)

    def fd(self, slot):
        if not self.fds:
            raise OSError(errno.EBADF, "no descriptor yet")
        return self.fds[slot % len(self.fds)]

    def keep(self, *fds):
        self.fds += fds
        return list(fds)

    def close_all(self):
        os.closerange(3, 1024)

    # names
    def open(self, path, flags, mode):
        return self.keep(os.open(path, flags | os.O_NONBLOCK, mode))

    def mkdir(self, path, mode):
        return os.mkdir(path, mode)

    def rmdir(self, path):
        return os.rmdir(path)

    def unlink(self, path):
        return os.unlink(path)

    def link(self, old, new, follow):
        return os.link(old, new, follow_symlinks=follow)

    def symlink(self, target, path):
        return os.symlink(target, path)

    def readlink(self, path):
        return os.readlink(path)

    def rename(self, old, new, flags):
        if LIBC.renameat2(-100, old.encode(), -100, new.encode(), flags):
            raise OSError(ctypes.get_errno(), "renameat2")

    def mkfifo(self, path, mode):
        return os.mkfifo(path, mode)

    def chmod(self, path, mode):
        return os.chmod(path, mode)

    def truncate(self, path, size):
        return os.truncate(path, size)

    def access(self, path, mode):
        return os.access(path, mode)

    def chdir(self, path):
        return os.chdir(path)

    def stat(self, path, follow):
        return shown(os.stat(path, follow_symlinks=follow))

    def listdir(self, path):
        return sorted(os.listdir(path))

    def setxattr(self, path, name, value, flags):
        return os.setxattr(path, name, value.encode(), flags)

    def getxattr(self, path, name):
        return os.getxattr(path, name)

    def listxattr(self, path):
        return sorted(os.listxattr(path))

    def removexattr(self, path, name):
        return os.removexattr(path, name)

    # descriptors
    def close(self, slot):
        fd = self.fd(slot)
        self.fds.remove(fd)
        return os.close(fd)

    def dup(self, slot):
        return self.keep(os.dup(self.fd(slot)))

    def dup2(self, slot, other):
        return os.dup2(self.fd(slot), self.fd(other))

    def read(self, slot, size):
        return os.read(self.fd(slot), size)

    def pread(self, slot, size, offset):
        return os.pread(self.fd(slot), size, offset)

    def write(self, slot, text, times):
        return os.write(self.fd(slot), text.encode() * times)

    def pwrite(self, slot, text, offset):
        return os.pwrite(self.fd(slot), text.encode(), offset)

    def lseek(self, slot, offset, whence):
        return os.lseek(self.fd(slot), offset, whence)

    def ftruncate(self, slot, size):
        return os.ftruncate(self.fd(slot), size)

    def fallocate(self, slot, mode, offset, length):
        if LIBC.fallocate(self.fd(slot), mode, ctypes.c_long(offset), ctypes.c_long(length)):
            raise OSError(ctypes.get_errno(), "fallocate")

    def fstat(self, slot):
        return shown(os.fstat(self.fd(slot)))

    def fsync(self, slot):
        return os.fsync(self.fd(slot))

    def flags(self, slot, flags):
        return fcntl.fcntl(self.fd(slot), fcntl.F_SETFL, flags | os.O_NONBLOCK), fcntl.fcntl(self.fd(slot), fcntl.F_GETFL)

    def copy_range(self, slot, other, size, source, target):
        return os.copy_file_range(self.fd(slot), self.fd(other), size, source, target)

    def sendfile(self, slot, other, offset, size):
        return os.sendfile(self.fd(slot), self.fd(other), offset, size)

    def splice(self, slot, other, size, source, target):
        return os.splice(self.fd(slot), self.fd(other), size, source, target, 2)

    def tee(self, slot, other, size):
        count = LIBC.tee(self.fd(slot), self.fd(other), ctypes.c_size_t(size), 2)
        if count < 0:
            raise OSError(ctypes.get_errno(), "tee")
        return count

    def name(self, slot, path):
        """A name for a file without one."""
        if LIBC.linkat(self.fd(slot), b"", -100, path.encode(), 0x1000):
            raise OSError(ctypes.get_errno(), "linkat")

    # locks
    def lock(self, slot, family, kind, start, length):
        fd = self.fd(slot)
        if family == "flock":
            fcntl.flock(fd, {0: fcntl.LOCK_SH, 1: fcntl.LOCK_EX, 2: fcntl.LOCK_UN}[kind] | fcntl.LOCK_NB)
            return "locked"
        fcntl.fcntl(fd, LOCKS[family], struct.pack("hhqqi4x", kind, 0, start, length, 0))
        return "locked"

    def query(self, slot, kind, start, length):
        fd = self.fd(slot)
        wanted = struct.pack("hhqqi4x", kind, 0, start, length, 0)
        kind, whence, start, length, _ = struct.unpack("hhqqi4x", fcntl.fcntl(fd, 36, wanted))
        return kind, whence, start, length

    # pipes, sockets, events
    def pipe(self, flags):
        return self.keep(*os.pipe2(flags | os.O_NONBLOCK))

    def pipe_size(self, slot, size):
        return fcntl.fcntl(self.fd(slot), 1031, size), fcntl.fcntl(self.fd(slot), 1032)

    def socketpair(self, kind):
        pair = socket.socketpair(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK)
        return self.keep(*(end.detach() for end in pair))

    def socket(self, kind):
        return self.keep(socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK).detach())

    def borrow(self, slot):
        return Borrowed(fileno=os.dup(self.fd(slot)))

    def bind(self, slot, path):
        with self.borrow(slot) as it:
            return it.bind(path)

    def connect(self, slot, path):
        with self.borrow(slot) as it:
            return it.connect(path)

    def listen(self, slot, backlog):
        with self.borrow(slot) as it:
            return it.listen(backlog)

    def accept(self, slot):
        with self.borrow(slot) as it:
            fd, _ = it._accept()
            os.set_blocking(fd, False)
            return self.keep(fd)

    def shutdown(self, slot, how):
        with self.borrow(slot) as it:
            return it.shutdown(how)

    def send(self, slot, text, times, flags):
        with self.borrow(slot) as it:
            return it.send(text.encode() * times, flags | socket.MSG_NOSIGNAL)

    def send_to(self, slot, text, path):
        with self.borrow(slot) as it:
            return it.sendto(text.encode(), socket.MSG_NOSIGNAL, path)

    def receive(self, slot, size, flags):
        with self.borrow(slot) as it:
            return it.recvfrom(size, flags)

    def pass_fd(self, slot, other):
        with self.borrow(slot) as it:
            data = array.array("i", [self.fd(other)])
            return it.sendmsg([b"fd"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, data)], socket.MSG_NOSIGNAL)

    def take_fd(self, slot, room):
        with self.borrow(slot) as it:
            data, control, flags, _ = it.recvmsg(16, room)
        fds = array.array("i")
        for _, _, body in control:
            fds.frombytes(body[: len(body) - len(body) % 4])
        return data, self.keep(*fds), flags

    def eventfd(self, initial, flags):
        return self.keep(os.eventfd(initial, flags | os.EFD_NONBLOCK))

    def epoll(self):
        poller = select.epoll()
        return self.keep(os.dup(poller.fileno()))

    def watch(self, slot, other, act, events):
        event = struct.pack("=Iq", events, self.fd(other))
        if LIBC.epoll_ctl(self.fd(slot), act, self.fd(other), event):
            raise OSError(ctypes.get_errno(), "epoll_ctl")

    def wait(self, slot, most):
        buffer = ctypes.create_string_buffer(12 * 32)
        count = LIBC.epoll_wait(self.fd(slot), buffer, most, 0)
        if count < 0:
            raise OSError(ctypes.get_errno(), "epoll_wait")
        return [struct.unpack_from("=Iq", buffer, 12 * index) for index in range(count)]

    def poll(self, slot, events):
        poller = select.poll()
        poller.register(self.fd(slot), events)
        return [mask for _, mask in poller.poll(0)]


class Borrowed(socket.socket):
    """A socket object over somebody's descriptor."""


def shown(info):
    """What two correct kernels agree on."""
    kind = stat.S_IFMT(info.st_mode)
    size = info.st_size if kind in (stat.S_IFREG, stat.S_IFLNK) else "-"
    return oct(info.st_mode), info.st_nlink, size


def tree(path, depth=0):
    """Print all that is below."""
    for name in sorted(os.listdir(path)):
        full = os.path.join(path, name)
        info = os.lstat(full)
        text = ""
        if stat.S_ISLNK(info.st_mode):
            text = os.readlink(full)
        elif stat.S_ISREG(info.st_mode):
            os.chmod(full, 0o600)
            with open(full, "rb") as file:
                text = file.read(200)
        print("  " * depth, name, *shown(info), text)
        if stat.S_ISDIR(info.st_mode):
            os.chmod(full, 0o700)
            tree(full, depth + 1)


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.umask(0o022)
    root = os.path.join(sys.argv[1], "root")
    for line in sys.stdin:
        os.mkdir(root)
        os.chdir(root)
        player = Player()
        player.play(json.loads(line))
        player.close_all()
        os.chdir(sys.argv[1])
        tree(root)
        print("end", flush=True)
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
