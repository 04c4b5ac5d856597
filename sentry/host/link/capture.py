"""``--network-pcap``: the frames of a link in the format of libpcap, with nanoseconds (pcap-savefile(5))."""

from collections.abc import Callable
from struct import Struct
from typing import Final

from sentry.host.record_file import RecordFile

_MAGIC_NS: Final = 0xA1B23C4D
_SNAP_LENGTH: Final = 262_144
_ETHERNET: Final = 1  # LINKTYPE_ETHERNET
_FILE: Final = Struct("<IHHiIII")
_FRAME: Final = Struct("<IIII")
_SECOND: Final = 1_000_000_000


class Capture:
    """A link's ``tap``; ``now`` is the wall clock in nanoseconds."""

    def __init__(self, file: RecordFile, now: Callable[[], int]) -> None:
        self._file = file
        self._now = now
        file.write(_FILE.pack(_MAGIC_NS, 2, 4, 0, 0, _SNAP_LENGTH, _ETHERNET))

    def __call__(self, frame: bytes, is_out: bool) -> None:
        """Write one frame."""
        seconds, rest = divmod(self._now(), _SECOND)
        self._file.write(_FRAME.pack(seconds, rest, len(frame), len(frame)) + frame)
