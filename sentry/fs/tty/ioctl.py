"""ioctl_tty(2): modes, window size, flow, sessions; the same for both sides of a pseudo-terminal."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sentry.fs.tty import job_control
from sentry.fs.tty.terminal import PKT_FLUSHREAD, PKT_FLUSHWRITE, Terminal
from sentry.fs.tty.termios import TERMIO
from sentry.kernel.creds import CAP_SYS_ADMIN
from syscalls.abi.errno import EINVAL, EIO, ENOTTY, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.ioctl import (
    FIONREAD,
    TCFLSH,
    TCGETA,
    TCGETS,
    TCGETS2,
    TCIFLUSH,
    TCIOFF,
    TCIOFLUSH,
    TCION,
    TCOFLUSH,
    TCOOFF,
    TCOON,
    TCSBRK,
    TCSBRKP,
    TCSETA,
    TCSETAF,
    TCSETAW,
    TCSETS,
    TCSETS2,
    TCSETSF,
    TCSETSF2,
    TCSETSW,
    TCSETSW2,
    TCXONC,
    TIOCCBRK,
    TIOCEXCL,
    TIOCGDEV,
    TIOCGETD,
    TIOCGEXCL,
    TIOCGLCKTRMIOS,
    TIOCGPGRP,
    TIOCGPTPEER,
    TIOCGSID,
    TIOCGSOFTCAR,
    TIOCGWINSZ,
    TIOCNOTTY,
    TIOCNXCL,
    TIOCOUTQ,
    TIOCSBRK,
    TIOCSCTTY,
    TIOCSETD,
    TIOCSLCKTRMIOS,
    TIOCSPGRP,
    TIOCSSOFTCAR,
    TIOCSTI,
    TIOCSWINSZ,
)
from syscalls.abi.signal import SIGCONT, SIGHUP, SIGTTOU
from syscalls.abi.termios import CLOCAL, N_TTY, TERMIOS, TERMIOS2, VSTART, VSTOP, WINSIZE

if TYPE_CHECKING:
    from sentry.kernel.task import Task

Outcome = int | Coroutine[Any, Any, int]

#: request to (size of the structure, name of the method that reads it, whether typed input is thrown away)
_SETTERS: Final = {
    TCSETS: (TERMIOS.size, "unpack", False),
    TCSETSW: (TERMIOS.size, "unpack", False),
    TCSETSF: (TERMIOS.size, "unpack", True),
    TCSETS2: (TERMIOS2.size, "unpack2", False),
    TCSETSW2: (TERMIOS2.size, "unpack2", False),
    TCSETSF2: (TERMIOS2.size, "unpack2", True),
    TCSETA: (TERMIO.size, "unpack_termio", False),
    TCSETAW: (TERMIO.size, "unpack_termio", False),
    TCSETAF: (TERMIO.size, "unpack_termio", True),
}
#: what a background process may not do (Linux: n_tty_ioctl_helper(), tty_mode_ioctl(), tiocspgrp())
_CHANGES: Final = frozenset((*_SETTERS, TCFLSH, TCXONC, TCSBRK, TCSBRKP, TIOCSPGRP))


def control(
    terminal: Terminal, task: "Task", request: int, argument: int, *, is_master: bool, is_readable: bool = True
) -> Outcome:
    """Carry out ``request``; a coroutine if the caller must be stopped first. Errors: ENOTTY, EFAULT, EPERM, ESRCH, EIO."""
    if request in _CHANGES and not is_master:
        try:
            if job_control.must_stop(terminal, task, SIGTTOU):
                return _stop(task)
        except SyscallError as error:
            if request == TIOCSPGRP and error.errno == EIO:
                raise SyscallError(ENOTTY) from None
            raise
    if request in _SETTERS:
        return _set_modes(terminal, task, request, argument)
    if request == TIOCSCTTY:
        return _set_controlling(terminal, task, argument, is_readable=is_readable)
    if request == TCFLSH:
        return _flush(terminal, argument, is_master=is_master)
    if request in (TIOCGPGRP, TIOCGSID):
        return _get_owner(terminal, task, request, argument, is_master=is_master)
    handler = _SIMPLE.get(request)
    if handler is None:
        raise SyscallError(ENOTTY)
    return handler(terminal, task, argument)


async def _stop(task: "Task") -> int:
    job_control.stop(task, SIGTTOU)
    raise AssertionError("stopped")


# Modes


def _set_modes(terminal: Terminal, task: "Task", request: int, argument: int) -> int:
    size, reader, is_flushing = _SETTERS[request]
    modes = getattr(terminal.discipline.modes, reader)(task.memory.read(argument, size))
    if is_flushing:
        terminal.discipline.flush_input()
        terminal.input_consumed()
    terminal.set_modes(modes)
    return 0


def _get_modes(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write(argument, terminal.discipline.modes.pack())
    return 0


def _get_modes2(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write(argument, terminal.discipline.modes.pack2())
    return 0


def _get_modes_termio(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write(argument, terminal.discipline.modes.pack_termio())
    return 0


def _get_window(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write(argument, WINSIZE.pack(*terminal.window))
    return 0


def _set_window(terminal: Terminal, task: "Task", argument: int) -> int:
    rows, columns, x, y = task.memory.read_struct(WINSIZE, argument)
    terminal.set_window((rows, columns, x, y))
    return 0


def _get_discipline(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write_u32(argument, N_TTY)
    return 0


def _set_discipline(terminal: Terminal, task: "Task", argument: int) -> int:
    """Only N_TTY exists. Errors: EINVAL."""
    if task.memory.read_u32(argument) != N_TTY:
        raise SyscallError(EINVAL)
    return 0


def _get_local(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCGSOFTCAR: whether the carrier is ignored."""
    task.memory.write_u32(argument, int(bool(terminal.discipline.modes.cflag & CLOCAL)))
    return 0


def _set_local(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCSSOFTCAR."""
    modes = terminal.discipline.modes
    cflag = modes.cflag | CLOCAL if task.memory.read_u32(argument) else modes.cflag & ~CLOCAL
    terminal.set_modes(replace(modes, cflag=cflag))
    return 0


def _get_locked(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCGLCKTRMIOS: no mode is locked."""
    task.memory.write(argument, bytes(TERMIOS.size))
    return 0


def _lock_modes(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCSLCKTRMIOS is not offered. Errors: EPERM."""
    raise SyscallError(EPERM)


# Queues and flow


def _flush(terminal: Terminal, which: int, *, is_master: bool) -> int:
    """tcflush(3). The master's input is the output; what it sent stays once it has arrived. Errors: EINVAL."""
    if which not in (TCIFLUSH, TCOFLUSH, TCIOFLUSH):
        raise SyscallError(EINVAL)
    is_input = which in (TCIFLUSH, TCIOFLUSH)
    is_output = which in (TCOFLUSH, TCIOFLUSH)
    if is_master:
        if is_input:
            terminal.take_output(len(terminal.discipline.output.data))
        if is_output:
            terminal.drop_backlog()
        return 0
    if is_input:
        terminal.discipline.flush_input()
        terminal.input_consumed()
    if is_output:
        terminal.take_output(len(terminal.discipline.output.data))
    if terminal.far is not None:
        terminal.far.notice((PKT_FLUSHREAD if is_input else 0) | (PKT_FLUSHWRITE if is_output else 0))
    return 0


def _flow(terminal: Terminal, task: "Task", action: int) -> int:
    """tcflow(3). Errors: EINVAL."""
    if action in (TCOOFF, TCOON):
        terminal.set_flow(stopped=action == TCOOFF)
    elif action in (TCIOFF, TCION):
        char = terminal.discipline.modes.cc[VSTOP if action == TCIOFF else VSTART]
        if char:
            terminal.discipline.output.data.append(char)
            terminal.output_changed()
    else:
        raise SyscallError(EINVAL)
    return 0


def _input_size(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write_u32(argument, terminal.discipline.available)
    return 0


def _output_size(terminal: Terminal, task: "Task", argument: int) -> int:
    """A pseudo-terminal's output is sent at once."""
    task.memory.write_u32(argument, 0)
    return 0


def _nothing(terminal: Terminal, task: "Task", argument: int) -> int:
    """TCSBRK, TIOCSBRK: there is no line to send a break on, and output drains by itself."""
    return 0


def _refuse_peer(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCGPTPEER of anything but a master. Errors: EIO."""
    raise SyscallError(EIO)


def _refuse_input(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCSTI: off, as dev.tty.legacy_tiocsti=0 (Linux 6.2). Errors: EIO."""
    raise SyscallError(EIO)


# Sessions


def _set_controlling(terminal: Terminal, task: "Task", force: int, *, is_readable: bool) -> int:
    """TIOCSCTTY (Linux: tiocsctty()). Errors: EPERM not a session leader, has a terminal, or the terminal has a session."""
    group = task.group
    session = group.process_group.session
    is_leader = session.leader is group
    if is_leader and terminal.session is session:
        return 0
    if not is_leader or session.terminal is not None:
        raise SyscallError(EPERM)
    if terminal.session is not None:
        if force != 1 or not task.credentials.has(CAP_SYS_ADMIN):
            raise SyscallError(EPERM)
        terminal.disassociate()
    if not is_readable and not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
    terminal.become_controlling(session, group.process_group)
    return 0


def _give_up(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCNOTTY: for a session leader the whole session loses it. Errors: ENOTTY not the controlling terminal."""
    if not job_control.is_controlling(terminal, task):
        raise SyscallError(ENOTTY)
    if terminal.session is not None and terminal.session.leader is task.group:
        terminal.signal_foreground(SIGHUP)
        terminal.signal_foreground(SIGCONT)
        terminal.disassociate()
    else:
        terminal.deserters.add(task.group)
    return 0


def _get_owner(terminal: Terminal, task: "Task", request: int, argument: int, *, is_master: bool) -> int:
    """TIOCGPGRP and TIOCGSID. Errors: ENOTTY not the controlling terminal, or it has no session."""
    if not is_master and not job_control.is_controlling(terminal, task):
        raise SyscallError(ENOTTY)
    if request == TIOCGPGRP:
        task.memory.write_u32(argument, terminal.foreground.pgid if terminal.foreground is not None else 0)
        return 0
    if terminal.session is None:
        raise SyscallError(ENOTTY)
    task.memory.write_u32(argument, terminal.session.sid)
    return 0


def _set_foreground(terminal: Terminal, task: "Task", argument: int) -> int:
    """TIOCSPGRP. Errors: ENOTTY, EINVAL negative, ESRCH, EPERM of another session."""
    session = task.group.process_group.session
    if not job_control.is_controlling(terminal, task) or terminal.session is not session:
        raise SyscallError(ENOTTY)
    pgid = task.memory.read_i32(argument)
    if pgid < 0:
        raise SyscallError(EINVAL)
    process_group = task.kernel.tasks.find_process_group(pgid)
    if process_group is None:
        raise SyscallError(ESRCH)
    if process_group.session is not session:
        raise SyscallError(EPERM)
    terminal.foreground = process_group
    return 0


def _set_exclusive(terminal: Terminal, task: "Task", argument: int) -> int:
    terminal.is_exclusive = True
    return 0


def _clear_exclusive(terminal: Terminal, task: "Task", argument: int) -> int:
    terminal.is_exclusive = False
    return 0


def _get_exclusive(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write_u32(argument, int(terminal.is_exclusive))
    return 0


def _get_device(terminal: Terminal, task: "Task", argument: int) -> int:
    task.memory.write_u32(argument, terminal.number_encoded)
    return 0


_SIMPLE: Final[dict[int, Callable[[Terminal, "Task", int], int]]] = {
    FIONREAD: _input_size,
    TCGETA: _get_modes_termio,
    TCGETS: _get_modes,
    TCGETS2: _get_modes2,
    TCSBRK: _nothing,
    TCSBRKP: _nothing,
    TCXONC: _flow,
    TIOCCBRK: _nothing,
    TIOCEXCL: _set_exclusive,
    TIOCGDEV: _get_device,
    TIOCGETD: _get_discipline,
    TIOCGEXCL: _get_exclusive,
    TIOCGPTPEER: _refuse_peer,
    TIOCGLCKTRMIOS: _get_locked,
    TIOCGSOFTCAR: _get_local,
    TIOCGWINSZ: _get_window,
    TIOCNOTTY: _give_up,
    TIOCNXCL: _clear_exclusive,
    TIOCOUTQ: _output_size,
    TIOCSBRK: _nothing,
    TIOCSETD: _set_discipline,
    TIOCSLCKTRMIOS: _lock_modes,
    TIOCSPGRP: _set_foreground,
    TIOCSSOFTCAR: _set_local,
    TIOCSTI: _refuse_input,
    TIOCSWINSZ: _set_window,
}
