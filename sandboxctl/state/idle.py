"""A sandbox that nobody keeps (created, or ended), asked for what running ones are asked for: ``cp``, ``commit`` and ``diff``.

To copy, its tree is built for the moment, without a program or a network; what was copied in is kept as its own changes are.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sandboxctl.errors import SandboxError
from sandboxctl.session import Session
from sandboxctl.state import kept
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link, NotRunning
from sandboxctl.state.plain import config_from_plain
from sandboxctl.state.record import Record

_CHUNK = 1 << 20


class IdleLink:
    """Answers as a keeper's ``Link`` does. The lock of the sandbox is held meanwhile."""

    def __init__(self, folder: str, record: Record) -> None:
        try:
            self._config = replace(config_from_plain(record.config), network=None)
        except (TypeError, ValueError, KeyError) as error:
            raise SandboxError(f"the record of {record.name} is of another version of sandboxctl: {error}") from None
        self._folder = folder
        self._session: Session | None = None
        self._is_changed = False

    def ask(self, kind: str, fds: Sequence[int] = (), **fields: Any) -> dict[str, Any]:
        """``stat``, ``copy_out``, ``copy_in``, ``image`` and ``export``. Raises SandboxError."""
        if kind == "image":
            from sandboxctl.images.registry import resolve

            image = resolve(self._config.image)
            return {"name": image.name, "id": image.id}
        if kind == "export":
            return {"left_out": self._export(fds[0])}
        return self._copy(kind, fds[0] if fds else -1, fields)

    def _copy(self, kind: str, fd: int, fields: dict[str, Any]) -> dict[str, Any]:
        if self._session is None:
            self._session = Session(self._config)
            kept.restore(self._session, self._folder)
        if kind == "copy_in":
            if not kept.is_kept(self._config) and not self._config.rw:
                raise SandboxError("the sandbox is read-only (--read-only); nothing that is copied in would be kept")
            self._is_changed = True
        try:
            return {"errno": 0, "value": self._session.copy(kind, fields["path"], fd, fields["name"])}
        except OSError as error:
            return {"errno": error.errno or 5, "value": 0}

    def _export(self, fd: int) -> int:
        try:
            source = os.open(os.path.join(self._folder, kept.NAME), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            os.write(fd, bytes(kept.EMPTY))
            return 0
        try:
            while data := os.read(source, _CHUNK):
                os.write(fd, data)
        finally:
            os.close(source)
        return 0

    def close(self) -> None:
        """Keep what was copied in. Raises SandboxError."""
        session, self._session = self._session, None
        if session is not None:
            try:
                if self._is_changed and kept.is_kept(self._config):
                    kept.save(session, self._folder)
            finally:
                session.close()


@contextlib.contextmanager
def reach(known: States, name: str) -> Iterator[Link | IdleLink]:
    """The sandbox, running or not. Raises SandboxError, also where one that does not run is an engine's."""
    record = known.find(name)
    folder = known.path(record.id)
    with contextlib.ExitStack() as stack:
        link: Link | IdleLink
        try:
            link = Link(folder)
        except NotRunning:
            if not record.config:
                raise
            stack.enter_context(known.hold(record))
            link = IdleLink(folder, record)
        try:
            yield link
        finally:
            link.close()
