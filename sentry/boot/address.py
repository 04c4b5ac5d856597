"""Addresses of the configuration, which come as text."""

from _socket import AF_INET, AF_INET6, inet_pton


def binary(text: str) -> bytes:
    """4 or 16 bytes. Raises OSError."""
    return inet_pton(AF_INET6 if ":" in text else AF_INET, text)


def prefixed(text: str) -> tuple[bytes, int]:
    """ADDRESS/PREFIX. Raises ValueError, OSError."""
    address, _, length = text.partition("/")
    data, prefix = binary(address), int(length)
    if not 0 <= prefix <= len(data) * 8:
        raise ValueError(text)
    return data, prefix
