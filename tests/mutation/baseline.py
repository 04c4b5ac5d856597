"""What fails without any fault, kept by commit: the whole suite need not run again for another seed."""

import json
import subprocess
from pathlib import Path


class Baseline:
    """The names of the tests that fail in a tree without changes; a tree with changes is never known."""

    def __init__(self, root: Path) -> None:
        self._root = root
        changes = self._git("status", "--porcelain")
        commit = self._git("rev-parse", "HEAD")
        self._file = root / "build" / "mutants" / f"{commit}.json" if commit and not changes else None

    def _git(self, *words: str) -> str:
        """The answer of git; without git or a repository the word ``no`` marks the tree as changed."""
        try:
            done = subprocess.run(["git", *words], cwd=self._root, capture_output=True, text=True, check=False)
        except OSError:
            return "no"
        return done.stdout.strip() if done.returncode == 0 else "no"

    def read(self) -> list[str] | None:
        """Return the names that an earlier run of this commit found, None if there was none."""
        if self._file is None or not self._file.exists():
            return None
        return [str(name) for name in json.loads(self._file.read_text())]

    def write(self, names: list[str]) -> None:
        """Keep the names for this commit."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(names))
