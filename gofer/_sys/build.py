"""Builds ``gofer._sys._native`` with cffi (API mode); setup.py names ``ffibuilder`` in ``cffi_modules``.

In place, from the project's root: ``python -m gofer._sys.build``.
"""

from pathlib import Path

from cffi import FFI

_HERE = Path(__file__).resolve().parent

ffibuilder = FFI()
ffibuilder.cdef((_HERE / "native.h").read_text(encoding="ascii"))
ffibuilder.set_source(
    "gofer._sys._native",
    '#include <stdint.h>\n#include "native.h"\n',
    sources=["gofer/_sys/files.c", "gofer/_sys/jail.c"],
    include_dirs=["gofer/_sys"],
    depends=["gofer/_sys/native.h"],
    extra_compile_args=["-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"],
)

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_HERE.parent.parent), target="_native.abi3.so", verbose=False)
