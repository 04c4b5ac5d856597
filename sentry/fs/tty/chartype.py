"""Character classes as the kernel's line discipline knows them: Latin-1 (Linux: lib/ctype.c; iso_8859-1(7))."""

from typing import Final

#: 0 to 31 and 127; the C1 range 128 to 159 belongs to no class
_CONTROL: Final = frozenset((*range(32), 127))
_LETTERS_HIGH: Final = frozenset(range(192, 256)) - {215, 247}
_ALNUM: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") | _LETTERS_HIGH


def is_control(char: int) -> bool:
    """iscntrl()."""
    return char in _CONTROL


def is_alnum(char: int) -> bool:
    """isalnum()."""
    return char in _ALNUM


def to_lower(char: int) -> int:
    """tolower()."""
    return char + 32 if 65 <= char <= 90 or (192 <= char <= 222 and char != 215) else char


def to_upper(char: int) -> int:
    """toupper()."""
    return char - 32 if 97 <= char <= 122 or (223 <= char <= 255 and char != 247) else char
