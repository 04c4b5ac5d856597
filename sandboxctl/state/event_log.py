"""What has happened to the sandboxes of a user, one JSON object a line; the last two files of it are kept.

Lines are written with one append each, so that any number of processes may write.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxctl.state.record import Record

NAME = ".events"
SIZE_MAX = 4 << 20


def write(folder: str, record: "Record", what: str, attributes: Mapping[str, str]) -> None:
    """Append one event; a full disk loses it."""
    now = time.time_ns()
    event = {
        "time": now // 1_000_000_000,
        "timeNano": now,
        "Type": "container",
        "Status": what,
        "ID": record.id,
        "Name": record.name,
        "Image": record.image,
        "Attributes": {**record.labels, **attributes},
    }
    path = os.path.join(folder, NAME)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, json.dumps(event).encode() + b"\n")
            is_full = os.fstat(fd).st_size > SIZE_MAX
        finally:
            os.close(fd)
        if is_full:
            os.rename(path, f"{path}.1")
    except OSError:
        return


def read(folder: str) -> Iterator[dict[str, Any]]:
    """The events so far, oldest first."""
    for name in (f"{NAME}.1", NAME):
        try:
            with open(os.path.join(folder, name), "rb") as file:
                yield from parsed(file.readlines())
        except FileNotFoundError:
            continue


def parsed(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """The events of whole lines; what is no event is passed over."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
