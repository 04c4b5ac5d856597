"""The files of ``--network-log`` and ``--network-pcap``: opened here, with the caller's rights; the sentry only appends."""

import os

from sandboxctl.config import Network
from sandboxctl.errors import SandboxError


def open_records(network: Network | None) -> list[int]:
    """Descriptors of those that are wanted, the log's first. Raises SandboxError."""
    fds: list[int] = []
    if network is None:
        return fds
    for option, path, flag in (("--network-log", network.log, os.O_APPEND), ("--network-pcap", network.pcap, os.O_TRUNC)):
        if path is None:
            continue
        try:
            fds.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | flag, 0o600))
        except OSError as error:
            for fd in fds:
                os.close(fd)
            raise SandboxError(f"{option}: cannot write {path!r}: {error.strerror}") from None
    return fds
