"""Random bytes from the host kernel (getrandom(2))."""

from os import urandom

__all__ = ["urandom"]
