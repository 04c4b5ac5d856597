"""From a platform's events to handlers and back: the sink of the kernel.

Hot path: one list index, one call of the compiled entry, one type check. Everything else is for calls that wait.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from sentry.kernel import task_exec
from sentry.kernel.memory_usage import admits
from sentry.kernel.posix_timers import PosixTimer
from sentry.kernel.rlimits import exceeds_process_limit
from sentry.kernel.task import Task
from sentry.kernel.task_clone import clone_task
from sentry.kernel.task_exit import exit_task, kill_rest
from sentry.sched.fiber import Fiber
from sentry.sched.wait import Interrupted
from syscalls.abi.errno import ENOSYS
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT_NPROC
from syscalls.abi.signal import SIGCHLD, SIGSTOP

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.platform.interface import Context

log = logging.getLogger(__name__)

Handler = Callable[..., Any]
NR_EXECVE, NR_EXECVEAT = 59, 322


class Dispatcher:
    """Implements ``platform.interface.Sink``.

    ``calls[nr]`` is a compiled entry or None; ``masked[nr]`` the coroutine function for a call with a signal mask;
    ``proceed`` the sentinel by which a handler lets the host run the call. ``on_fatal`` stops the sandbox: our bug.
    """

    def __init__(
        self,
        calls: Sequence[Handler | None],
        masked: dict[int, Handler],
        proceed: object,
        on_fatal: Callable[[str], None],
        on_empty: Callable[["Kernel"], None],
    ) -> None:
        self.calls = calls
        self.masked = masked
        self.proceed = proceed
        self.on_fatal = on_fatal
        self.on_empty = on_empty
        #: how often each call was let through to the host (kernel-facts.md: only listed ones ever are)
        self.proceeds = [0] * len(calls)
        self._running: Task | None = None
        self._result: int | None = None

    def adopt(self, task: "Task") -> None:
        """Give ``task`` the fiber that runs its calls."""

        def done(result: object) -> None:
            self._finish(task, result)

        def failed(error: BaseException) -> None:
            self._fail(task, error)

        task.fiber = Fiber(task.kernel.runner, done, failed)
        task.fiber.owner = task

    def syscall(self, context: "Context", nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> int | None:
        """Answer a trapped call; see ``Sink.syscall``."""
        task: Task = context.data  # type: ignore[assignment]
        calls = self.calls
        call = calls[nr] if nr < len(calls) else None
        if call is None:
            return -ENOSYS
        task.trap = (nr, a0, a1, a2, a3, a4, a5)
        try:
            result = call(task, a0, a1, a2, a3, a4, a5)
        except SyscallError as error:
            return -error.errno
        except Exception:  # the one place that catches all: an exception here is our bug, and the sandbox stops
            self._bug(task)
            return -ENOSYS
        if type(result) is int:
            return result
        if result is self.proceed:
            self.proceeds[nr] += 1
            context.proceed()
            return None
        if result is None:
            # The handler has arranged the reply (proceed_then).
            self.proceeds[nr] += 1
            return None
        return self._start(task, result)

    def proceeded(self, context: "Context", nr: int, *registers: int) -> None:
        """A native call of profile ``strict``; whoever counts calls overrides this."""

    def abandoned(self, context: "Context") -> None:
        """The pending call has vanished (a signal ended it on an old host kernel)."""
        task: Task = context.data  # type: ignore[assignment]
        fiber = task.fiber
        fiber.interrupt()
        fiber.run_ready()
        if fiber.is_busy:
            fiber.cancel()

    def exec_request(self, context: "Context", nr: int, a0: int, a1: int, a2: int, a3: int, a4: int) -> None:
        """execve(2), execveat(2)."""
        task: Task = context.data  # type: ignore[assignment]
        task.trap = (nr, a0, a1, a2, a3, a4)
        if nr == NR_EXECVE:
            self._launch(task, self._exec(task, task_exec.AT_FDCWD, a0, a1, 0))
        else:
            dirfd = a0 & 0xFFFFFFFF
            self._launch(task, self._exec(task, dirfd - (dirfd >> 31 << 32), a1, a2, a4 & 0xFFFFFFFF))

    def exec_done(self, context: "Context", old_host_tid: int) -> None:
        """The host has executed; finish what ``exec_request`` began."""
        task: Task = context.data  # type: ignore[assignment]
        pending = task.pending_exec
        task.pending_exec = None
        if pending is None:
            self.on_fatal(f"exec of {task!r} that nobody prepared")
            return
        task_exec.dethread(task)
        task_exec.commit(task, pending)

    def masked_request(self, context: "Context", nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> None:
        """ppoll, pselect6, epoll_pwait with a mask."""
        task: Task = context.data  # type: ignore[assignment]
        task.trap = (nr, a0, a1, a2, a3, a4, a5)
        handler = self.masked.get(nr)
        if handler is None:
            context.unpark(-ENOSYS)
            return
        task.is_masked = True
        self._launch(task, self._masked(task, handler(task, a0, a1, a2, a3, a4, a5)))

    def admits_birth(self, context: "Context") -> bool:
        """Whether the sandbox's memory limit leaves room for another task."""
        task: Task = context.data  # type: ignore[assignment]
        return admits(task.kernel, 0)

    def exceeds_process_limit(self, context: "Context") -> bool:
        """getrlimit(2), RLIMIT_NPROC."""
        task: Task = context.data  # type: ignore[assignment]
        return RLIMIT_NPROC in task.group.limits and exceeds_process_limit(task)

    def birth(self, parent: "Context", child: "Context", clone_flags: int) -> None:
        """A guest thread has made another."""
        maker: Task = parent.data  # type: ignore[assignment]
        task = clone_task(maker, child, clone_flags)
        self.adopt(task)
        if maker.on_birth is not None:
            maker.on_birth.born(task)

    def thread_exited(self, context: "Context", wait_status: int) -> None:
        """A guest thread is gone."""
        task = context.data
        if task is None:
            return
        assert isinstance(task, Task)
        kernel, group = task.kernel, task.group
        exit_task(task, wait_status)
        if not kernel.tasks.tasks:
            self.on_empty(kernel)
        elif group is kernel.tasks.init and group.exit_status is not None:
            kill_rest(kernel)

    def stopped(self, context: "Context", signal: int) -> None:
        """A group stop: the parent may be waiting for it."""
        self._report(context, "stopped")

    def continued(self, context: "Context") -> None:
        """The end of a group stop."""
        self._report(context, "continued")

    def uid_of(self, context: "Context", pid: int) -> int | None:
        """Whose process ``pid`` is, for siginfo."""
        task = context.data
        if not isinstance(task, Task):
            return None
        return task.kernel.tasks.uid_of(pid)

    def timer_overrun(self, context: "Context", timer_id: int) -> int | None:
        """What si_overrun says of a timer's signal."""
        task = context.data
        timer = task.group.timers.get(timer_id) if isinstance(task, Task) else None
        return timer.delivered() if isinstance(timer, PosixTimer) else None

    def signalled(self, context: "Context", signal: int) -> None:
        """A signal is about to be delivered; tracing wraps this. A call that a handler follows does not go on."""
        task = context.data
        if isinstance(task, Task) and task.resumption is not None and context.caught_signals() >> (signal - 1) & 1:
            task.resumption = None

    def _report(self, context: "Context", what: str) -> None:
        task: Task = context.data  # type: ignore[assignment]
        group = task.group
        is_stop = what == "stopped"
        if group.is_stopped == is_stop:
            return
        group.is_stopped = is_stop
        group.stop_report = what
        if is_stop:
            task.kernel.signals.kick_group(group, SIGSTOP)  # the stop is complete when its deaf threads have stopped too
        parent = group.parent
        if parent is not None and parent.is_alive:
            parent.wait_queue.wake()
            task.kernel.signals.child_changed(parent, SIGCHLD)

    def _start(self, task: "Task", coro: Coroutine[Any, Any, Any]) -> int | None:
        self._running = task
        self._result = None
        task.fiber.start(coro)
        self._running = None
        if task.signal_epoch != task.group.signal_epoch and task.fiber.is_busy:
            task.kernel.signals.recheck(task)
        if task.rechecks and task.fiber.is_busy:
            task.kernel.signals.has_run(task)
        return self._result

    def _launch(self, task: "Task", coro: Coroutine[Any, Any, Any]) -> None:
        task.fiber.start(coro)

    async def _exec(self, task: "Task", dirfd: int, path_addr: int, argv_addr: int, flags: int) -> None:
        try:
            pathname = task.memory.read_path(path_addr)
            pending = await task_exec.prepare(task, dirfd, pathname, argv_addr, flags)
        except SyscallError as error:
            task.exec_errno = error.errno
            task.context.refuse_exec(error.errno)
            return
        if task.pending_exec is not None:
            task.pending_exec.held.release()
        task.pending_exec = pending
        task.context.execute(pending.plan)

    async def _masked(self, task: "Task", coro: Coroutine[Any, Any, int | None]) -> None:
        """A masked wait answers with ``unpark``; None means that the host has already returned to the guest."""
        try:
            value = await coro
        except SyscallError as error:
            value = -error.errno
        finally:
            task.is_masked = False
        if value is not None:
            task.context.unpark(value)

    def _finish(self, task: "Task", result: object) -> None:
        if result is None:
            return  # exec and masked calls answer through the context themselves
        if type(result) is int:
            if self._running is task:
                self._result = result
            else:
                task.context.reply(result)
        elif result is self.proceed:
            self.proceeds[task.trap[0]] += 1
            task.context.proceed()
        else:
            self.on_fatal(f"call {task.trap[0]} of {task!r} returned {result!r}")

    def _fail(self, task: "Task", error: BaseException) -> None:
        if isinstance(error, SyscallError):
            self._finish(task, -error.errno)
        elif isinstance(error, Interrupted):
            task.context.kick(int(error.restart))
        else:
            log.error("call %s of %r", task.trap, task, exc_info=error)
            self.on_fatal(f"internal error in call {task.trap[:1]}: {type(error).__name__}: {error}")

    def _bug(self, task: "Task") -> None:
        log.exception("call %s of %r", task.trap, task)
        self.on_fatal(f"internal error in call {task.trap[:1]}")
