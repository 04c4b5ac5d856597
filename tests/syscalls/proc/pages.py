# guest: root
"""/proc/PID/pagemap and map_files as an ordinary user sees them: pages that are there, links to mapped files, and refusals."""

import ctypes
import errno
import mmap
import os
import stat

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE, PAGES = 4096, 8
MADV_DONTNEED, MADV_NOHUGEPAGE = 4, 15
PR_SET_DUMPABLE = 4
NOBODY = 65534
ANONYMOUS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


def attempt(what, act):
    try:
        print(what, act(), flush=True)
    except OSError as error:
        print(what, errno.errorcode[error.errno], flush=True)


def mapped(flags, fd=-1, pages=PAGES, protection=3):
    address = libc.mmap(None, pages * PAGE, protection, flags, fd, 0)
    libc.madvise(address, pages * PAGE, MADV_NOHUGEPAGE)
    return address


def entries(fd, address, pages=PAGES):
    data = os.pread(fd, pages * 8, address // PAGE * 8)
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


def show(what, fd, address, pages=PAGES):
    """``x``: there, or swapped out; ``s``: of a file, or shared; a frame's number must not be told."""
    found = entries(fd, address, pages)
    marks = "".join("." if not one >> 62 else "s" if one >> 61 & 1 else "x" for one in found)
    print(what, marks, "frames told" if any(one >> 63 and one & (1 << 55) - 1 for one in found) else "no frames", flush=True)


def touch(address, *pages):
    for page in pages:
        ctypes.memset(address + page * PAGE, 1, 1)


def table():
    fd = os.open("/proc/self/pagemap", os.O_RDONLY)
    address = mapped(ANONYMOUS)
    show("fresh", fd, address)
    touch(address, 1, 3, 4)
    show("touched", fd, address)
    libc.mprotect(address + 3 * PAGE, PAGE, 0)
    show("forbidden", fd, address)
    libc.madvise(address + 4 * PAGE, PAGE, MADV_DONTNEED)
    show("given back", fd, address)
    libc.munmap(address, PAGES * PAGE)
    show("unmapped", fd, address)
    file = os.open("data", os.O_RDWR)
    shared = mapped(mmap.MAP_SHARED, file, 2)
    touch(shared, 0, 1)
    show("file shared", fd, shared, 2)
    private = mapped(mmap.MAP_PRIVATE, file, 2)
    touch(private, 0, 1)
    show("file private", fd, private, 2)


def positions():
    fd = os.open("/proc/self/pagemap", os.O_RDONLY)
    end = ((1 << 47) - PAGE) // PAGE * 8
    for offset, count in ((0, 8), (0, 0), (4, 8), (8, 4), (8, 12), (end, 8), (end - 16, 64), (1 << 60, 8), (0, 1 << 20)):
        attempt(f"pread {count} at {offset:#x}", lambda offset=offset, count=count: len(os.pread(fd, count, offset)))
    attempt(
        "seek", lambda: (os.lseek(fd, 64, os.SEEK_SET), os.lseek(fd, 8, os.SEEK_CUR), len(os.read(fd, 16)), os.lseek(fd, 0, 1))
    )
    attempt("seek to the end", lambda: os.lseek(fd, 0, os.SEEK_END))
    attempt("open to write", lambda: os.open("/proc/self/pagemap", os.O_RDWR))
    attempt("that of root", lambda: os.open(f"/proc/{os.getppid()}/pagemap", os.O_RDONLY))


def child_and_its_end():
    address = mapped(ANONYMOUS)
    touch(address, 0)
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        touch(address, 5)
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    show("child", fd, address)
    os.write(go[1], b"x")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    attempt("zombie", lambda: len(entries(fd, address)))
    os.waitpid(pid, 0)
    attempt("gone", lambda: len(entries(fd, address)))


def links():
    print("map_files", oct(os.stat("/proc/self/map_files").st_mode))
    file = os.open("data", os.O_RDWR)
    reader = os.open("data", os.O_RDONLY)
    for what, fd, flags, protection in (
        ("shared", file, mmap.MAP_SHARED, 3),
        ("read", reader, mmap.MAP_SHARED, 1),
        ("private", reader, mmap.MAP_PRIVATE, 3),
    ):
        address = mapped(flags, fd, 2, protection)
        name = f"/proc/self/map_files/{address:x}-{address + 2 * PAGE:x}"
        found = os.lstat(name)
        print(what, stat.filemode(found.st_mode), found.st_size, found.st_uid, os.path.basename(os.readlink(name)))
        print("  listed", os.path.basename(name) in os.listdir("/proc/self/map_files"))
        for call in (os.stat, lambda name: os.open(name, os.O_RDONLY)):
            attempt("  followed", lambda call=call, name=name: call(name))
        libc.munmap(address, 2 * PAGE)
        attempt("  unmapped", lambda name=name: os.lstat(name))
    address = mapped(ANONYMOUS)
    touch(address, 0)
    attempt("anonymous", lambda: os.lstat(f"/proc/self/map_files/{address:x}-{address + PAGES * PAGE:x}"))
    for name in ("0-1000", "5-3", "x", "-", "1-", "00-1", "0-10000000000000000", "", "é"):
        attempt(f"name {name!a}", lambda name=name: stat.S_ISDIR(os.lstat(f"/proc/self/map_files/{name}").st_mode))
    attempt("list of root", lambda: os.listdir(f"/proc/{os.getppid()}/map_files"))


with open("data", "wb") as data:
    data.write(b"x" * 2 * PAGE)
os.chmod("data", 0o666)
if os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setgroups([])
os.setresgid(NOBODY, NOBODY, NOBODY)
os.setresuid(NOBODY, NOBODY, NOBODY)
libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
table()
positions()
child_and_its_end()
links()
