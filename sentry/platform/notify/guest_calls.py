"""What is injected into guest threads: taking a pending signal, stacking the guest's own seccomp filter.

Arguments lie in the stub's scratch area, which every guest process has. What another thread writes over them only concerns its
own process: it takes other signals of its own, or stacks another filter on itself.
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import TYPE_CHECKING

from sentry.arch.x86_64 import NR_RT_SIGTIMEDWAIT, NR_SECCOMP
from sentry.platform.filter import bpf
from sentry.platform.notify.scratch import SIGNAL_SLOTS_AT, signal_slot
from sentry.platform.notify.siginfo import HEAD, SIGINFO_LENGTH
from syscalls.abi.errno import EAGAIN, EFAULT, EINTR, ENOMEM
from syscalls.abi.errors import Fault

if TYPE_CHECKING:
    from sentry.platform.filter.bpf import Instruction
    from sentry.platform.notify.context import NotifyContext

_SET_MODE_FILTER = 1
_PROGRAM = Struct("<H6xQ")
_WAIT = Struct("<Qqq")
#: rt_sigtimedwait(2): another thread was quicker, or a handler of an unblocked signal ran
_NONE_TAKEN = (-EAGAIN, -EINTR)
_PROGRAM_SLOTS, _PROGRAM_SLOT = 8, 0x8000 + 64
_PROGRAMS = SIGNAL_SLOTS_AT - _PROGRAM_SLOTS * _PROGRAM_SLOT


def take_signal(context: "NotifyContext", signals: int, done: Callable[[bytes | None], None]) -> None:
    """See ``Context.take_signal``."""
    at = signal_slot(context.host_tid)
    info = at + _WAIT.size

    def taken(result: int) -> None:
        if result <= 0:
            done(b"" if result in _NONE_TAKEN else None)
            return
        try:
            record = context.memory.read(info, SIGINFO_LENGTH)
        except Fault:
            done(None)
            return
        true = context.tracer.true_record(context, HEAD.unpack_from(record)) or b""
        done(true + record[len(true) :])

    try:
        context.memory.write(at, _WAIT.pack(signals, 0, 0))
    except Fault:
        done(None)
        return
    context.inject(NR_RT_SIGTIMEDWAIT, (at, info, at + 8, 8), taken)


def add_filter(context: "NotifyContext", program: bytes, flags: int, done: Callable[[int], None]) -> None:
    """See ``Context.add_filter``."""
    from sentry.platform.filter.guest import stacked

    tracer = context.tracer
    _stack(context, stacked(bpf.unpack(program), tracer.stub_number, tracer.last_number), flags, done)


def enter_strict_mode(context: "NotifyContext", done: Callable[[int], None]) -> None:
    """See ``Context.enter_strict_mode``."""
    from sentry.platform.filter.guest import stacked, strict

    tracer = context.tracer
    context.is_strict = True
    _stack(context, stacked(strict(), tracer.stub_number, tracer.last_number), 0, done)


def _stack(context: "NotifyContext", program: "Sequence[Instruction]", flags: int, done: Callable[[int], None]) -> None:
    """Errors (as results): ENOMEM the program is too long with what goes before it, EFAULT the scratch area is gone."""
    code = bpf.pack(program)
    at = _PROGRAMS + context.host_tid % _PROGRAM_SLOTS * _PROGRAM_SLOT
    if len(code) + _PROGRAM.size > _PROGRAM_SLOT:
        done(-ENOMEM)
        return
    try:
        context.memory.write(at, _PROGRAM.pack(len(program), at + _PROGRAM.size) + code)
    except Fault:
        done(-EFAULT)
        return
    context.inject(NR_SECCOMP, (_SET_MODE_FILTER, flags, at), done)
