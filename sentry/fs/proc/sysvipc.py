"""/proc/sysvipc/{msg,sem,shm} (proc_sysvipc(5)). Linux: the sysvipc_*_proc_show() of ipc/msg.c, sem.c, shm.c."""

from typing import TYPE_CHECKING

from sentry.fs.proc.fixed import SYSVIPC
from sentry.fs.synthetic.tree import File, Plan
from sentry.ipc.namespace import ipc_of

if TYPE_CHECKING:
    from sentry.ipc.permission import IpcPerm
    from sentry.kernel.task import Task


def _owners(perm: "IpcPerm") -> tuple[int, int, int, int]:
    return perm.uid, perm.gid, perm.cuid, perm.cgid


def messages(viewer: "Task") -> bytes:
    """One line for each queue."""
    lines = [SYSVIPC[b"msg"]]
    for queue in ipc_of(viewer).messages:
        perm = queue.perm
        head = (perm.key, perm.id, perm.mode, queue.bytes_used, len(queue), queue.sender_pid, queue.receiver_pid)
        times = (queue.stime, queue.rtime, queue.ctime)
        lines.append(b"%10d %10d  %4o  %10u %10u %5u %5u %5u %5u %5u %5u %10u %10u %10u\n" % (*head, *_owners(perm), *times))
    return b"".join(lines)


def semaphores(viewer: "Task") -> bytes:
    """One line for each set."""
    lines = [SYSVIPC[b"sem"]]
    for one in ipc_of(viewer).semaphores:
        perm = one.perm
        head = (perm.key, perm.id, perm.mode, len(one.values))
        lines.append(b"%10d %10d  %4o %10u %5u %5u %5u %5u %10u %10u\n" % (*head, *_owners(perm), one.otime, one.ctime))
    return b"".join(lines)


def segments(viewer: "Task") -> bytes:
    """One line for each segment."""
    lines = [SYSVIPC[b"shm"]]
    for one in ipc_of(viewer).segments:
        one.sweep()
        if one.perm.is_removed:
            continue
        perm = one.perm
        head = (perm.key, perm.id, one.mode, one.size, one.maker_pid, one.last_pid, one.count())
        tail = (one.atime, one.dtime, one.ctime, one.memory.resident_pages() << 12, 0)
        lines.append(
            b"%10d %10d  %4o %21u %5u %5u  %5u %5u %5u %5u %5u %10u %10u %10u %21u %21u\n" % (*head, *_owners(perm), *tail)
        )
    return b"".join(lines)


SYSVIPC_PLAN: Plan = {b"msg": File(messages), b"sem": File(semaphores), b"shm": File(segments)}
