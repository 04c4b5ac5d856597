"""Wait queues: who wants to hear that an object may have become ready."""

from collections.abc import Callable

Callback = Callable[[int], None]


class WaitQueue:
    """Callbacks in order of arrival; each is told the readiness bits that may have changed.

    A wake-up is a hint: the woken side tries again. Exclusive entries (EPOLLEXCLUSIVE, accept) are woken one at a time,
    after all others.
    """

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[Callback, int, bool]] = []

    def __bool__(self) -> bool:
        return bool(self._entries)

    def enqueue(self, callback: Callback, mask: int = -1, *, is_exclusive: bool = False) -> Callable[[], None]:
        """Add ``callback`` for the events in ``mask``; returns the function that removes it again (idempotent)."""
        entry = (callback, mask, is_exclusive)
        self._entries.append(entry)

        def remove() -> None:
            entries = self._entries
            for index, candidate in enumerate(entries):
                if candidate is entry:
                    del entries[index]
                    return

        return remove

    def wake(self, mask: int = -1) -> None:
        """Tell every entry that wants one of the events in ``mask``, and one exclusive entry."""
        if not self._entries:
            return
        has_woken_exclusive = False
        for callback, wanted, is_exclusive in tuple(self._entries):
            if wanted & mask:
                if is_exclusive:
                    if has_woken_exclusive:
                        continue
                    has_woken_exclusive = True
                callback(mask)
