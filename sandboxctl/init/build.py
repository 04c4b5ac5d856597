"""Builds the guest's init (``init.c``) as a static program beside this file, or in ``folder``."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "init.guest"
_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_FLAGS = ("-std=c11", "-Os", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-s")
_LINKER = "-Wl,--build-id=none,-z,noexecstack"


def build(folder: "Path") -> None:
    """Compile it. Raises CalledProcessError."""
    import subprocess
    from pathlib import Path

    folder.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).resolve().with_name("init.c")
    compiler = os.environ.get("CC", "gcc").split()
    target = folder / NAME
    subprocess.run([*compiler, *_WARNINGS, *_FLAGS, _LINKER, "-o", str(target), str(source)], check=True)
    target.chmod(0o755)
