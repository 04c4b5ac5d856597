"""Native parts of the build; everything else is in pyproject.toml.

Each entry names a cffi build file and its FFI object. An entry whose file does not exist yet is left out, so
that the pure Python parts can be worked on before the native ones are there.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

from setuptools import setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent

# Platform: the C core (trap loop, guest memory, descriptor passing, spawner) and the exec stub.
PLATFORM_MODULES = ["sentry/platform/_core/build.py:ffibuilder"]

# Gofer: openat2 and the few host calls that the standard library lacks.
GOFER_MODULES = ["gofer/_sys/build.py:ffibuilder"]


def existing(entries: list[str]) -> list[str]:
    """Return the entries whose build file exists."""
    return [entry for entry in entries if (HERE / entry.split(":", 1)[0]).exists()]


def load(path: str) -> ModuleType:
    """Import a build file of ours by its path: its package is not installed yet."""
    spec = importlib.util.spec_from_file_location("build_file", HERE / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BuildWithStub(build_ext):
    """Builds the extensions, then the exec stub and the guest's init beside their packages' files."""

    def run(self) -> None:
        super().run()
        base = HERE if self.inplace else Path(self.build_lib)
        load("sentry/platform/_core/build.py").build_stub(base / "sentry" / "platform" / "_core")
        load("sandboxctl/init/build.py").build(base / "sandboxctl" / "init")


COMMANDS: dict[str, type] = {"build_ext": BuildWithStub}

setup(cffi_modules=existing(PLATFORM_MODULES + GOFER_MODULES), cmdclass=COMMANDS)
