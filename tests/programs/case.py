"""What one test of a program is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A shell script that bash runs in an empty directory; ``needs`` are the programs that must be installed."""

    name: str
    script: str
    needs: tuple[str, ...] = ()
    timeout_s: float = 15
