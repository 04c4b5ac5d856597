"""/proc/self: identity, links, descriptors, memory map; what a program learns of itself."""

import errno
import os
import re
import sys


def read(path):
    with open(path, "rb") as file:
        return file.read()


def attempt(name, act):
    try:
        print(name, act())
    except OSError as error:
        print(name, errno.errorcode[error.errno])


pid = os.getpid()
print("self", os.readlink("/proc/self") == str(pid), os.readlink("/proc/thread-self") == f"{pid}/task/{pid}")
print("exe", os.path.basename(os.readlink("/proc/self/exe")) == os.path.basename(os.path.realpath(sys.executable)))
print("exe is the same file", os.path.samefile("/proc/self/exe", sys.executable))
print("cwd", os.readlink("/proc/self/cwd") == os.getcwd(), os.readlink("/proc/self/root"))
os.chdir("/")
print("cwd moved", os.readlink("/proc/self/cwd"))

cmdline = read("/proc/self/cmdline").split(b"\0")
print("cmdline", cmdline[-1] == b"", os.path.basename(cmdline[-2]))
os.environb[b"LATE"] = b"1"
print("environ", b"PATH=" in read("/proc/self/environ"), b"LATE=" in read("/proc/self/environ"))

with open("/proc/self/comm", "wb") as file:
    file.write(b"a-name-that-is-too-long\n")
print("comm", read("/proc/self/comm"))

status = dict(line.split(":\t", 1) for line in read("/proc/self/status").decode().splitlines())
print("status name", status["Name"], status["State"])
print("status ids", int(status["Pid"]) == pid, int(status["PPid"]) == os.getppid(), int(status["Tgid"]) == pid)
print("status uid", [int(word) for word in status["Uid"].split()] == list(os.getresuid()) + [os.geteuid()])
print("status threads", status["Threads"])
STATUS = """Umask TracerPid FDSize VmSize VmRSS VmHWM VmData SigQ SigBlk SigCgt CapEff Cpus_allowed_list"""
for name in re.findall(r"\w+", STATUS):
    print("has", name, name in status)
old = os.umask(0o137)
print("umask", [line for line in read("/proc/self/status").splitlines() if line.startswith(b"Umask")])
os.umask(old)

words = read("/proc/self/stat").rsplit(b")", 1)[1].split()
print("stat fields", len(words) + 2, words[0])
print("stat ids", int(words[1]) == os.getppid(), int(words[2]) == os.getpgrp(), int(words[3]) == os.getsid(0))
print("statm fields", len(read("/proc/self/statm").split()))
print("limits lines", len(read("/proc/self/limits").splitlines()))

fd = os.open("/etc/passwd", os.O_RDONLY)
print("fd link", os.readlink(f"/proc/self/fd/{fd}"), oct(os.lstat(f"/proc/self/fd/{fd}").st_mode))
os.read(fd, 7)
info = read(f"/proc/self/fdinfo/{fd}").decode().split()
print("fdinfo", info[:2], info[2], int(info[3], 8) & ~0o100000)
again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
print("reopened at", os.lseek(again, 0, os.SEEK_CUR), os.path.sameopenfile(fd, again))
reader, writer = os.pipe()
print("pipe link", re.sub(r"\d+", "N", os.readlink(f"/proc/self/fd/{reader}")), oct(os.lstat(f"/proc/self/fd/{writer}").st_mode))
listed = os.listdir("/proc/self/fd")
print("listing", str(reader) in listed, str(fd) in listed, sorted(listed, key=int) == listed)
os.close(fd)
attempt("closed", lambda: os.readlink(f"/proc/self/fd/{fd}"))
attempt("not a number", lambda: os.readlink("/proc/self/fd/x"))
attempt("leading zero", lambda: os.readlink("/proc/self/fd/00"))

path = f"/tmp/proc-self-{pid}"
with open(path, "w+b") as file:
    file.write(b"still here")
    file.flush()
    os.unlink(path)
    print("deleted", os.readlink(f"/proc/self/fd/{file.fileno()}") == path + " (deleted)")
    print("reopened deleted", read(f"/proc/self/fd/{file.fileno()}"))

maps = read("/proc/self/maps").decode().splitlines()
line = re.compile(r"[0-9a-f]{8,16}-[0-9a-f]{8,16} [r-][w-][x-][ps] [0-9a-f]{8,16} [0-9a-f]{2,}:[0-9a-f]{2,} \d+ *(.*)")
print("maps parse", all(line.fullmatch(text) for text in maps))
names = {match.group(1) for text in maps if (match := line.fullmatch(text))}
print("maps names", any("libc" in name for name in names), "[stack]" in names, "[vdso]" in names, "[heap]" in names)
print("maps files exist", all(os.path.exists(name) for name in names if name.startswith("/")))
print("maps exe", os.path.realpath(sys.executable) in names)
print("rollup", read("/proc/self/smaps_rollup").splitlines()[1][:4])

print("task", os.listdir("/proc/self/task") == [str(pid)])
attempt("no such process", lambda: os.listdir("/proc/4194303"))
attempt("no such file", lambda: read("/proc/self/nothing"))
attempt("create", lambda: os.open("/proc/self/new", os.O_CREAT | os.O_WRONLY))
attempt("mkdir", lambda: os.mkdir("/proc/new"))
attempt("unlink", lambda: os.unlink("/proc/version"))
attempt("write to read-only", lambda: os.access("/proc/self/maps", os.R_OK))

child = os.fork()
if child == 0:
    os._exit(3)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print("zombie", read(f"/proc/{child}/stat").rsplit(b")", 1)[1].split()[0], read(f"/proc/{child}/cmdline"))
os.waitpid(child, 0)
attempt("reaped", lambda: read(f"/proc/{child}/stat"))
held = os.open("/proc/self/status", os.O_RDONLY)
child = os.fork()
if child == 0:
    print("inherited file speaks of the opener", b"Pid:\t%d\n" % os.getppid() in os.read(held, 4096), flush=True)
    os._exit(0)
os.waitpid(child, 0)
