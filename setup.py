"""Native parts of the build; everything else is in pyproject.toml.

Each entry names a cffi build file and its FFI object. An entry whose file does not exist yet is left out, so that the pure Python parts
can be worked on before the native ones are there.
"""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent

# Platform: the C core (trap loop, guest memory, descriptor passing, spawner) and the exec stub.
PLATFORM_MODULES = ["sentry/platform/_core/build.py:ffibuilder"]

# Gofer: openat2 and the few host calls that the standard library lacks.
GOFER_MODULES = ["gofer/_sys/build.py:ffibuilder"]


def existing(entries: list[str]) -> list[str]:
    """Return the entries whose build file exists."""
    return [entry for entry in entries if (HERE / entry.split(":", 1)[0]).exists()]


# Platform: commands that build more than cffi can (the exec stub) are added here.
COMMANDS: dict[str, type] = {}

setup(cffi_modules=existing(PLATFORM_MODULES + GOFER_MODULES), cmdclass=COMMANDS)
