"""What is at the top of /proc: the table of contents."""

from typing import TYPE_CHECKING

from sentry.fs.proc.cpuinfo import cpuinfo
from sentry.fs.proc.fixed import CGROUPS, CMDLINE, CRYPTO, DEVICES, FILESYSTEMS, PARTITIONS, SWAPS
from sentry.fs.proc.hardware import EXECDOMAINS, TTY_DRIVERS, TTY_LDISCS, interrupts, softirqs
from sentry.fs.proc.loadavg import loadavg
from sentry.fs.proc.locks import locks
from sentry.fs.proc.meminfo import meminfo, vmstat
from sentry.fs.proc.root import self_text, thread_self_text
from sentry.fs.proc.stat import stat, uptime
from sentry.fs.proc.sys.plan import sys_plan
from sentry.fs.proc.sysvipc import SYSVIPC_PLAN
from sentry.fs.proc.version import version
from sentry.fs.synthetic.tree import File, Plan, Symlink

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem


def plan(fs: "SyntheticFileSystem") -> Plan:
    """Everything but the processes."""
    return {
        b"bus": {},
        b"cgroups": File(CGROUPS),
        b"cmdline": File(CMDLINE),
        b"consoles": File(b""),
        b"cpuinfo": File(cpuinfo),
        b"crypto": File(CRYPTO),
        b"devices": File(DEVICES),
        b"diskstats": File(b""),
        b"driver": {},
        b"execdomains": File(EXECDOMAINS),
        b"filesystems": File(FILESYSTEMS),
        b"fs": {},
        b"interrupts": File(interrupts),
        b"irq": {},
        b"key-users": File(b""),
        b"keys": File(b""),
        b"loadavg": File(loadavg),
        b"locks": File(locks),
        b"meminfo": File(meminfo),
        b"misc": File(b""),
        b"modules": File(b""),
        b"mounts": Symlink(b"self/mounts"),
        b"net": Symlink(b"self/net"),
        b"partitions": File(PARTITIONS),
        b"self": Symlink(self_text),
        b"softirqs": File(softirqs),
        b"stat": File(stat),
        b"swaps": File(SWAPS),
        b"sys": sys_plan(fs),
        b"sysvipc": SYSVIPC_PLAN,
        b"thread-self": Symlink(thread_self_text),
        b"tty": {b"driver": {}, b"drivers": File(TTY_DRIVERS), b"ldisc": {}, b"ldiscs": File(TTY_LDISCS)},
        b"uptime": File(uptime),
        b"version": File(version),
        b"vmstat": File(vmstat),
    }
