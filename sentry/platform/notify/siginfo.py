"""siginfo_t (sigaction(2)): what the host has queued, and what the guest shall see of it.

The host lets nobody queue a signal in another's name, and rewrites the sender of one that comes from outside a pid namespace.
The sentry's own signals are therefore queued as a timer's (whose fields the host passes on untouched), with the true code in
si_errno, which no kernel uses; they get their true form back where they are delivered or taken. A guest that forges such a record
deceives its own processes, as it may anyway with any negative code.
"""

from struct import Struct
from typing import Final

from sentry.platform.interface import SignalInfo

SIGINFO_LENGTH: Final = 128
SI_USER, SI_QUEUE, SI_TIMER, SI_TKILL = 0, -1, -2, -6
SIGCHLD, _CLD_LAST = 17, 6
_MARK, _MARK_MASK, _POLL = 0x5AC00000, 0xFFF00000, 0x10000
_PLAIN = Struct("<iii4xIIQ96x")
_POLLED = Struct("<iii4xqi100x")
#: si_signo si_errno si_code, then si_pid (or si_tid) and si_uid (or si_overrun), then si_value
HEAD = Struct("<iii4xIIQ")


def queued(info: SignalInfo) -> tuple[int, int, int, int]:
    """si_errno, si_tid, si_overrun and si_value of the record that is queued for ``info``."""
    if info.code == SI_TIMER:
        return 0, info.pid, info.uid, info.value
    return _MARK | (_POLL if info.is_poll else 0) | info.code & 0xFFFF, info.pid, info.uid, info.value


def is_disguised(code: int, errno: int) -> bool:
    """Whether a delivered signal is one of the sentry's."""
    return code == SI_TIMER and errno & _MARK_MASK == _MARK


def true_form(signal: int, errno: int, first: int, second: int, value: int) -> bytes:
    """The whole siginfo_t of a disguised one."""
    code = (errno & 0xFFFF ^ 0x8000) - 0x8000
    if errno & _POLL:
        return _POLLED.pack(signal, 0, code, value - (value >> 63 << 64), first)
    return _PLAIN.pack(signal, 0, code, first, second, value)


def has_sender(signal: int, code: int) -> bool:
    """Whether si_pid and si_uid name a process: the sender, or the child of a SIGCHLD."""
    return code in (SI_USER, SI_QUEUE, SI_TKILL) or (signal == SIGCHLD and 0 < code <= _CLD_LAST)
