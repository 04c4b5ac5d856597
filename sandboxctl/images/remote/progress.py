"""Tells how far each layer is: bars on a terminal, a line a blob elsewhere, nothing if asked."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Report = Callable[[int], None]


class Quiet:
    """Says nothing."""

    def add(self, name: str, total: int) -> Report:
        """A new part; the result is called with the bytes done."""
        return lambda done: None

    def say(self, name: str, state: str) -> None:
        """A part has come to another state."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Done."""


class Lines(Quiet):
    """A line on standard error for each part that is complete."""

    def say(self, name: str, state: str) -> None:
        """One line."""
        if state == "done":
            sys.stderr.write(f"Copying blob {name} done\n")


class Bars(Quiet):
    """A bar for each part, drawn by rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        name, state = TextColumn("{task.description}"), TextColumn("{task.fields[state]}")
        columns: list[Any] = [name, BarColumn(), DownloadColumn(), TransferSpeedColumn(), state]
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, Any] = {}

    def add(self, name: str, total: int) -> Report:
        """A new bar."""
        task = self._tasks[name] = self._progress.add_task(name, total=total, state="")
        return lambda done: self._progress.update(task, completed=done)

    def say(self, name: str, state: str) -> None:
        """The word behind the bar."""
        self._progress.update(self._tasks[name], state=state)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the bars as they are."""
        self._progress.stop()


def choose(*, quiet: bool) -> Quiet:
    """What suits standard error."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()
