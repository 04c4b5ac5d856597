"""/proc/sys: the settings that programs read (proc_sys(5) and its pages on kernel, fs, vm, net)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.fs.devpts.filesystem import terminals_of
from sentry.fs.proc.sys import fixed
from sentry.fs.proc.sys.fixed import number, refuse
from sentry.fs.proc.sys.ipc import FS_MQUEUE, KERNEL_IPC
from sentry.fs.synthetic.tree import File, Plan
from sentry.kernel.creds import CAP_SYS_ADMIN
from sentry.kernel.rlimits import NR_OPEN
from syscalls.abi.capability import CAP_LAST_CAP
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task

PID_MAX: Final = 4194304
HOST_NAME_MAX: Final = 64
NGROUPS_MAX: Final = 65536
PTY_MAX: Final = 4096


def _limit(choose: "Callable[[Task], int]", *, mode: int = 0o644) -> File:
    return File(lambda task: b"%d\n" % choose(task), refuse, mode)


def _uts(field: str) -> File:
    return File(lambda task: getattr(task.namespaces.uts, field) + b"\n")


def _set_uts(field: str) -> "Callable[[Task, bytes], None]":
    def command(task: "Task", data: bytes) -> None:
        """Errors: EPERM without CAP_SYS_ADMIN, EINVAL too long."""
        if not task.credentials.has(CAP_SYS_ADMIN):
            raise SyscallError(EPERM)
        name = data.split(b"\n", 1)[0]
        if len(name) > HOST_NAME_MAX:
            raise SyscallError(EINVAL)
        setattr(task.namespaces.uts, field, name)

    return command


def _inodes(task: "Task") -> int:
    """Files that are in use: the sentry keeps no other count."""
    return sum(len(group.leader.fds) for group in task.kernel.tasks.processes() if group.is_alive)


def _uuid(raw: bytes) -> bytes:
    """RFC 9562, version 4."""
    octets = bytearray(raw)
    octets[6] = octets[6] & 0x0F | 0x40
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])).encode()


def _kernel(fs: "SyntheticFileSystem") -> Plan:
    boot_id = _uuid(fs.kernel.random(16))
    return {
        **KERNEL_IPC,
        **fixed.KERNEL,
        b"cap_last_cap": number(CAP_LAST_CAP, mode=0o444),
        b"core_pattern": File(b"core\n", refuse),
        b"core_uses_pid": number(0),
        b"dmesg_restrict": number(1),
        b"domainname": File(lambda task: task.namespaces.uts.domainname + b"\n", _set_uts("domainname")),
        b"hostname": File(lambda task: task.namespaces.uts.nodename + b"\n", _set_uts("nodename")),
        b"io_uring_disabled": number(2),
        b"kptr_restrict": number(2),
        b"ngroups_max": number(NGROUPS_MAX, mode=0o444),
        b"osrelease": _uts("release"),
        b"ostype": _uts("sysname"),
        b"overflowgid": number(65534),
        b"overflowuid": number(65534),
        b"panic": number(0),
        b"perf_event_paranoid": number(4),
        b"pid_max": number(PID_MAX),
        b"ns_last_pid": _limit(lambda task: max(task.kernel.tasks.tasks, default=0), mode=0o666),
        b"printk": File(b"4\t4\t1\t7\n", refuse),
        b"pty": {b"max": number(PTY_MAX), b"nr": _limit(terminals_of, mode=0o444), b"reserve": number(0)},
        b"random": {
            b"boot_id": File(boot_id + b"\n"),
            b"entropy_avail": number(256, mode=0o444),
            b"poolsize": number(256, mode=0o444),
            b"urandom_min_reseed_secs": number(60),
            b"uuid": File(lambda task: _uuid(task.kernel.random(16)) + b"\n"),
            b"write_wakeup_threshold": number(256),
        },
        b"randomize_va_space": number(2),
        b"sched_child_runs_first": number(0),
        b"seccomp": {
            b"actions_avail": File(b"kill_process kill_thread trap errno user_notif trace log allow\n"),
            b"actions_logged": File(b"\n", refuse),
        },
        b"sysrq": number(0),
        b"tainted": number(0),
        b"threads-max": _limit(lambda task: task.kernel.limits.tasks_max),
        b"unprivileged_bpf_disabled": number(2),
        b"unprivileged_userns_clone": number(0),
        b"version": _uts("version"),
        b"yama": {b"ptrace_scope": number(0)},
    }


_FS: Final[Plan] = {
    **fixed.FS,
    b"aio-max-nr": number(65536),
    b"aio-nr": _limit(
        lambda task: sum(one.wanted for group in task.kernel.tasks.processes() for one in group.aio.values()), mode=0o444
    ),
    b"epoll": {b"max_user_watches": number(1 << 20)},
    b"file-max": _limit(lambda task: task.kernel.limits.files_max),
    b"file-nr": File(lambda task: b"%d\t0\t%d\n" % (len(task.fds), task.kernel.limits.files_max)),
    b"dentry-state": File(lambda task: b"%d\t0\t45\t0\t0\t0\n" % _inodes(task)),
    b"inode-nr": File(lambda task: b"%d\t0\n" % _inodes(task)),
    b"inode-state": File(lambda task: b"%d\t0\t0\t0\t0\t0\t0\n" % _inodes(task)),
    b"inotify": {
        b"max_queued_events": number(16384),
        b"max_user_instances": number(128),
        b"max_user_watches": number(65536),
    },
    b"lease-break-time": number(45),
    b"leases-enable": number(1),
    b"mount-max": number(10_000),
    b"mqueue": FS_MQUEUE,
    b"nr_open": number(NR_OPEN),
    b"overflowgid": number(65534),
    b"overflowuid": number(65534),
    b"pipe-max-size": _limit(lambda task: task.kernel.limits.pipe_size_max),
    b"pipe-user-pages-hard": number(0),
    b"pipe-user-pages-soft": number(16384),
    b"protected_fifos": number(0),
    b"protected_hardlinks": _limit(lambda task: int(task.kernel.mounts.protected_hardlinks)),
    b"protected_regular": _limit(lambda task: int(task.kernel.mounts.protected_regular)),
    b"protected_symlinks": _limit(lambda task: int(task.kernel.mounts.protected_symlinks)),
    b"suid_dumpable": number(0),
}

_IPV4: Final[Plan] = {
    b"ip_forward": number(0),
    b"ip_local_port_range": File(b"32768\t60999\n"),
    b"ip_unprivileged_port_start": number(1024),
    b"ping_group_range": File(b"0\t2147483647\n"),
    b"ip_default_ttl": number(64),
    b"ip_nonlocal_bind": number(0),
    b"conf": {name: {b"rp_filter": number(0), b"forwarding": number(0)} for name in (b"all", b"default", b"lo")},
    b"tcp_allowed_congestion_control": File(b"cubic\n"),
    b"tcp_available_congestion_control": File(b"cubic\n"),
    b"tcp_congestion_control": File(b"cubic\n"),
    b"tcp_max_tw_buckets": number(8192),
    b"tcp_sack": number(1),
    b"tcp_timestamps": number(1),
    b"tcp_tw_reuse": number(2),
    b"tcp_window_scaling": number(1),
    b"tcp_fin_timeout": number(60),
    b"tcp_keepalive_intvl": number(75),
    b"tcp_keepalive_probes": number(9),
    b"tcp_keepalive_time": number(7200),
    b"tcp_max_syn_backlog": number(512),
    b"tcp_rmem": File(b"4096\t131072\t6291456\n"),
    b"tcp_syncookies": number(1),
    b"tcp_wmem": File(b"4096\t16384\t4194304\n"),
}

_IPV6: Final[Plan] = {
    b"bindv6only": number(0),
    b"conf": {name: {b"disable_ipv6": number(0), b"forwarding": number(0)} for name in (b"all", b"default", b"lo")},
}

_CORE: Final[Plan] = {
    b"optmem_max": number(131072),
    b"rmem_default": number(212992),
    b"rmem_max": number(212992),
    b"somaxconn": number(4096),
    b"wmem_default": number(212992),
    b"wmem_max": number(212992),
}


def sys_plan(fs: "SyntheticFileSystem") -> Plan:
    """All of /proc/sys."""
    return {
        b"abi": {},
        b"debug": {},
        b"dev": {},
        b"fs": _FS,
        b"kernel": _kernel(fs),
        b"net": {b"core": _CORE, b"ipv4": _IPV4, b"ipv6": _IPV6, b"unix": {b"max_dgram_qlen": number(512)}},
        b"user": {
            name: number(0)
            for name in (
                b"max_cgroup_namespaces", b"max_ipc_namespaces", b"max_mnt_namespaces", b"max_net_namespaces",
                b"max_pid_namespaces", b"max_time_namespaces", b"max_user_namespaces", b"max_uts_namespaces",
                b"max_fanotify_groups", b"max_fanotify_marks",
            )
        }
        | {b"max_inotify_instances": number(128), b"max_inotify_watches": number(65536)},
        b"vm": fixed.VM,
    }  # fmt: skip
