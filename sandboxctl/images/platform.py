"""Which machine images are chosen for, in the words of image-spec (Go's names)."""

import os

from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import Platform

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def host_platform() -> Platform:
    """The machine that we run on."""
    machine = os.uname().machine
    return Platform(_ARCHITECTURES.get(machine, machine), "linux")


def parse(text: str) -> Platform:
    """Read ``OS/ARCH[/VARIANT]``. Raises ImageError."""
    parts = text.split("/")
    if len(parts) not in {2, 3} or not all(parts):
        raise ImageError(f"--platform: {text!r} is not OS/ARCH, for example linux/amd64")
    return Platform(parts[1], parts[0], parts[2] if len(parts) == 3 else "")
