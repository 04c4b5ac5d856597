"""SOL_SOCKET options that are kept and told back: they steer hardware or the way of packets, and there is neither on loopback.

Linux: net/core/sock.c, sk_setsockopt(); include/uapi/asm-generic/socket.h.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from syscalls.abi.capability import CAP_NET_ADMIN, CAP_NET_RAW
from syscalls.abi.errno import EACCES, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    AF_INET,
    AF_INET6,
    SO_BSDCOMPAT,
    SO_BUSY_POLL,
    SO_BUSY_POLL_BUDGET,
    SO_CNX_ADVICE,
    SO_DEBUG,
    SO_INCOMING_CPU,
    SO_INCOMING_NAPI_ID,
    SO_LOCK_FILTER,
    SO_MARK,
    SO_NO_CHECK,
    SO_NOFCS,
    SO_PREFER_BUSY_POLL,
    SO_PRIORITY,
    SO_RESERVE_MEM,
    SO_TXREHASH,
    SO_WIFI_STATUS,
    SO_ZEROCOPY,
    SOCK_STREAM,
)

if TYPE_CHECKING:
    from sentry.socket.socket import Socket

_INT_MAX: Final = (1 << 31) - 1
_INT_MIN: Final = -(1 << 31)
_FREE_PRIORITY_MAX: Final = 6
_TXREHASH_DEFAULT: Final = -1


class Kept(NamedTuple):
    """An option: its value until it is set, and the range that it accepts; a boolean turns everything but 0 into 1."""

    default: int = 0
    least: int = _INT_MIN
    most: int = _INT_MAX
    is_boolean: bool = True
    is_read_only: bool = False
    is_write_only: bool = False


KEPT: Final[dict[int, Kept]] = {
    SO_DEBUG: Kept(),
    SO_NO_CHECK: Kept(),
    SO_PRIORITY: Kept(is_boolean=False),
    SO_BSDCOMPAT: Kept(most=0),
    SO_MARK: Kept(is_boolean=False),
    SO_WIFI_STATUS: Kept(),
    SO_NOFCS: Kept(),
    SO_LOCK_FILTER: Kept(),
    SO_BUSY_POLL: Kept(least=0, is_boolean=False),
    SO_INCOMING_CPU: Kept(default=-1, is_boolean=False),
    SO_INCOMING_NAPI_ID: Kept(is_read_only=True),
    SO_PREFER_BUSY_POLL: Kept(),
    SO_TXREHASH: Kept(default=1, least=-1, most=1, is_boolean=False),
    SO_BUSY_POLL_BUDGET: Kept(least=0, most=0xFFFF, is_boolean=False, is_write_only=True),
    SO_CNX_ADVICE: Kept(is_write_only=True),
    SO_RESERVE_MEM: Kept(least=0, is_boolean=False),
    SO_ZEROCOPY: Kept(least=0, most=1),
}
_MAY_FAIL: Final[dict[int, Callable[[int, Callable[[int], bool]], int]]] = {
    SO_DEBUG: lambda value, has: EACCES if value and not has(CAP_NET_ADMIN) else 0,
    SO_PRIORITY: lambda value, has: EPERM if not (0 <= value <= _FREE_PRIORITY_MAX or _may_mark(has)) else 0,
    SO_MARK: lambda value, has: 0 if _may_mark(has) else EPERM,
    SO_PREFER_BUSY_POLL: lambda value, has: EPERM if value and not has(CAP_NET_ADMIN) else 0,
    SO_BUSY_POLL_BUDGET: lambda value, has: EPERM if value > 0 and not has(CAP_NET_ADMIN) else 0,
    SO_RESERVE_MEM: lambda value, has: EOPNOTSUPP if value >= 0 else 0,
    SO_ZEROCOPY: lambda value, has: EOPNOTSUPP if value == 1 else 0,
}


def _may_mark(has: Callable[[int], bool]) -> bool:
    return has(CAP_NET_RAW) or has(CAP_NET_ADMIN)


def _check_family(socket: "Socket", name: int, *, is_set: bool) -> None:
    if name == SO_ZEROCOPY and is_set and socket.family not in (AF_INET, AF_INET6):
        raise SyscallError(EOPNOTSUPP)
    if name == SO_TXREHASH and (socket.family not in (AF_INET, AF_INET6) or socket.type != SOCK_STREAM):
        raise SyscallError(EOPNOTSUPP)


def get_kept(socket: "Socket", name: int) -> int:
    """The value. Errors: EOPNOTSUPP of another kind of sockets, ENOPROTOOPT of what can only be set."""
    if KEPT[name].is_write_only:
        raise SyscallError(ENOPROTOOPT)
    _check_family(socket, name, is_set=False)
    return socket.kept.get(name, KEPT[name].default)


def set_kept(socket: "Socket", name: int, value: int, has: Callable[[int], bool]) -> None:
    """Keep a value; ``has`` tells whether the caller has a capability. Errors: EINVAL, EPERM, EACCES, EOPNOTSUPP."""
    _check_family(socket, name, is_set=True)
    option = KEPT[name]
    may_fail = _MAY_FAIL.get(name)
    error = may_fail(value, has) if may_fail is not None else 0
    if error:
        raise SyscallError(error)
    if name == SO_BSDCOMPAT:
        return
    if name == SO_LOCK_FILTER and socket.kept.get(name) and not value:
        raise SyscallError(EPERM)
    if not option.least <= value <= option.most:
        raise SyscallError(EINVAL)
    if name == SO_TXREHASH and value == _TXREHASH_DEFAULT:
        value = option.default
    socket.kept[name] = int(bool(value)) if option.is_boolean else value
