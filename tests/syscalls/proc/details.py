"""/proc of processes in each state, of mappings and of descriptors of each kind: what does not depend on the host."""

# guest: timeout=60
import ctypes
import mmap
import os
import select
import signal
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE = 4096
signal.alarm(60)


def text(path):
    with open(path, "rb") as file:
        return file.read().decode(errors="replace")


# Mappings

HERE = os.getcwd()


def line_of(address):
    for line in text("/proc/self/maps").splitlines():
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        if low <= address < high:
            return low, high, line
    return None


def show_mapping(what, address, fd=-1):
    found = line_of(address)
    if found is None:
        print("map", what, "not there")
        return
    low, _, line = found
    words = line.split(None, 5)
    info = os.fstat(fd) if fd >= 0 else None
    inode = "ours" if info is not None and int(words[4]) == info.st_ino else words[4]
    name = words[5] if len(words) > 5 else ""
    device = "ours" if info is not None and words[3] == f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}" else words[3]
    if name == "/dev/zero (deleted)" or name.startswith("/memfd:"):
        device = inode = "-"
    print(
        "map",
        what,
        words[1],
        words[2],
        device,
        inode,
        name.replace(HERE, "."),
        "first" if low == address else "inside",
        flush=True,
    )


def mapped(length, protection, flags, fd=-1, offset=0):
    return libc.mmap(None, length, protection, flags, fd, offset)


with open("file", "wb") as file:
    file.write(b"x" * 5 * PAGE)
fd = os.open("file", os.O_RDWR)
SHARED, PRIVATE, ANONYMOUS = mmap.MAP_SHARED, mmap.MAP_PRIVATE, mmap.MAP_ANONYMOUS
guard = mapped(PAGE, 0, PRIVATE | ANONYMOUS)
show_mapping("file private", mapped(2 * PAGE, 1, PRIVATE, fd, PAGE), fd)
show_mapping("file shared", mapped(2 * PAGE, 3, SHARED, fd, 2 * PAGE), fd)
one = mapped(3 * PAGE, 1, SHARED, fd, 0)
libc.mprotect(one + PAGE, PAGE, 3)
for page in range(3):
    show_mapping(f"file page {page}", one + page * PAGE, fd)
libc.munmap(one + PAGE, PAGE)
show_mapping("unmapped", one + PAGE, fd)
show_mapping("after it", one + 2 * PAGE, fd)
show_mapping("anonymous shared", mapped(PAGE, 3, SHARED | ANONYMOUS))
held = mapped(3 * PAGE, 0, PRIVATE | ANONYMOUS)
libc.mprotect(held + PAGE, PAGE, 1)
show_mapping("anonymous", held + PAGE)
os.rename("file", "other name")
show_mapping("renamed", one, fd)
os.unlink("other name")
show_mapping("deleted", one, fd)
odd = os.open("odd\nname \\x", os.O_RDWR | os.O_CREAT, 0o600)
os.ftruncate(odd, PAGE)
show_mapping("odd name", mapped(PAGE, 1, SHARED, odd), odd)
memory = os.memfd_create("a name")
os.ftruncate(memory, PAGE)
show_mapping("memfd", mapped(PAGE, 3, SHARED, memory), memory)
names = [line.split(None, 5)[5] for line in text("/proc/self/maps").splitlines() if len(line.split(None, 5)) > 5]
print("maps", "[stack]" in names, "[heap]" in names, any("python" in name for name in names))

# States

WANTED = ["Name", "Umask", "State", "Ngid", "Uid", "Gid", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"]


def show_status(what, pid):
    lines = dict(line.split(":\t", 1) for line in text(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    # who started the test may ignore signals that only the C library uses
    lines["SigIgn"] = f"{int(lines['SigIgn'], 16) & ~(3 << 31):016x}"
    print("status", what, [(name, lines.get(name)) for name in WANTED])
    print("  numbers", int(lines["Pid"]) == pid, int(lines["Tgid"]) == pid, int(lines["PPid"]) == os.getpid(), lines["TracerPid"])
    print(
        "  memory",
        [name in lines for name in ("VmPeak", "VmSize", "VmRSS", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap")],
    )
    stat = text(f"/proc/{pid}/stat").rsplit(")", 1)
    words = stat[1].split()
    print(
        "  stat",
        stat[0].split("(", 1)[1],
        words[0],
        int(words[1]) == os.getpid(),
        words[17],
        words[18],
        len(words),
        int(words[20]) > 0,
    )
    print(
        "  statm", len(text(f"/proc/{pid}/statm").split()), "cmdline", text(f"/proc/{pid}/cmdline").split("\0")[0][-7:] or "none"
    )


def child(body):
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        os.close(ready)
        os.write(tell, b"x")
        os.close(tell)
        body()
        os._exit(0)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return pid


def until(pid, letter):
    while text(f"/proc/{pid}/stat").rsplit(") ", 1)[1][0] != letter:
        os.sched_yield()


def sleeper():
    os.umask(0o27)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, 40})
    libc.prctl(15, b"a name)(\n\\", 0, 0, 0)
    os.read(os.pipe()[0], 1)


pid = child(sleeper)
until(pid, "S")
while "a name" not in text(f"/proc/{pid}/comm"):
    os.sched_yield()
until(pid, "S")
os.kill(pid, signal.SIGTERM)
show_status("sleeping", pid)
print("comm", repr(text(f"/proc/{pid}/comm")))
os.kill(pid, signal.SIGSTOP)
until(pid, "T")
show_status("stopped", pid)
os.kill(pid, signal.SIGKILL)
until(pid, "Z")
show_status("zombie", pid)
for name in ("maps", "cmdline", "limits"):
    try:
        print("zombie's", name, bool(text(f"/proc/{pid}/{name}")))
    except OSError as error:
        print("zombie's", name, type(error).__name__)
for name in ("exe", "cwd", "root"):
    try:
        print("zombie", name, os.readlink(f"/proc/{pid}/{name}"))
    except OSError as error:
        print("zombie", name, type(error).__name__)
os.waitpid(pid, 0)
for name in ("", "/status", "/fd", "/exe"):
    try:
        os.stat(f"/proc/{pid}{name}")
        print("still there")
    except OSError as error:
        print("gone", name, type(error).__name__)

# Descriptors


def show_descriptor(what, number):
    link = os.readlink(f"/proc/self/fd/{number}").replace(HERE, ".")
    head = link.split("[")[0] if link.startswith(("pipe:", "socket:")) else link
    mode = os.lstat(f"/proc/self/fd/{number}").st_mode & 0o777
    lines = [line for line in text(f"/proc/self/fdinfo/{number}").splitlines() if not line.startswith(("mnt_id", "ino:"))]
    kept = [
        line.replace("\t", " ")
        for line in lines
        if line.split(":")[0] in ("pos", "flags", "eventfd-count", "clockid", "ticks", "sigmask", "lock")
    ]
    print("fd", what, head, oct(mode), kept)


os.lseek(odd, 5, 0)
show_descriptor("file", odd)
show_descriptor("read only", os.open("odd\nname \\x", os.O_RDONLY | os.O_CLOEXEC))
show_descriptor("write only", os.open("odd\nname \\x", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
show_descriptor("deleted", fd)
show_descriptor("path", os.open(".", os.O_PATH | os.O_DIRECTORY))
show_descriptor("folder", os.open(".", os.O_RDONLY))
show_descriptor("memfd", memory)
for end in os.pipe():
    show_descriptor("pipe", end)
keep = socket.socketpair()
show_descriptor("socket", keep[0].fileno())
counter = libc.eventfd(7, 0)
show_descriptor("eventfd", counter)
show_descriptor("timer", libc.timerfd_create(1, 0))
show_descriptor("signals", libc.signalfd(-1, struct.pack("16Q", 1 << 9, *[0] * 15), 0))
poller = select.epoll()
poller.register(counter, select.EPOLLIN)
show_descriptor("epoll", poller.fileno())
show_descriptor("inotify", libc.inotify_init1(0))
show_descriptor("null", os.open("/dev/null", os.O_RDWR))
print(
    "epoll",
    [line.split()[:4] for line in text(f"/proc/self/fdinfo/{poller.fileno()}").splitlines() if line.startswith("tfd")] != [],
)
for name in (
    "/proc/self/fd/900",
    "/proc/self/fd/x",
    "/proc/self/fd/01",
    "/proc/self/fdinfo/900",
    "/proc/self/task/1x",
    "/proc/0",
    "/proc/99999999",
):
    try:
        os.stat(name)
        print(name, "there")
    except OSError as error:
        print(name, type(error).__name__)
for name in (
    "/proc/self/maps",
    "/proc/self/fd",
    "/proc/self/exe",
    "/proc/self",
    "/proc/self/fdinfo",
    "/proc/self/task",
    "/proc/self/mem",
    "/proc/self/comm",
):
    info = os.lstat(name)
    print(
        "mode", name, oct(info.st_mode), info.st_size if not name.endswith(("self", "/fd")) else "-", info.st_uid == os.getuid()
    )
for name, flags in (
    ("maps", os.O_WRONLY),
    ("status", os.O_RDWR),
    ("comm", os.O_WRONLY),
    ("stat", os.O_RDONLY | os.O_TRUNC),
    ("new", os.O_CREAT | os.O_WRONLY),
):
    try:
        os.close(os.open(f"/proc/self/{name}", flags))
        print("open", name, "ok")
    except OSError as error:
        print("open", name, error.errno)
sys.stdout.flush()
