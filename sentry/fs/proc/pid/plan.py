"""What is in /proc/PID and /proc/PID/task/TID: the table of contents."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc.net.plan import make_net
from sentry.fs.proc.pid import (
    fd,
    limits,
    links,
    map_files,
    maps,
    memory,
    mounts,
    oom,
    pagemap,
    program,
    scheduling,
    small,
    stat,
    status,
)
from sentry.fs.proc.pid.directory import PidDirectory, PidFile, PidNode, Plan
from sentry.fs.proc.pid.target import Target
from sentry.fs.synthetic.node import DynamicDirectory
from sentry.vfs.stat import Attr
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.vfs.inode import Inode

_LINK: Final = S_IFLNK | 0o777

#: what a thread and a process have in common
THREAD: Final[Plan] = {
    b"arch_status": PidFile(scheduling.arch_status),
    b"attr": PidNode(lambda fs, target, attr: PidDirectory(fs, target, attr, small.ATTR), S_IFDIR | 0o555),
    b"auxv": PidFile(program.auxv, mode=0o400, is_private=True),
    b"cgroup": PidFile(small.cgroup),
    b"children": PidFile(small.children),
    b"cmdline": PidFile(program.cmdline),
    b"comm": PidFile(program.comm, mode=0o644, command=program.set_comm),
    b"cpuset": PidFile(scheduling.cpuset),
    b"cwd": PidNode(links.cwd, _LINK),
    b"environ": PidFile(program.environ, mode=0o400, is_private=True),
    b"exe": PidNode(links.exe, _LINK),
    b"fd": PidNode(fd.FdDirectory, S_IFDIR | 0o500),
    b"fdinfo": PidNode(fd.FdInfoDirectory, S_IFDIR | 0o555),
    b"gid_map": PidFile(small.id_map, mode=0o644, command=small.refuse),
    b"io": PidFile(stat.io, mode=0o400, is_private=True),
    b"limits": PidFile(limits.limits),
    b"loginuid": PidFile(small.loginuid, mode=0o644, command=small.refuse),
    b"maps": PidFile(maps.maps, is_private=True),
    b"mem": PidNode(memory.MemInode, S_IFREG | 0o600),
    b"mountinfo": PidFile(mounts.mountinfo),
    b"mounts": PidFile(mounts.mounts),
    b"net": PidNode(make_net, S_IFDIR | 0o555),
    b"ns": PidNode(links.NamespaceDirectory, S_IFDIR | 0o511),
    b"numa_maps": PidFile(memory.numa_maps, is_private=True),
    b"oom_adj": PidFile(oom.read_old, mode=0o644, command=oom.write_old),
    b"oom_score": PidFile(oom.score),
    b"oom_score_adj": PidFile(oom.read, mode=0o644, command=oom.write),
    b"pagemap": PidNode(pagemap.PagemapInode, S_IFREG | 0o400),
    b"personality": PidFile(small.personality, mode=0o400, is_private=True),
    b"projid_map": PidFile(small.id_map, mode=0o644, command=small.refuse),
    b"root": PidNode(links.root, _LINK),
    b"sched": PidFile(scheduling.sched, mode=0o644, command=small.refuse, is_private=True),
    b"schedstat": PidFile(stat.schedstat),
    b"sessionid": PidFile(small.sessionid),
    b"setgroups": PidFile(small.setgroups, mode=0o644, command=small.refuse),
    b"smaps": PidFile(maps.smaps, is_private=True),
    b"smaps_rollup": PidFile(maps.smaps_rollup, is_private=True),
    b"stack": PidFile(small.stack, mode=0o400),
    b"stat": PidFile(stat.stat),
    b"statm": PidFile(stat.statm),
    b"status": PidFile(status.status),
    b"syscall": PidFile(scheduling.syscall, mode=0o400, is_private=True),
    b"uid_map": PidFile(small.id_map, mode=0o644, command=small.refuse),
    b"wchan": PidFile(small.wchan),
}


class ThreadList(DynamicDirectory):
    """/proc/PID/task."""

    __slots__ = ("_key", "target")

    def __init__(self, fs: "SyntheticFileSystem", target: Target, attr: Attr) -> None:
        super().__init__(fs, attr)
        self.target = target
        self._key = attr.ino

    def names(self) -> list[bytes]:
        """The threads in order of their numbers; a zombie's leader is still listed."""
        if not self.target.exists:
            return []
        return [b"%d" % tid for tid in sorted(self.target.group.tasks)]

    async def getattr(self) -> Attr:
        """The links tell how many threads there are, which programs rely on to know that they have but one."""
        self.attr.nlink = 2 + len(self.target.group.tasks)
        return self.attr

    def find(self, name: bytes) -> "Inode | None":
        """The directory of a thread of this process."""
        if not name.isdigit() or not self.target.exists:
            return None
        task = self.target.group.tasks.get(int(name))
        if task is None:
            return None
        fs = self.fs
        key = (self._key, task.tid)

        def make() -> PidDirectory:
            return PidDirectory(fs, Target(task.group, task), fs.new_attr(S_IFDIR | 0o555, nlink=7, ino=fs.ino_of(key)), THREAD)

        inode = fs.intern((self._key, task), make)
        inode.attr.uid, inode.attr.gid = task.credentials.euid, task.credentials.egid
        return inode


_SHARED: Final = {name: wish for name, wish in THREAD.items() if name != b"children"}
PROCESS: Final[Plan] = {
    **_SHARED,
    b"coredump_filter": PidFile(small.coredump_filter, mode=0o644, command=small.refuse),
    b"map_files": PidNode(map_files.MapFilesDirectory, S_IFDIR | 0o500),
    b"mountstats": PidFile(mounts.mountstats, mode=0o400),
    b"task": PidNode(ThreadList, S_IFDIR | 0o555),
    b"timens_offsets": PidFile(scheduling.timens_offsets, mode=0o644, command=small.refuse),
    b"timerslack_ns": PidFile(small.timerslack, mode=0o666),
}
