"""Where in the stub's scratch area, which every guest process has, the arguments of injected calls about signals lie.

At its end, where only the longest argument lists of scripts reach: slots by thread number.
"""

from typing import Final

from sentry.arch.x86_64 import STUB_SCRATCH, STUB_SCRATCH_LENGTH

_SLOTS, _SLOT = 512, 256
SIGNAL_SLOTS_AT: Final = STUB_SCRATCH + STUB_SCRATCH_LENGTH - _SLOTS * _SLOT


def signal_slot(host_tid: int) -> int:
    """The address of a thread's slot of 256 bytes."""
    return SIGNAL_SLOTS_AT + host_tid % _SLOTS * _SLOT
