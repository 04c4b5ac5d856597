"""Copies from one guest's memory to another's."""

from sentry.mm.usermem import UserSink, UserSource
from syscalls.abi.errors import Fault

_CHUNK = 1 << 20


def copy(source: UserSource, sink: UserSink) -> int:
    """Copy until one is used up or its memory ends; return how many bytes were copied. Errors: EFAULT with the first."""
    done = 0
    try:
        while source.remaining and sink.remaining:
            data = source.take(min(_CHUNK, source.remaining, sink.remaining))
            count = sink.put(data)
            done += count
            if count < len(data):
                break
    except Fault:
        if not done:
            raise
    return done
