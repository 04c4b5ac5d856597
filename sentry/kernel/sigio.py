"""Signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG (fcntl(2), signal(7)).

Linux: fs/fcntl.c, send_sigio(); without F_SETSIG the signal says nothing but SIGIO.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentry.kernel.signals import FROM_KERNEL
from sentry.platform.interface import SignalInfo
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLIN, POLLRDNORM, READABLE, WRITABLE
from syscalls.abi.fcntl import F_OWNER_PGRP, F_OWNER_TID, O_ASYNC
from syscalls.abi.signal import POLL_HUP, POLL_IN, POLL_MSG, POLL_OUT, SIGIO

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.vfs.file import FileDescription

_POLLMSG = 0x400


@dataclass(frozen=True)
class Owner:
    """Who gets the signals of a description: F_OWNER_ kind and number, and the ids of who said so."""

    kind: int
    number: int
    uid: int
    euid: int


def set_async(task: "Task", file: "FileDescription", fd: int, *, is_on: bool) -> None:
    """O_ASYNC has been set (through descriptor ``fd``, which the signals name) or cleared."""
    if not file.has_async or is_on is (file.stop_async is not None):
        return
    if is_on:
        _start(task.kernel, file, fd)
    elif file.stop_async is not None:
        file.stop_async()


def _start(kernel: "Kernel", file: "FileDescription", fd: int) -> None:
    def woken(mask: int) -> None:
        _tell(kernel, file, fd, mask)

    remove = file.queue.enqueue(woken)
    if file.on_release is None:
        file.on_release = []
    callbacks: list[Callable[[], None]] = file.on_release

    def stop() -> None:
        remove()
        file.stop_async = None
        if stop in callbacks:
            callbacks.remove(stop)

    callbacks.append(stop)
    file.stop_async = stop


def _tell(kernel: "Kernel", file: "FileDescription", fd: int, mask: int) -> None:
    owner = file.owner
    if not isinstance(owner, Owner) or not file.flags & O_ASYNC:
        return
    ready = file.readiness() & mask
    if ready & (POLLHUP | POLLERR):
        _send(kernel, owner, file.owner_signal, fd, POLL_HUP, POLLHUP | POLLERR)
    elif ready & READABLE:
        _send(kernel, owner, file.owner_signal, fd, POLL_IN, READABLE)
    elif ready & WRITABLE:
        _send(kernel, owner, file.owner_signal, fd, POLL_OUT, WRITABLE)


def tell_message(kernel: "Kernel", file: "FileDescription", fd: int) -> None:
    """Somebody wants what the lease of ``file`` forbids, or has changed the folder that it watches."""
    if isinstance(file.owner, Owner):
        _send(kernel, file.owner, file.owner_signal, fd, POLL_MSG, POLLIN | POLLRDNORM | _POLLMSG)


def _send(kernel: "Kernel", owner: Owner, signal: int, fd: int, reason: int, band: int) -> None:
    info = SignalInfo(reason, fd, 0, band, is_poll=True) if signal else FROM_KERNEL
    if owner.kind == F_OWNER_TID:
        task = kernel.tasks.find_task(owner.number)
        if task is not None and _may(owner, task):
            kernel.signals.send_task(task, signal or SIGIO, info)
        return
    for group in _groups(kernel, owner):
        if group.is_alive and _may(owner, group.leader):
            kernel.signals.send_group(group, signal or SIGIO, info)


def _groups(kernel: "Kernel", owner: Owner) -> "list[ThreadGroup]":
    if owner.kind == F_OWNER_PGRP:
        process_group = kernel.tasks.find_process_group(owner.number)
        return list(process_group.members.values()) if process_group is not None else []
    group = kernel.tasks.find_group(owner.number)
    return [group] if group is not None else []


def _may(owner: Owner, task: "Task") -> bool:
    """Linux: fs/fcntl.c, sigio_perm()."""
    creds = task.credentials
    return owner.euid == 0 or bool({owner.uid, owner.euid} & {creds.uid, creds.suid})
