"""Starts a keeper as a process of its own and waits until its sandbox is there."""

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from sandboxctl.errors import EXIT_OURS, SandboxError, one_line

if TYPE_CHECKING:
    from sandboxctl.state.keeper import Keeper

Body = Callable[["Keeper"], None]


def launch(make: "Callable[[], Keeper]", begin: Body, *, keeps_streams: bool) -> int:
    """Fork a keeper, which ``begin`` starts; return its pid once it says that all is well. Raises SandboxError.

    ``keeps_streams``: the descriptors 0 to 2 are the program's; else the keeper has /dev/null there.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _child(make, begin, writer, keeps_streams)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    if said == "ok":
        return pid
    os.waitpid(pid, 0)
    code, _, message = said.partition(" ")
    raise SandboxError(message or "the keeper of the sandbox died", int(code) if code.isdecimal() else EXIT_OURS)


def _child(make: "Callable[[], Keeper]", begin: Body, writer: int, keeps_streams: bool) -> NoReturn:
    """Become the keeper. Nothing of the caller runs on in this process."""
    code, signo = EXIT_OURS, 0
    try:
        os.setsid()
        os.chdir("/")
        for number in (signal.SIGPIPE, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        if not keeps_streams:
            null = os.open("/dev/null", os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
        keeper = make()
        begin(keeper)
        os.write(writer, b"ok")
        os.close(writer)
        writer = -1
        code, signo = keeper.run()
    except SandboxError as error:
        _report(writer, f"{error.exit_code} {error}")
    except BaseException as error:  # the last door of this process: whoever waits must hear of it
        _report(writer, f"{EXIT_OURS} the keeper failed: {one_line(error) or type(error).__name__}")
    if signo:
        signal.signal(signo, signal.SIG_DFL) if signo not in {signal.SIGKILL, signal.SIGSTOP} else None
        os.kill(os.getpid(), signo)
    os._exit(code)


def _report(writer: int, text: str) -> None:
    if writer >= 0:
        os.write(writer, text.encode("utf-8", "replace"))
    else:
        sys.stderr.write(f"sandboxctl: {text}\n")
