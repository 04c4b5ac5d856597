"""Texts of open generated files between two reads: bounded, so that open files cost a guest's neighbours nothing."""

from collections import OrderedDict
from typing import Final

BYTES_MAX: Final = 16 << 20


class TextCache:
    """The most recent texts; what was dropped is made again when it is read."""

    __slots__ = ("_texts", "_used")

    def __init__(self) -> None:
        self._texts: OrderedDict[object, bytes] = OrderedDict()
        self._used = 0

    def get(self, owner: object) -> bytes | None:
        """The text that ``owner`` has put last, if it is still here."""
        return self._texts.get(owner)

    def put(self, owner: object, text: bytes) -> None:
        """Keep ``text``, and forget the oldest ones for it."""
        self.drop(owner)
        if len(text) > BYTES_MAX:
            return
        self._texts[owner] = text
        self._used += len(text)
        while self._used > BYTES_MAX:
            _, old = self._texts.popitem(last=False)
            self._used -= len(old)

    def drop(self, owner: object) -> None:
        """``owner`` needs no text any more."""
        text = self._texts.pop(owner, None)
        if text is not None:
            self._used -= len(text)
