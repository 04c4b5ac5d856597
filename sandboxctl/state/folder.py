"""Finds, makes, repairs and removes the folders of sandboxes.

A folder's ``lock`` is held from before its keeper exists until the keeper is dead, however it died: who can take it knows that
nothing runs, and brings the record up to date.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandboxctl.errors import SandboxError
from sandboxctl.state import event_log
from sandboxctl.state.record import STOPPED, Record

EXIT_LOST = 137  # the keeper was killed, and the sandbox with it


class NotFound(SandboxError):
    """There is no sandbox of that name."""


class States:
    """All sandboxes below one folder (``place.prepare``)."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, ident: str) -> str:
        """The folder of one sandbox."""
        return os.path.join(self.folder, ident)

    def ids(self) -> list[str]:
        """All ids, in no order."""
        return [name for name in os.listdir(self.folder) if not name.startswith(".")]

    def all(self) -> list[Record]:
        """All records, repaired; oldest first."""
        found = [record for ident in self.ids() if (record := self.look(ident)) is not None]
        return sorted(found, key=lambda record: record.created)

    def look(self, ident: str) -> Record | None:
        """The record of that id, repaired if its keeper is dead; None if there is none (or it was to vanish with the keeper)."""
        folder = self.path(ident)
        try:
            record = Record.load(folder)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise SandboxError(f"the record in {folder} cannot be read: {error}; remove the folder") from None
        if record.pid == 0 or record.status == STOPPED:
            return record
        lock = _try_lock(folder)
        if lock is None:
            return record
        try:
            return self._repair(folder)
        finally:
            os.close(lock)

    def _repair(self, folder: str) -> Record | None:
        """Nothing runs: say so in the record. The lock is held."""
        try:
            record = Record.load(folder)
        except FileNotFoundError:
            return None
        if record.status != STOPPED and record.pid:
            record.status, record.exit_code, record.error = STOPPED, EXIT_LOST, "its keeper was killed"
            record.pid, record.finished = 0, time.time()
            self.note(record, "died")
            if record.auto_remove:
                self.remove(record.id)
                return None
            record.save(folder)
        return record

    def find(self, word: str) -> Record:
        """The sandbox of that id, name, or unique beginning of an id. Raises NotFound."""
        records = self.all()
        exact = [record for record in records if word in {record.id, record.name}]
        found = exact or [record for record in records if len(word) >= 3 and record.id.startswith(word)]
        if len(found) == 1:
            return found[0]
        if found:
            raise SandboxError(f"{word!r} is the beginning of several ids; write more of it")
        raise NotFound(f"no sandbox {word!r}; see: sandboxctl ps -a")

    @contextmanager
    def claim(self, record: Record) -> Iterator[int]:
        """Make the folder of a new sandbox; gives the descriptor of its lock, which is held. Raises SandboxError.

        Removed again if the block raises.
        """
        with self._names():
            if record.id in self.ids():
                raise SandboxError(f"container with id {record.id} exists already")
            if record.name:
                self._need_free(record.name)
            hidden = self.path(f".{record.id}")
            os.makedirs(hidden, 0o700, exist_ok=True)
            lock = _try_lock(hidden)
            assert lock is not None, "nobody else knows the folder"
            record.save(hidden)
            os.rename(hidden, self.path(record.id))
        try:
            yield lock
        except BaseException:
            self.remove(record.id)
            raise
        finally:
            os.close(lock)

    @contextmanager
    def hold(self, record: Record) -> Iterator[int]:
        """The lock of a sandbox that nobody keeps, so that a keeper can be started. Raises SandboxError if somebody does."""
        lock = _try_lock(self.path(record.id))
        if lock is None:
            raise SandboxError(f"{record.name or record.id[:12]} is running, or being started")
        try:
            yield lock
        finally:
            os.close(lock)

    def remove(self, ident: str) -> None:
        """Remove a folder: renamed first, so that nobody sees half of it."""
        gone = self.path(f".gone-{ident}")
        try:
            record: Record | None = Record.load(self.path(ident))
        except (OSError, ValueError):
            record = None
        try:
            os.rename(self.path(ident), gone)
        except FileNotFoundError:
            return
        import shutil

        shutil.rmtree(gone, ignore_errors=True)
        if record is not None:
            self.note(record, "remove")

    def note(self, record: Record, what: str, **attributes: str) -> None:
        """Write down what has happened to a sandbox, for ``sandboxctl events``."""
        event_log.write(self.folder, record, what, attributes)

    def rename(self, record: Record, name: str) -> None:
        """Give the sandbox another name. Raises SandboxError if that is in use."""
        with self._names():
            self._need_free(name, record.id)
            if record.pid:
                from sandboxctl.state.link import Link

                link = Link(self.path(record.id))
                link.ask("rename", name=name)
                link.close()
            else:
                self.change(record, name=name)
            record.name = name
        self.note(record, "rename")

    def change(self, record: Record, **values: object) -> None:
        """Change the record of a sandbox that nobody keeps. Raises OSError; a keeper changes its record itself."""
        record.__dict__.update(values)
        record.save(self.path(record.id))

    def _need_free(self, name: str, ident: str = "") -> None:
        for other in self.all():
            if other.name == name and other.id != ident:
                raise SandboxError(f"the name {name!r} is in use by {other.id[:12]}; choose another")

    @contextmanager
    def _names(self) -> Iterator[None]:
        fd = os.open(self.path(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _try_lock(folder: str) -> int | None:
    """The descriptor of the folder's lock, or None if somebody has it."""
    try:
        fd = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
