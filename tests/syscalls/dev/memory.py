"""/dev/null, zero, full, random, fd: what reads, writes, seeks and mappings of them do."""

import errno
import fcntl
import mmap
import os
import stat
import struct


def attempt(name, act):
    try:
        print(name, act())
    except OSError as error:
        print(name, errno.errorcode[error.errno])


for name in ("null", "zero", "full", "random", "urandom", "tty"):
    info = os.stat("/dev/" + name)
    print(name, stat.S_ISCHR(info.st_mode), oct(info.st_mode & 0o777), os.major(info.st_rdev), os.minor(info.st_rdev))
for name in ("fd", "stdin", "stdout", "stderr"):
    print(name, os.readlink("/dev/" + name))

null = os.open("/dev/null", os.O_RDWR)
attempt("null read", lambda: os.read(null, 10))
attempt("null write", lambda: os.write(null, b"12345"))
attempt("null seek", lambda: os.lseek(null, 100, os.SEEK_SET) >= 0)
attempt("null map", lambda: mmap.mmap(null, 4096, mmap.MAP_PRIVATE))
attempt("null truncate", lambda: os.ftruncate(null, 0))

zero = os.open("/dev/zero", os.O_RDWR)
attempt("zero read", lambda: os.read(zero, 5))
attempt("zero read much", lambda: len(os.read(zero, 300_000)))
attempt("zero write", lambda: os.write(zero, b"12345"))
private = mmap.mmap(zero, 8192, mmap.MAP_PRIVATE)
private[5000] = 7
print("zero private", private[0], private[5000])
shared = mmap.mmap(os.open("/dev/zero", os.O_RDWR), 8192, mmap.MAP_SHARED)
if os.fork() == 0:
    shared[100] = 9
    os._exit(0)
os.wait()
print("zero shared", shared[100], private[100])

full = os.open("/dev/full", os.O_RDWR)
attempt("full read", lambda: os.read(full, 3))
attempt("full write", lambda: os.write(full, b"x"))
attempt("full write nothing", lambda: os.write(full, b""))

random = os.open("/dev/urandom", os.O_RDWR)
first, second = os.read(random, 64), os.read(random, 64)
print("random", len(first), first != second, len(os.read(random, 100_000)))
attempt("random write", lambda: os.write(random, b"seed"))
attempt("random entropy", lambda: struct.unpack("i", fcntl.ioctl(random, 0x80045200, bytes(4)))[0] > 0)
attempt("random map", lambda: mmap.mmap(random, 4096, mmap.MAP_PRIVATE))

attempt("mkdir in null", lambda: os.mkdir("/dev/null/x"))
reader, writer = os.pipe()
os.write(writer, b"through the link")
again = os.open(f"/dev/fd/{reader}", os.O_RDONLY)
print("dev fd", os.read(again, 100))
os.close(writer)
attempt("dev fd closed", lambda: os.open(f"/dev/fd/{writer}", os.O_RDONLY))

for name in ("null", "zero", "full", "random", "urandom"):
    fd = os.open(f"/dev/{name}", os.O_RDONLY)
    print(name, "lseek", [os.lseek(fd, offset, whence) for offset in (5, -7, 1 << 62) for whence in range(5)], os.lseek(fd, 0, 1))
    os.close(fd)
