"""Bytes in flight between two UNIX sockets, with what goes along; charged to the sender until they are received.

The charge is Linux's ``truesize``, because it decides how much a guest can send before the other side reads (measured on a real
kernel; Linux: net/core/skbuff.c, net/unix/af_unix.c).
"""

from typing import TYPE_CHECKING, Final

from sentry.socket.socket import PeerCredentials

if TYPE_CHECKING:
    from sentry.socket.unix.base import UnixSocket
    from sentry.vfs.file import FileDescription

_PAGE: Final = 4096
_OVERHEAD: Final = 256  # struct sk_buff
_SHARED_INFO: Final = 320
_SMALLEST: Final = 512
_HEAD_MAX: Final = _PAGE - _SHARED_INFO  # SKB_MAX_HEAD(0)
_ALLOC_MAX: Final = 4 * _PAGE - _SHARED_INFO  # SKB_MAX_ALLOC
_FRAGMENTS_MAX: Final = 17 * _PAGE
STREAM_PART_MAX: Final = _HEAD_MAX + 32_768


def _pages(length: int) -> int:
    return (length + _PAGE - 1) & -_PAGE


def _truesize(head: int, fragments: int) -> int:
    need = head + _SHARED_INFO
    return _OVERHEAD + (_SMALLEST if need <= _SMALLEST else 1 << (need - 1).bit_length()) + fragments


def stream_truesize(length: int) -> int:
    """The charge of one part of a stream."""
    if length <= 192:
        return 768
    if length <= _HEAD_MAX:
        return _truesize(length, 0)
    paged = min(_pages(length - _HEAD_MAX), length)
    return _truesize(length - paged, _pages(paged))


def datagram_truesize(length: int) -> int:
    """The charge of one datagram."""
    paged = _pages(min(length - _ALLOC_MAX, _FRAGMENTS_MAX)) if length > _ALLOC_MAX else 0
    return _truesize(max(length - paged, 0), paged)


class Message:
    """One skb. ``start`` is what has been received of a stream's part already."""

    __slots__ = ("credentials", "data", "files", "files_uid", "name", "sender", "start", "truesize")

    def __init__(
        self,
        sender: "UnixSocket",
        data: bytes,
        truesize: int,
        credentials: PeerCredentials | None,
        files: "list[FileDescription] | None",
        name: bytes,
    ) -> None:
        self.sender = sender
        self.data = data
        self.start = 0
        self.truesize = truesize
        self.credentials = credentials
        self.files = files
        self.files_uid = 0
        self.name = name
