"""Files of /proc about devices and interrupts: a sandbox has none but its memory devices and terminals (proc(5))."""

from typing import TYPE_CHECKING, Final

from sentry.host import procfs

if TYPE_CHECKING:
    from sentry.kernel.task import Task

EXECDOMAINS: Final = b"0-0\tLinux           \t[kernel]\n"
TTY_DRIVERS: Final = (
    b"/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
    b"/dev/console         /dev/console    5       1 system:console\n"
    b"/dev/ptmx            /dev/ptmx       5       2 system\n"
    b"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
    b"pty_master           /dev/ptm      128 0-1048575 pty:master\n"
)
TTY_LDISCS: Final = b"n_tty       0\n"
_SOFTIRQS: Final = (b"HI", b"TIMER", b"NET_TX", b"NET_RX", b"BLOCK", b"IRQ_POLL", b"TASKLET", b"SCHED", b"HRTIMER", b"RCU")


def interrupts(viewer: "Task") -> bytes:
    """The heading: no interrupt is the sandbox's."""
    return b"    " + b"".join(b"       CPU%-4d" % number for number in procfs.processors()).rstrip() + b"       \n"


def softirqs(viewer: "Task") -> bytes:
    """All zero."""
    processors = procfs.processors()
    head = b"                    " + b"".join(b"CPU%-8d" % number for number in processors) + b"\n"
    return head + b"".join(b"%12b:" % name + b" %10d" % 0 * len(processors) + b"\n" for name in _SOFTIRQS)
