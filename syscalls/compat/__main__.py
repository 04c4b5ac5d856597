"""Writes the compatibility matrix: every system-call number with its level, its note and the tests that speak for it.

    python -m syscalls.compat [--check]

``--check`` writes nothing and fails if the files in compat-matrix/ are not what code and committed evidence say.
"""

import sys
from pathlib import Path

from syscalls.compat.pages import stale
from syscalls.compat.rows import MATRIX


def main(arguments: list[str], folder: Path = MATRIX) -> int:
    """Write or check; returns the exit status."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m syscalls.compat [--check]\n")
        return 2
    wrong = stale(folder)
    if arguments:
        for name in wrong:
            sys.stderr.write(f"compat-matrix/{name} is not what the code says; run: python -m syscalls.compat\n")
        return 1 if wrong else 0
    folder.mkdir(exist_ok=True)
    for name, text in wrong.items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
