"""SOL_SOCKET options (socket(7)) as all families share them: raw bytes in, raw bytes out.

Linux: net/core/sock.c, sk_setsockopt(), sk_getsockopt().
"""

from collections.abc import Callable
from typing import Final

from sentry.kernel.timeout import to_nanoseconds
from sentry.socket.kept_options import KEPT, get_kept, set_kept
from sentry.socket.socket import Socket
from syscalls.abi.capability import CAP_NET_ADMIN
from syscalls.abi.errno import EDOM, EINVAL, ENOENT, ENOPROTOOPT, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    LINGER,
    SO_ACCEPTCONN,
    SO_BPF_EXTENSIONS,
    SO_BROADCAST,
    SO_BUF_LOCK,
    SO_COOKIE,
    SO_DETACH_FILTER,
    SO_DOMAIN,
    SO_DONTROUTE,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_LOCK_FILTER,
    SO_MEMINFO,
    SO_NETNS_COOKIE,
    SO_OOBINLINE,
    SO_PASSCRED,
    SO_PASSPIDFD,
    SO_PASSSEC,
    SO_PEERCRED,
    SO_PEERNAME,
    SO_PROTOCOL,
    SO_RCVBUF,
    SO_RCVBUFFORCE,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_RCVTIMEO_NEW,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SELECT_ERR_QUEUE,
    SO_SNDBUF,
    SO_SNDBUFFORCE,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_SNDTIMEO_NEW,
    SO_TIMESTAMP,
    SO_TIMESTAMPNS,
    SO_TYPE,
    UCRED,
)
from syscalls.abi.time import NSEC_PER_SEC, NSEC_PER_USEC, TIMEVAL

BUFFER_MAX: Final = 212_992  # net.core.wmem_max, rmem_max
_SNDBUF_MIN: Final = 4608
_RCVBUF_MIN: Final = 2304
_WORD: Final = 4
_LONG_WORD: Final = 8
SOCK_SNDBUF_LOCK, SOCK_RCVBUF_LOCK = 1, 2  # of SO_BUF_LOCK
_BPF_EXTENSIONS: Final = 64  # SKF_AD_MAX
_NETNS_COOKIE: Final = 1  # of the only network namespace

_BITS = (
    SO_REUSEADDR,
    SO_DONTROUTE,
    SO_BROADCAST,
    SO_KEEPALIVE,
    SO_OOBINLINE,
    SO_REUSEPORT,
    SO_PASSCRED,
    SO_PASSPIDFD,
    SO_PASSSEC,
    SO_SELECT_ERR_QUEUE,
    SO_TIMESTAMP,
    SO_TIMESTAMPNS,
)
_FAMILIES = {SO_PASSSEC: (AF_UNIX, AF_NETLINK), SO_PASSCRED: (AF_UNIX, AF_NETLINK), SO_PASSPIDFD: (AF_UNIX,)}
_STAMPS = (SO_TIMESTAMP, SO_TIMESTAMPNS)  # either, not both
_TIMEOUTS = (SO_RCVTIMEO, SO_SNDTIMEO, SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW)


def get_option(socket: Socket, name: int, room: int) -> bytes:
    """The option's value. Errors: ENOPROTOOPT, EOPNOTSUPP of another family, ENOTCONN, EINVAL no room for a number of 64 bits."""
    if name in KEPT:
        return _pack(get_kept(socket, name))
    if name in _BITS:
        _check_family(socket, name)
        return _pack(name in socket.flags_set)
    if name in _TIMEOUTS:
        timeout = socket.read_timeout_ns if name in (SO_RCVTIMEO, SO_RCVTIMEO_NEW) else socket.write_timeout_ns
        seconds, rest = divmod(timeout or 0, NSEC_PER_SEC)
        return TIMEVAL.pack(seconds, rest // NSEC_PER_USEC)
    getter = _GETTERS.get(name)
    if getter is None:
        raise SyscallError(ENOPROTOOPT)
    value = getter(socket)
    if name in _LONG and room < len(value):
        raise SyscallError(EINVAL)
    return value


def set_option(socket: Socket, name: int, value: bytes, has: Callable[[int], bool]) -> None:
    """Change an option; ``has``: the caller's capabilities. Errors: EINVAL, ENOPROTOOPT, EDOM, EPERM, EACCES, EOPNOTSUPP."""
    if len(value) < _WORD:
        raise SyscallError(EINVAL)
    number = int.from_bytes(value[:_WORD], "little", signed=True)
    if name in KEPT and not KEPT[name].is_read_only:
        set_kept(socket, name, number, has)
    elif name in _BITS:
        _check_family(socket, name)
        if name == SO_REUSEPORT and number and socket.family not in (AF_INET, AF_INET6):
            raise SyscallError(EOPNOTSUPP)
        if name in _STAMPS:
            socket.flags_set.difference_update(_STAMPS)
        (socket.flags_set.add if number else socket.flags_set.discard)(name)
    elif name in _TIMEOUTS:
        _set_timeout(socket, name, value)
    elif name == SO_LINGER:
        if len(value) < LINGER.size:
            raise SyscallError(EINVAL)
        onoff, seconds = LINGER.unpack_from(value)
        socket.linger = (int(bool(onoff)), seconds if onoff else socket.linger[1])
    elif name in (SO_SNDBUFFORCE, SO_RCVBUFFORCE) and not has(CAP_NET_ADMIN):
        raise SyscallError(EPERM)
    elif name in _SETTERS:
        _SETTERS[name](socket, number)
    else:
        raise SyscallError(ENOPROTOOPT)
    socket.option_changed()


def _check_family(socket: Socket, name: int) -> None:
    families = _FAMILIES.get(name)
    if families is not None and socket.family not in families:
        raise SyscallError(EOPNOTSUPP)


def _pack(value: int) -> bytes:
    return (int(value) & 0xFFFFFFFF).to_bytes(_WORD, "little")


def _peercred(socket: Socket) -> bytes:
    peer = socket.peer_credentials()
    return UCRED.pack(peer.pid, peer.uid, peer.gid)


def _set_timeout(socket: Socket, name: int, value: bytes) -> None:
    if len(value) < TIMEVAL.size:
        raise SyscallError(EINVAL)
    seconds, microseconds = TIMEVAL.unpack_from(value)
    if not 0 <= microseconds < 1_000_000:
        raise SyscallError(EDOM)
    # Linux: a negative time means do not wait at all; zero waits for ever.
    timeout: int | None = 0 if seconds < 0 else to_nanoseconds(seconds, microseconds, NSEC_PER_USEC) or None
    if name in (SO_RCVTIMEO, SO_RCVTIMEO_NEW):
        socket.read_timeout_ns = timeout
    else:
        socket.write_timeout_ns = timeout


def _set_sndbuf(socket: Socket, value: int) -> None:
    socket.buf_lock |= SOCK_SNDBUF_LOCK
    socket.sndbuf = max(min(value & 0xFFFFFFFF, BUFFER_MAX) * 2, _SNDBUF_MIN)
    socket.queue.wake()


def _set_rcvbuf(socket: Socket, value: int) -> None:
    socket.buf_lock |= SOCK_RCVBUF_LOCK
    socket.rcvbuf = max(min(value & 0xFFFFFFFF, BUFFER_MAX) * 2, _RCVBUF_MIN)


def _set_rcvlowat(socket: Socket, value: int) -> None:
    socket.rcvlowat = min(0x7FFFFFFF if value < 0 else value or 1, socket.rcvlowat_max())


def _set_buf_lock(socket: Socket, value: int) -> None:
    if value & ~(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK):
        raise SyscallError(EINVAL)
    socket.buf_lock = value


def _detach_filter(socket: Socket, value: int) -> None:
    raise SyscallError(EPERM if socket.kept.get(SO_LOCK_FILTER) else ENOENT)


def _meminfo(socket: Socket) -> bytes:
    """struct sk_meminfo: nine words, of which the sizes of the buffers are known."""
    return b"".join(map(_pack, (0, socket.rcvbuf, 0, socket.sndbuf, 0, 0, 0, 0, 0)))


_GETTERS: dict[int, Callable[[Socket], bytes]] = {
    SO_TYPE: lambda socket: _pack(socket.type),
    SO_DOMAIN: lambda socket: _pack(socket.family),
    SO_PROTOCOL: lambda socket: _pack(socket.protocol),
    SO_ERROR: lambda socket: _pack(socket.take_error()),
    SO_ACCEPTCONN: lambda socket: _pack(socket.is_listening),
    SO_SNDBUF: lambda socket: _pack(socket.sndbuf),
    SO_RCVBUF: lambda socket: _pack(socket.rcvbuf),
    SO_RCVLOWAT: lambda socket: _pack(socket.rcvlowat),
    SO_SNDLOWAT: lambda _: _pack(1),
    SO_LINGER: lambda socket: LINGER.pack(*socket.linger),
    SO_PEERCRED: _peercred,
    SO_PEERNAME: lambda socket: socket.peer_address(),
    SO_BPF_EXTENSIONS: lambda _: _pack(_BPF_EXTENSIONS),
    SO_BUF_LOCK: lambda socket: _pack(socket.buf_lock),
    SO_MEMINFO: _meminfo,
    SO_COOKIE: lambda socket: socket.cookie().to_bytes(_LONG_WORD, "little"),
    SO_NETNS_COOKIE: lambda _: _NETNS_COOKIE.to_bytes(_LONG_WORD, "little"),
}
_LONG = (SO_COOKIE, SO_NETNS_COOKIE)
_SETTERS: dict[int, Callable[[Socket, int], None]] = {
    SO_SNDBUF: _set_sndbuf,
    SO_SNDBUFFORCE: _set_sndbuf,
    SO_RCVBUF: _set_rcvbuf,
    SO_RCVBUFFORCE: _set_rcvbuf,
    SO_RCVLOWAT: _set_rcvlowat,
    SO_BUF_LOCK: _set_buf_lock,
    SO_DETACH_FILTER: _detach_filter,
}
