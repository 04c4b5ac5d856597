"""exec through the stub: the host kernel does the hard part, the stub builds the new program (design.md 4; kernel-facts.md 9-15).

Order: ``execute`` rewrites the stopped call; ``executed`` (the exec event, before any user instruction) checks that it is
the stub that runs; ``load`` answers the stub's one request. Descriptors of the plan are copied at ``execute`` and closed
after the load: the platform holds nothing of them later.
"""

import errno
import logging
import os
from signal import SIGKILL
from struct import pack
from typing import TYPE_CHECKING

from sentry.arch.x86_64 import NR_EXECVE, NR_EXECVEAT, STUB_CODE_END, STUB_SCRATCH, STUB_SCRATCH_LENGTH
from sentry.platform.interface import ExecPlan
from sentry.platform.notify import guest_calls
from sentry.platform.notify.context import NotifyContext, State
from sentry.platform.notify.injection import ERESTARTNOINTR
from sentry.platform.notify.masked import SLOTS_LENGTH
from sentry.platform.notify.stub import check_plan, load_list
from syscalls.abi.errno import E2BIG, EFAULT
from syscalls.abi.errors import Fault, SyscallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentry.platform.notify.tracer import Tracer

log = logging.getLogger(__name__)

_AT_EMPTY_PATH = 0x1000
_PATH_MAX = 4096
#: Descriptors above the guest's limit: the stub itself, then those of a load list.
RESERVED_NUMBERS = 8
LOAD_FDS_MAX = RESERVED_NUMBERS - 3  # the others: the stub, a lent descriptor, the ptrace platform's socket
_ARGUMENTS = STUB_SCRATCH + SLOTS_LENGTH
_ARGUMENTS_LENGTH = STUB_SCRATCH_LENGTH - SLOTS_LENGTH


class Execution:
    """Carries out execs for a tracer."""

    __slots__ = ("_stub_identity", "_tracer")

    def __init__(self, tracer: "Tracer", stub_fd: int) -> None:
        self._tracer = tracer
        info = os.fstat(stub_fd)
        self._stub_identity = (info.st_dev, info.st_ino)

    def execute(self, context: NotifyContext, plan: ExecPlan) -> None:
        """See ``Context.execute``."""
        if context.state is not State.EXEC_STOP:
            return
        nr, *arguments = context.call
        path, argv, envp = arguments[0:3] if nr == NR_EXECVE else arguments[1:4]
        try:
            check_plan(plan, LOAD_FDS_MAX)
            empty = self._empty_string(context, path)
            argv, envp = self._write_arguments(context, plan, argv, envp)
        except SyscallError as error:
            context.refuse_exec(error.errno)
            return
        self.drop(context)
        try:  # copies at once: the sentry may close a cached descriptor before the host has executed
            for fd in _distinct_fds(plan):
                context.load_fds.append(os.dup(fd))
        except OSError as error:
            self.drop(context)
            context.refuse_exec(error.errno or errno.EMFILE)
            return
        context.plan = plan
        context.state = State.EXECUTING
        rewritten = (self._tracer.stub_number, empty, argv, envp, _AT_EMPTY_PATH, 0)
        self._tracer.core.trace_call(context.host_tid, NR_EXECVEAT, rewritten, 0)

    def drop(self, context: NotifyContext) -> None:
        """Forget a preparation that the host refused, or that has been used."""
        context.plan = None
        for fd in context.load_fds:
            os.close(fd)
        context.load_fds.clear()

    def executed(self, context: NotifyContext, instruction_pointer: int) -> bool:
        """Whether it is the stub that the host has executed (kernel-facts.md 13); anything else is an escape."""
        if instruction_pointer != self._tracer.stub_entry or context.plan is None:
            return False
        try:
            info = os.stat(f"{context.host_tid}/exe", dir_fd=self._tracer.proc_fd)
        except OSError as error:
            return error.errno in (errno.ENOENT, errno.ESRCH)  # killed meanwhile: it runs nothing
        if (info.st_dev, info.st_ino) != self._stub_identity:
            return False
        context.state = State.LOADING
        return True

    def load(self, context: NotifyContext, trap: "Sequence[int]") -> None:
        """The stub asks for its load list; a filter that shall be in force before the program is stacked first."""
        context.trap_id = trap[0]
        if context.first_filter:
            guest_calls.add_filter(context, context.first_filter, 0, lambda result: self._filtered(context, result))
            return
        self._tracer.loaded(context)
        self._serve_load(context, trap)

    def _filtered(self, context: NotifyContext, result: int) -> None:
        """The stub asks again. If the host refuses the filter no instruction of the program runs (fail closed)."""
        context.first_filter = b""
        if result < 0:
            log.error("the host refuses the seccomp profile: %s", os.strerror(-result))
            self.drop(context)
            context.send_signal(SIGKILL)
        self._tracer.core.trace_interrupt(context.host_tid)
        self._tracer.injector.finish(context, -ERESTARTNOINTR, is_restart=True)

    def _serve_load(self, context: NotifyContext, trap: "Sequence[int]") -> None:
        """Answer the stub's request: write the list, add the descriptors, reply."""
        tracer = self._tracer
        plan = context.plan
        assert plan is not None
        first = tracer.stub_number + 1
        numbers = {fd: first + index for index, fd in enumerate(_distinct_fds(plan))}
        context.state = State.RUNNING
        sources = context.load_fds
        try:
            context.memory.write(trap[4], load_list(plan, numbers, first))
            context.give_load_fds(sources, first)
        except SyscallError:
            context.reply(-EFAULT)  # the stub dies as after a failed exec
        self.drop(context)

    def _empty_string(self, context: NotifyContext, path: int) -> int:
        """The NUL that ends the guest's own path serves as ``""``: nothing needs to be written."""
        name = context.memory.read_string(path, _PATH_MAX)
        if name is None:
            raise SyscallError(EFAULT)
        return path + len(name)

    def _write_arguments(self, context: NotifyContext, plan: ExecPlan, argv: int, envp: int) -> tuple[int, int]:
        """Put rebuilt arrays into the stub's scratch area, which every guest process has. Errors: E2BIG, EFAULT."""
        at = _ARGUMENTS
        for which, strings in enumerate((plan.argv, plan.envp)):
            if strings is None:
                continue
            block = _array(at, strings)
            if at + len(block) > _ARGUMENTS + _ARGUMENTS_LENGTH:
                raise SyscallError(E2BIG)
            try:
                context.memory.write(at, block)
            except Fault:
                raise SyscallError(EFAULT) from None
            argv, envp = (at, envp) if which == 0 else (argv, at)
            at += len(block) + 15 & ~15
        return argv, envp


def _array(at: int, strings: "Sequence[bytes]") -> bytes:
    pointers = []
    text_at = at + 8 * (len(strings) + 1)
    for string in strings:
        pointers.append(text_at)
        text_at += len(string) + 1
    return pack(f"<{len(strings) + 1}Q", *pointers, 0) + b"".join(string + b"\0" for string in strings)


def _distinct_fds(plan: ExecPlan) -> list[int]:
    return list(dict.fromkeys(segment.fd for segment in plan.segments if segment.fd is not None))


assert STUB_CODE_END <= STUB_SCRATCH
