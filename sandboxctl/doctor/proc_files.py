"""Small files of the kernel below /proc and /sys."""

from pathlib import Path


def read(path: str) -> str | None:
    """Return the stripped content of a small file of the kernel, None if it cannot be read."""
    try:
        return Path(path).read_text("ascii", "replace").strip()
    except OSError:
        return None


def number(path: str) -> int | None:
    """Return the number in a sysctl file, None if there is none."""
    text = read(path)
    return int(text) if text is not None and text.lstrip("-").isdecimal() else None
