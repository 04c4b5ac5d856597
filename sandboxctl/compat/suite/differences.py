"""The first system call whose result in the sandbox is none that the host gave."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sandboxctl.compat.suite.events import Event

#: errors that say only "later" or "again": their order belongs to the moment
_MOMENTARY = frozenset(("EAGAIN", "EINTR", "EINPROGRESS", "EALREADY", "ERESTARTSYS", "ERESTART"))
#: errors that mean something even where the host was never asked the same
_TELLING = frozenset(("ENOSYS", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EDQUOT", "EFBIG"))
_MOMENTARY_CALLS = frozenset(("futex", "restart_syscall", "rt_sigreturn", "rt_sigtimedwait"))


@dataclass(frozen=True, slots=True)
class Difference:
    """``event`` in the sandbox, and what the host answered to the same: errors ("" is success), empty if it was never asked."""

    event: Event
    native: tuple[str, ...]

    def __str__(self) -> str:
        if not self.native:
            return f"{self.event.text} (natively never asked)"
        return f"{self.event.text} (natively {' or '.join(error or 'success' for error in self.native)})"


def differences(native: Iterable[Event], inside: Iterable[Event], noise: Sequence[Difference] = ()) -> Iterator[Difference]:
    """In the order of the sandbox. What ``noise`` has as well, from a test that passes, explains nothing."""
    known: dict[tuple[str, str, str], set[str]] = {}
    by_path: dict[tuple[str, str], set[str]] = {}
    for event in native:
        known.setdefault(event.key, set()).add(event.error)
        by_path.setdefault((event.call, event.path), set()).add(event.error)
    ignored = {(difference.event.key, difference.event.error) for difference in noise}
    for event in inside:
        if event.error in _MOMENTARY or event.call in _MOMENTARY_CALLS or (event.key, event.error) in ignored:
            continue
        answers = known.get(event.key) or by_path.get((event.call, event.path))
        if event.error not in answers if answers else event.error in _TELLING:
            ignored.add((event.key, event.error))
            yield Difference(event, tuple(sorted(answers or ())))
