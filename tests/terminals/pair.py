"""The same session on two terminals, natively and in a sandbox: after every step both must come to show the same."""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.terminals.screen import Screen, wait_for

SANDBOXCTL = str(Path(sys.executable).with_name("sandboxctl"))
SHELL = ("/bin/bash", "--norc", "--noprofile", "-i")
_ENV = ("TERM", "LANG", "PS1", "TZ", "LESS", "HISTFILE", "HOME")


def numberless(screen: Screen) -> str:
    """The text without empty lines and with N for the pid of a job."""
    return re.sub(r"^(\[\d+\]) \d+$", r"\1 N", "\n".join(row for row in screen.rows if row), flags=re.MULTILINE)


def whole(screen: Screen) -> object:
    """Lines and cursor."""
    return screen.rows, screen.cursor


class Pair:
    """An interactive bash natively and one in a sandbox, each in a fresh folder ``/tmp/work`` of its own."""

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="terminal-", dir="/tmp")
        work = Path(self._folder) / "work"
        work.mkdir()
        native = ["unshare", "-Urpfm", "--mount-proc", "--kill-child", "--", "/bin/sh", "-c"]
        script = f'cd {work} && exec "$@"'
        self.native = Screen([*native, script, "sh", *SHELL], cwd=self._folder)
        words = [word for name in _ENV for word in ("-e", name)]
        inside = [SANDBOXCTL, "run", "-it", "--tmpfs", "/work", "-w", "/work", *words, *options, "host", "--", *SHELL]
        self.inside = Screen(inside, cwd=self._folder)
        self.screens = (self.native, self.inside)
        self._before: dict[Screen, str] = {}

    def type(self, keys: str) -> None:
        """Press the same keys on both."""
        self._before = {screen: screen.text for screen in self.screens}
        for screen in self.screens:
            screen.type(keys)

    def resize(self, rows: int, columns: int) -> None:
        """Give both windows a new size."""
        self._before = {}
        for screen in self.screens:
            screen.resize(rows, columns)

    def until(self, text: str, equal: Callable[[Screen], object] | None = whole) -> None:
        """Wait until both show ``text``, which must be new, and look the same."""
        assert not any(text in before for before in self._before.values()), f"shown already: {text}"
        wait_for(self.screens, lambda screen: text in screen.text, equal)

    def until_last_line(self, text: str, equal: Callable[[Screen], object] | None = whole) -> None:
        """Wait until the last line that is not empty is ``text``, which is new, and both look the same."""
        assert not any(before.rstrip().endswith("\n" + text) for before in self._before.values()), f"shown already: {text}"
        wait_for(self.screens, lambda screen: _last(screen) == text, equal)

    def until_only(self, text: str, shown: Callable[[Screen], str] = lambda screen: screen.text.strip()) -> None:
        """Wait until both show ``text`` and nothing else, which is new."""
        assert not any(before.strip() == text for before in self._before.values()), f"shown already: {text}"
        wait_for(self.screens, lambda screen: shown(screen) == text)

    def end(self) -> tuple[int, int]:
        """Both exit codes, once both have ended."""
        return self.native.end_status(), self.inside.end_status()

    def close(self) -> None:
        for screen in self.screens:
            screen.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _last(screen: Screen) -> str:
    return next((row for row in reversed(screen.rows) if row), "")
