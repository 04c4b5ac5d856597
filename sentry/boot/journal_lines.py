"""The entries of ``--network-log`` as lines of JSON."""

import json
from _socket import AF_INET, AF_INET6, inet_ntop
from collections.abc import Callable
from typing import Any

from sentry.boot.egress import PROTOCOLS
from sentry.host.record_file import RecordFile
from syscalls.abi import errno as errnos

_SECOND = 1_000_000_000


def journal_lines(file: RecordFile) -> Callable[[dict[str, Any]], None]:
    """What writes an entry; ``lost`` tells how many entries before it the file could not take."""

    def write(entry: dict[str, Any]) -> None:
        fields = {key: _SHOWN.get(key, _plain)(value) for key, value in entry.items()}
        if file.lost:
            fields["lost"] = file.lost
        if file.write(json.dumps(fields).encode() + b"\n"):
            file.lost = 0

    return write


def _plain(value: object) -> object:
    return value


def _address(value: bytes) -> str:
    return inet_ntop(AF_INET if len(value) == 4 else AF_INET6, value)


def _time(value: int) -> float:
    """Seconds since the epoch, to the microsecond."""
    return round(value / _SECOND, 6)


def _protocol(value: int) -> object:
    return PROTOCOLS.get(value, value)


_SHOWN: dict[str, Callable[[Any], object]] = {
    "start": _time, "end": _time, "protocol": _protocol, "address": _address, "local_address": _address, "errno": errnos.name,
}  # fmt: skip
