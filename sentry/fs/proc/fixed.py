"""Files at the top of /proc that are the same in every sandbox."""

from typing import Final

CGROUPS: Final = b"#subsys_name\thierarchy\tnum_cgroups\tenabled\n" + b"".join(
    b"%b\t0\t1\t1\n" % name for name in (b"cpu", b"memory", b"pids")
)
CMDLINE: Final = b"\n"
CRYPTO: Final = b""
DEVICES: Final = b"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n"
FILESYSTEMS: Final = b"".join(
    b"nodev\t%b\n" % name
    for name in (b"sysfs", b"tmpfs", b"proc", b"cgroup2", b"sockfs", b"pipefs", b"ramfs", b"devpts", b"overlay", b"mqueue")
)
PARTITIONS: Final = b"major minor  #blocks  name\n\n"
SWAPS: Final = b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
#: headers of the System V IPC tables (Linux: ipc/msg.c, sem.c, shm.c)
SYSVIPC: Final = {
    b"msg": (
        b"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime"
        b"      ctime\n"
    ),
    b"sem": b"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
    b"shm": (
        b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime"
        b"      ctime                   rss                  swap\n"
    ),
}
