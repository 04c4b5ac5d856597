"""Builds the C core (cffi, API mode) and the exec stub. Run by setup.py.

``python -m sentry.platform._core.build`` builds in place.
"""

import os
import subprocess
import sys
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MODULE = "sentry.platform._core._native"
STUB = "exec.stub"
SOURCES = ("loop.c", "memory.c", "placement.c", "events.c", "jail.c", "guest.c")
FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]

#: cffi's generated wrapper is not ours to warn about.
_WRAPPER_FLAGS = ["-Wno-unused-parameter", "-Wno-unused-but-set-parameter", "-Wno-missing-field-initializers"]

_STUB_FLAGS = [
    *FLAGS,
    "-ffreestanding",
    "-fno-builtin",
    "-nostdlib",
    "-static",
    "-fpie",
    "-no-pie",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables",
    "-fno-tree-loop-distribute-patterns",
    "-Wl,--build-id=none",
    "-Wl,-z,norelro",
]


def _declarations() -> str:
    """Return the prototypes of core.h without the preprocessor's lines, as cffi wants them."""
    lines = (HERE / "src" / "core.h").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("#")]
    return "\n".join(kept).replace("const struct jail_config", "struct jail_config")


ffibuilder = FFI()
ffibuilder.cdef(_declarations())
ffibuilder.set_source(
    MODULE,
    '#include "core.h"',
    sources=[f"sentry/platform/_core/src/{name}" for name in SOURCES],
    include_dirs=["sentry/platform/_core/src"],
    depends=["sentry/platform/_core/src/core.h"],
    extra_compile_args=FLAGS + _WRAPPER_FLAGS,
)


def build_stub(directory: Path) -> Path:
    """Compile the exec stub into ``directory`` and return its path. Raises CalledProcessError."""
    target = directory / STUB
    directory.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CC", "gcc").split()
    script = HERE / "stub" / "stub.ld"
    source = HERE / "stub" / "stub.c"
    subprocess.run([*compiler, *_STUB_FLAGS, f"-Wl,-T,{script}", "-o", str(target), str(source)], check=True)
    target.chmod(0o755)
    return target


if __name__ == "__main__":
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=ROOT, check=True)
