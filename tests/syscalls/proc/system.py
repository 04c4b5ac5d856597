"""The top of /proc and /sys: files that every program may read, and their form."""

import os
import re


def read(path):
    with open(path, "rb") as file:
        return file.read().decode()


meminfo = dict(re.findall(r"^([\w()]+): +(\d+)(?: kB)?$", read("/proc/meminfo"), re.M))
for name in ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree", "Shmem", "Hugepagesize"):
    print("meminfo", name, name in meminfo)
print("meminfo order", int(meminfo["MemTotal"]) >= int(meminfo["MemFree"]) > 0)
print("meminfo is sysconf", int(meminfo["MemTotal"]) * 1024 == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))

cpuinfo = re.findall(r"^processor\t: (\d+)$", read("/proc/cpuinfo"), re.M)
print("cpuinfo", [int(number) for number in cpuinfo] == sorted(os.sched_getaffinity(0)))
print("cpuinfo flags", "flags" in read("/proc/cpuinfo"))
online = read("/sys/devices/system/cpu/online").strip()
print("cpu online", bool(re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", online)), os.cpu_count() == len(cpuinfo))

stat = read("/proc/stat").splitlines()
print("stat", stat[0].split()[0], len(stat[0].split()), sum(line.startswith("cpu") for line in stat) == 1 + len(cpuinfo))
for name in ("intr", "ctxt", "btime", "processes", "procs_running", "procs_blocked", "softirq"):
    print("stat", name, any(line.startswith(name + " ") for line in stat))
print("uptime", bool(re.fullmatch(r"\d+\.\d\d \d+\.\d\d\n", read("/proc/uptime"))))
print("loadavg", bool(re.fullmatch(r"\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+/\d+ \d+\n", read("/proc/loadavg"))))

uname = os.uname()
print("version", read("/proc/version").startswith(f"Linux version {uname.release} "))
for name, field in (("ostype", "sysname"), ("osrelease", "release"), ("version", "version"), ("hostname", "nodename")):
    print("kernel", name, read(f"/proc/sys/kernel/{name}") == getattr(uname, field) + "\n")
uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n")
first, second = read("/proc/sys/kernel/random/uuid"), read("/proc/sys/kernel/random/uuid")
print("uuid", bool(uuid.fullmatch(first)), first != second)
print("boot id", read("/proc/sys/kernel/random/boot_id") == read("/proc/sys/kernel/random/boot_id"))
for path in (
    "kernel/pid_max", "kernel/cap_last_cap", "kernel/ngroups_max", "kernel/threads-max", "kernel/overflowuid", "fs/file-max",
    "fs/nr_open", "fs/pipe-max-size", "fs/inotify/max_user_watches", "vm/overcommit_memory", "vm/max_map_count",
    "vm/mmap_min_addr", "net/core/somaxconn", "kernel/random/entropy_avail",
):
    print("sys", path, read("/proc/sys/" + path).strip().isdigit())
for path in ("kernel/ngroups_max", "kernel/overflowuid", "net/core/somaxconn"):
    print("sys", path, read("/proc/sys/" + path).strip())

mounts = [line.split() for line in read("/proc/mounts").splitlines()]
print("mounts", all(len(line) == 6 for line in mounts), any(line[1] == "/proc" and line[2] == "proc" for line in mounts))
info = [line.split() for line in read("/proc/self/mountinfo").splitlines()]
print("mountinfo", all("-" in line and len(line) >= 10 for line in info))
device = os.stat("/proc").st_dev
print("mountinfo device", f"{os.major(device)}:{os.minor(device)}" in {line[2] for line in info if line[4] == "/proc"})
print("filesystems", "nodev\tproc\n" in read("/proc/filesystems"), "nodev\ttmpfs\n" in read("/proc/filesystems"))
print("links", os.readlink("/proc/mounts"), os.readlink("/proc/net"))
print("net", read("/proc/net/dev").count("|"), read("/proc/net/unix").split()[:3], read("/proc/net/tcp").split()[:3])
print("swaps", read("/proc/swaps").split()[:5])
print("limits of a read", len(os.read(os.open("/proc/version", os.O_RDONLY), 5)))
fd = os.open("/proc/version", os.O_RDONLY)
head = os.read(fd, 6)
os.lseek(fd, 0, os.SEEK_SET)
print("rewind", os.read(fd, 6) == head, os.pread(fd, 6, 0) == head, os.pread(fd, 10, 100_000))
print("size", os.stat("/proc/version").st_size, os.stat("/proc/self/status").st_size)
