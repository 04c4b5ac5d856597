"""The only place in the sentry that yields (rule ``one-yield``)."""

from collections.abc import Generator
from enum import Enum
from types import coroutine


class Outcome(Enum):
    """Why a parked fiber runs again."""

    READY = "ready"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"


@coroutine
def park() -> Generator[None, Outcome, Outcome]:
    """Give up the processor until the fiber is woken; returns why it was."""
    return (yield)
