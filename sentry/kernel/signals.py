"""Signals from the sentry's side (signal(7)).

Dispositions, masks, frames and queues are the host kernel's; the sentry only sends what a kernel would send, and wakes
threads that are deaf because their trapped call waits here (kernel-facts.md 1, 2): a *kick* ends the wait, lets the host run
the handler, and the call comes again or returns EINTR, as SA_RESTART says.
"""

from typing import TYPE_CHECKING

from sentry.kernel.thread_group import ThreadGroup
from sentry.platform.interface import SignalInfo
from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.readiness import READABLE
from syscalls.abi.signal import SI_KERNEL, SI_USER, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGURG, SIGWINCH

if TYPE_CHECKING:
    from sentry.kernel.session import ProcessGroup
    from sentry.kernel.task import Task

_IGNORED_MASK = sum(1 << (signal - 1) for signal in (SIGCHLD, SIGCONT, SIGURG, SIGWINCH))


#: what the kernel itself sends
FROM_KERNEL = SignalInfo(SI_KERNEL)


def from_process(task: "Task", code: int = SI_USER, value: int = 0) -> SignalInfo:
    """What a signal sent by ``task`` shows."""
    return SignalInfo(code, task.group.tgid, task.credentials.uid, value)


class Signals:
    """Sends signals and kicks deaf threads. ``arrivals`` wakes the signalfds, of all processes; None until there is one."""

    __slots__ = ("arrivals",)

    def __init__(self) -> None:
        self.arrivals: WaitQueue | None = None

    def watch_arrivals(self) -> WaitQueue:
        """The queue that is woken whenever a signal may have become pending somewhere."""
        if self.arrivals is None:
            self.arrivals = WaitQueue()
        return self.arrivals

    def send_task(self, task: "Task", signal: int, info: SignalInfo | None = None) -> None:
        """Send a signal to one thread; without ``info`` it is for what the thread has done itself (SIGPIPE)."""
        if not task.is_exiting:
            task.context.send_signal(signal, to_thread=True, info=info or from_process(task))
            self._kick(task, signal)

    def send_group(self, group: "ThreadGroup", signal: int, info: SignalInfo = FROM_KERNEL) -> None:
        """Send a signal to a process (SIGALRM, a terminal's SIGINT)."""
        if group.is_alive and group.tasks:
            group.leader.context.send_signal(signal, info=info)
            self.kick_group(group, signal)

    def send_process_group(self, process_group: "ProcessGroup", signal: int) -> None:
        """Send a kernel signal to every member of a process group."""
        for group in list(process_group.members.values()):
            self.send_group(group, signal)

    def sent_by_guest(self, sender: "Task", targets: "list[ThreadGroup | Task]", signal: int) -> None:
        """``sender``'s own kill call is let through now; the threads it wakes are kicked once it has run.

        Where nobody is deaf the call is not watched: who becomes deaf meanwhile asks for it (``recheck``).
        """

        def has_run() -> None:
            for target in targets:
                self.after_send(target, signal)

        if self.arrivals is not None or any(_has_deaf(target) for target in targets):
            sender.context.proceed_then(has_run)
            return
        for target in targets:
            group = target if isinstance(target, ThreadGroup) else target.group
            group.signal_epoch += 1
            group.in_flight = [(sender, trap) for sender, trap in group.in_flight if sender.may_be_in(trap)]
            group.in_flight.append((sender, sender.trap))
        sender.context.proceed()

    def after_send(self, target: "ThreadGroup | Task", signal: int) -> None:
        """``signal`` is pending for ``target`` on the host: kick who must take it."""
        if isinstance(target, ThreadGroup):
            self.kick_group(target, signal)
        else:
            self._kick(target, signal)

    def child_changed(self, parent: "ThreadGroup", signal: int) -> None:
        """The host has sent ``signal`` (SIGCHLD) to ``parent`` for a child."""
        self.kick_group(parent, signal)

    def kick_group(self, group: "ThreadGroup", signal: int) -> None:
        """Kick every deaf thread of ``group`` that would take ``signal``."""
        for task in list(group.tasks.values()):
            self._kick(task, signal)

    def recheck(self, task: "Task") -> None:
        """``task`` goes to sleep in a call, deaf from now on, and signals were sent since it last did: one that came just
        before the sentry received the call would wait for ever (kernel-facts.md 2)."""
        group = task.group
        task.signal_epoch = group.signal_epoch
        blocked, ignored, caught, pending = task.context.signal_masks()
        if group.is_stopped or pending & ~blocked & (caught | ~(ignored | _IGNORED_MASK)):
            task.fiber.interrupt()
            return
        for sender, trap in group.in_flight:
            if sender.may_be_in(trap):
                self._watch(sender, task)

    def _watch(self, sender: "Task", sleeper: "Task") -> None:
        """Look at ``sleeper`` again as soon as the call by which ``sender`` may be signalling it has surely run."""
        if sender.rechecks:
            sender.rechecks.append(sleeper)
            return
        sender.rechecks = [sleeper]
        sender.context.interrupt_then(lambda: self.has_run(sender))

    def has_run(self, sender: "Task") -> None:
        """``sender`` has been stopped, or waits in another call: what it had sent is there."""
        sleepers, sender.rechecks = sender.rechecks, []
        for task in sleepers:
            group = task.group
            group.in_flight = [entry for entry in group.in_flight if entry[0] is not sender]
            if task.fiber.is_busy and not task.is_exiting:
                self.recheck(task)

    def _kick(self, task: "Task", signal: int) -> None:
        task.group.signal_epoch += 1
        if self.arrivals is not None:
            self.arrivals.wake(READABLE)
        fiber = task.fiber
        if signal == SIGKILL or not fiber.is_busy or fiber.has_interrupt or task.is_masked:
            return
        if signal != SIGSTOP:
            blocked, ignored, caught, _ = task.context.signal_masks()
            bit = 1 << (signal - 1)
            if blocked & bit or (not caught & bit and (ignored | _IGNORED_MASK) & bit):
                return
        fiber.interrupt()


def _has_deaf(target: "ThreadGroup | Task") -> bool:
    if isinstance(target, ThreadGroup):
        return any(task.fiber.is_busy for task in target.tasks.values())
    return target.fiber.is_busy
