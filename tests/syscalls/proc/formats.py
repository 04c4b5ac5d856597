# guest: pid1 net
"""Files of /proc and /sys that programs read: whether they are there, their modes, and the names of their lines."""

import ctypes
import os
import re
import select
import socket
import stat

#: what a kernel may have been built without, or has only since some version
OPTIONAL = {"Balloon", "Zswap", "Zswapped", "Unaccepted", "FileHugePages", "SecPageTables", "Seccomp_filters", "untag_mask",
            "THP_enabled", "Kthread", "Umask", "GPUActive", "GPUReclaim", "CmaTotal", "CmaFree", "HardwareCorrupted"}  # fmt: skip


def shape(path):
    """The names of a file's lines, in order, without repeats."""
    names = []
    with open(path, errors="replace") as file:
        for line in file.read().splitlines():
            name = re.match(r"([\w()]+)[\t ]*:", line)
            plain = re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+(\.\d+)?|unlimited", "N", " ".join(line.split()))
            text = name.group(1) if name else plain
            if text not in names and text not in OPTIONAL and not text.startswith("DirectMap"):
                names.append(text)
    return names


def show(path):
    try:
        found = os.lstat(path)
    except OSError as error:
        print(path, os.strerror(error.errno))
        return
    kind = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}.get(stat.S_IFMT(found.st_mode), oct(found.st_mode & 0o7777))
    print(path, kind)


PROCESS = """arch_status attr auxv cgroup cmdline comm coredump_filter cpuset cwd environ exe fd fdinfo gid_map io limits loginuid
map_files maps mem mountinfo mounts mountstats net ns numa_maps oom_adj oom_score oom_score_adj pagemap personality projid_map
root sched schedstat sessionid setgroups smaps smaps_rollup stat statm status syscall task timens_offsets timerslack_ns uid_map
wchan"""
THREAD = """attr/current attr/exec attr/fscreate attr/keycreate attr/prev attr/sockcreate cgroup cmdline comm cwd exe fd limits
maps mem mountinfo mounts ns oom_score_adj sched schedstat smaps stat statm status syscall uid_map wchan"""
TOP = """bus cgroups cmdline consoles cpuinfo crypto devices diskstats driver execdomains filesystems fs interrupts irq key-users
keys loadavg locks meminfo misc mounts net partitions self softirqs stat swaps sys sysvipc thread-self tty/drivers tty/ldiscs
uptime version vmstat"""
SYS = """kernel/arch kernel/cap_last_cap kernel/core_pattern kernel/core_pipe_limit kernel/core_uses_pid kernel/domainname
kernel/hostname kernel/hung_task_timeout_secs kernel/keys/maxkeys kernel/kptr_restrict kernel/msgmax kernel/msgmnb kernel/msgmni
kernel/ngroups_max kernel/osrelease kernel/ostype kernel/overflowgid kernel/overflowuid kernel/panic kernel/panic_on_oops
kernel/perf_event_mlock_kb kernel/perf_event_paranoid kernel/pid_max kernel/printk kernel/pty/max kernel/pty/nr
kernel/random/boot_id kernel/random/entropy_avail kernel/random/poolsize kernel/random/uuid kernel/randomize_va_space
kernel/sched_rr_timeslice_ms kernel/sched_rt_period_us kernel/sched_rt_runtime_us kernel/seccomp/actions_avail
kernel/seccomp/actions_logged kernel/sem kernel/shmall kernel/shmmax kernel/shmmni kernel/sysctl_writes_strict kernel/tainted
kernel/threads-max kernel/timer_migration kernel/version fs/aio-max-nr fs/aio-nr fs/dentry-state fs/epoll/max_user_watches
fs/file-max fs/file-nr fs/inode-nr fs/inode-state fs/inotify/max_queued_events fs/inotify/max_user_instances
fs/inotify/max_user_watches fs/lease-break-time fs/leases-enable fs/mount-max fs/mqueue/msg_max fs/mqueue/queues_max fs/nr_open
fs/overflowgid fs/overflowuid fs/pipe-max-size fs/pipe-user-pages-hard fs/pipe-user-pages-soft fs/protected_fifos
fs/protected_hardlinks fs/protected_regular fs/protected_symlinks fs/suid_dumpable vm/admin_reserve_kbytes vm/compact_memory
vm/dirty_background_bytes vm/dirty_background_ratio vm/dirty_bytes vm/dirty_expire_centisecs vm/dirty_ratio
vm/dirty_writeback_centisecs vm/drop_caches vm/extfrag_threshold vm/hugetlb_shm_group vm/laptop_mode vm/legacy_va_layout
vm/lowmem_reserve_ratio vm/max_map_count vm/min_free_kbytes vm/mmap_min_addr vm/nr_hugepages vm/nr_overcommit_hugepages
vm/oom_dump_tasks vm/oom_kill_allocating_task vm/overcommit_kbytes vm/overcommit_memory vm/overcommit_ratio vm/page-cluster
vm/panic_on_oom vm/stat_interval vm/swappiness vm/user_reserve_kbytes vm/vfs_cache_pressure vm/watermark_scale_factor
vm/zone_reclaim_mode user/max_user_namespaces user/max_inotify_instances user/max_inotify_watches net/core/somaxconn"""
DEVICES = """block bus class/net/lo class/tty/tty class/tty/ptmx class/mem/null class/mem/urandom dev/char/1:3 dev/char/5:0
devices/system/cpu/cpu0/topology/core_cpus_list devices/system/cpu/cpu0/topology/core_id
devices/system/cpu/cpu0/topology/die_id devices/system/cpu/cpu0/topology/package_cpus
devices/system/cpu/cpu0/topology/physical_package_id devices/system/cpu/cpu0/topology/thread_siblings
devices/system/cpu/isolated devices/system/cpu/kernel_max devices/system/cpu/offline devices/system/cpu/online
devices/system/cpu/possible devices/system/cpu/present devices/system/node/node0/cpulist devices/system/node/node0/distance
devices/system/node/node0/meminfo devices/system/node/online firmware fs/cgroup kernel/mm/transparent_hugepage/enabled module"""

for name in PROCESS.split():
    show(f"/proc/self/{name}")
for name in THREAD.split():
    show(f"/proc/thread-self/{name}")
for name in TOP.split():
    show(f"/proc/{name}")
for name in SYS.split():
    show(f"/proc/sys/{name}")
for name in DEVICES.split():
    show(f"/sys/{name}")

for name in ("status", "smaps_rollup", "limits", "io", "schedstat", "stat", "statm", "syscall", "oom_adj", "projid_map",
             "uid_map", "timens_offsets", "cpuset", "coredump_filter", "personality", "wchan", "setgroups"):  # fmt: skip
    print(name, shape(f"/proc/self/{name}"))
text = open("/proc/self/smaps").read()
print("smaps", sorted({line.split(":")[0] for line in text.splitlines() if re.match(r"\w+:", line)} - OPTIONAL))
print("sched", shape("/proc/self/sched")[0].split("(")[0], "nr_switches" in open("/proc/self/sched").read())
print("numa_maps", {line.split()[1] for line in open("/proc/self/numa_maps")})
for name in ("meminfo", "loadavg", "uptime", "stat", "softirqs", "swaps", "execdomains", "tty/ldiscs", "sysvipc/shm",
             "sysvipc/msg", "sysvipc/sem"):  # fmt: skip
    lines = [line for line in shape(f"/proc/{name}") if not line.startswith(("intr", "softirq", "n_null", "cpu"))]
    if name.startswith("sysvipc/"):
        lines = lines[:1]  # what others have left on the host
    print(name, [line for line in lines if "CPU" not in line])
for name in ("current", "prev"):
    try:
        open(f"/proc/self/attr/{name}").read()
    except OSError as error:
        print("attr", name, os.strerror(error.errno))

libc = ctypes.CDLL(None)
mask = (ctypes.c_ulong * 16)(1 << 9)
files = {
    "file": os.open("/etc/passwd", os.O_RDONLY),
    "eventfd": libc.eventfd(3, 0),
    "signalfd": libc.signalfd(-1, mask, 0),
    "timerfd": libc.timerfd_create(1, 0),
    "memfd": os.memfd_create("x"),
    "pidfd": os.pidfd_open(os.getpid()),
    "pipe": os.pipe()[0],
    "socket": socket.socket().detach(),
}
poll = select.epoll()
poll.register(files["eventfd"], select.EPOLLIN | select.EPOLLONESHOT)
files["epoll"] = poll.fileno()
for name, number in files.items():
    lines = dict(re.split(r":\s*", line, maxsplit=1) for line in open(f"/proc/self/fdinfo/{number}").read().splitlines())
    hidden = {"mnt_id", "ino", "eventfd-id", "NSpid", "Pid", "scm_fds"}
    print("fdinfo", name, sorted(lines), {key: value for key, value in lines.items() if key not in hidden and key != "tfd"})
    if name == "epoll":
        print("fdinfo epoll events", lines["tfd"].split()[2])

net = "/sys/class/net/lo"
print("lo" in os.listdir("/sys/class/net"), os.readlink(net), sorted(os.listdir(f"{net}/statistics"))[:3])
for name in ("address", "addr_len", "broadcast", "flags", "ifindex", "mtu", "operstate", "type", "tx_queue_len", "uevent"):
    print(name, repr(open(f"{net}/{name}").read()))
print(open("/sys/class/mem/null/dev").read(), open("/sys/dev/char/5:2/uevent").read())
