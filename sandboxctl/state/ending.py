"""Ends a sandbox from outside, and waits for ends."""

import os
import select
import signal

from sandboxctl.errors import SandboxError
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link, NotRunning
from sandboxctl.state.record import Record

_PATIENCE = 10.0


def wait(states: States, record: Record) -> int:
    """Return the exit code of a sandbox once it has ended."""
    try:
        link = Link(states.path(record.id))
        link.channel.send("wait")
        answer = link.answer()
        return int(answer["code"])
    except NotRunning:
        found = states.look(record.id)
        if found is None:
            return record.exit_code
        return found.exit_code


def send(states: States, record: Record, signo: int, *, everyone: bool = False) -> bool:
    """Send a signal; whether there was somebody to hear it."""
    try:
        link = Link(states.path(record.id))
        link.ask("signal", signo=int(signo), everyone=everyone, by_hand=True)
    except NotRunning:
        return False
    link.close()
    return True


def stop(states: States, record: Record, seconds: float) -> None:
    """Send the stop signal, and SIGKILL to all after ``seconds``; returns once it has ended. A no-op if it has already."""
    keeper = _pidfd(record.pid)
    if keeper < 0:
        return
    try:
        if seconds > 0 and send(states, record, record.stop_signal) and _ended(keeper, seconds):
            return
        send(states, record, signal.SIGKILL, everyone=True)
        if _ended(keeper, _PATIENCE):
            return
        signal.pidfd_send_signal(keeper, signal.SIGKILL)  # the sandbox dies with its keeper
        if not _ended(keeper, _PATIENCE):
            raise SandboxError(f"the keeper of {record.name or record.id[:12]}, process {record.pid}, cannot be killed")
    finally:
        os.close(keeper)
        states.look(record.id)


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid) if pid > 0 else -1
    except ProcessLookupError:
        return -1


def _ended(pidfd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
