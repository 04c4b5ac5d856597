"""The system-call table: one declaration beside each handler, joined with the numbers of ``syscalls.abi``.

Everything that speaks about a call (dispatch, tracer, matrix, host surface, fuzz strategies) reads these records.
"""

import sys
from collections.abc import Callable
from enum import Enum
from importlib import import_module
from os import listdir
from typing import Any, TypeVar

from syscalls.abi import errno as errnos
from syscalls.abi.nr_x86_64 import COUNT, NUMBERS
from syscalls.args import PROCEED, Proceed
from syscalls.decode import Argument, Call, DeclarationError, arguments_of, compile_awaited, compile_call

FAMILIES = ("fdio", "files", "mount", "memory", "process", "signals", "time", "ipc", "net", "security", "system")
_COROUTINE = 0x80  # inspect.CO_COROUTINE, without importing inspect
_PROCEEDS = (
    "its arguments are registers that the handler has checked; pointers only receive results or matter to the caller alone"
)
_F = TypeVar("_F", bound=Callable[..., Any])


class Support(Enum):
    """How much of a call works. Calls without any declaration are missing: ENOSYS."""

    FULL = "full"
    PARTIAL = "partial"
    STUB = "stub"
    REFUSED = "refused"


class Entry:
    """One row of the table.

    ``call(task, a0..a5)`` decodes and runs the handler; ``masked`` likewise, for a ppoll-like call with a signal mask.
    ``native`` tells why the host kernel may run the call untrapped (empty: it never does) and ``condition`` for which
    arguments. ``proceeds`` tells why a trapped call may be let through after the handler's check (empty: it never is). ``errno``
    is a refused call's answer.
    """

    __slots__ = (
        "arguments",
        "call",
        "condition",
        "errno",
        "family",
        "handler",
        "is_async",
        "man",
        "masked",
        "name",
        "native",
        "note",
        "nr",
        "proceeds",
        "support",
    )

    def __init__(self, name: str, man: str, support: Support, note: str, family: str) -> None:
        if name not in NUMBERS:
            raise DeclarationError(f"{name}: no such system call")
        if support is not Support.FULL and not note:
            raise DeclarationError(f"{name}: {support.value} needs a note")
        self.nr = NUMBERS[name]
        self.name = name
        self.man = man
        self.support = support
        self.note = note
        self.family = family
        self.arguments: tuple[Argument, ...] = ()
        self.call: Call
        self.handler: Call | None = None
        self.is_async = False
        self.masked: Call | None = None
        self.native = ""
        self.condition = ""
        self.proceeds = ""
        self.errno = 0

    def __repr__(self) -> str:
        return f"<Entry {self.nr} {self.name} {self.support.value}>"


_entries: dict[str, Entry] = {}
_masked: dict[str, Call] = {}
_state = {"frozen": False}


def syscall(
    *,
    man: str,
    support: Support = Support.FULL,
    note: str = "",
    native: str | bool = "",
    condition: str = "",
    proceeds: str = _PROCEEDS,
) -> Callable[[_F], _F]:
    """Enter the handler ``sys_<name>`` in the table. Raises DeclarationError when the declaration is not sound.

    ``native`` is the reason why the host may run the call without a trap (True: the note says it), ``condition`` for which
    arguments; the handler then serves what traps all the same (other arguments, profile strict). ``proceeds``: why its
    PROCEED is safe.
    """

    def declare(handler: _F) -> _F:
        name = _name_of(handler, "sys_")
        entry = Entry(name, man, support, note, _family(handler.__module__))
        entry.arguments = arguments_of(handler)
        entry.call = compile_call(handler, entry.arguments)
        entry.handler = handler
        entry.is_async = bool(handler.__code__.co_flags & _COROUTINE)
        entry.proceeds = proceeds if _mentions_proceed(handler.__annotations__.get("return")) else ""
        entry.native, entry.condition = note if native is True else native or "", condition
        _enter(entry)
        return handler

    return declare


def masked(handler: _F) -> _F:
    """Enter the coroutine function ``masked_<name>``: the form of a waiting call that carries a signal mask."""
    name = _name_of(handler, "masked_")
    if name in _masked:
        raise DeclarationError(f"{name}: masked twice")
    if not handler.__code__.co_flags & _COROUTINE:
        raise DeclarationError(f"{name}: a masked handler is a coroutine function")
    _masked[name] = compile_awaited(handler, arguments_of(handler))
    return handler


def native(name: str, man: str, reason: str) -> None:
    """Declare a call that the host runs untrapped, whatever its arguments.

    Profile strict traps it too and then lets it through. A call that is native only under a condition needs a handler for
    the other arguments: ``@syscall(native=reason, condition=...)``.
    """
    entry = Entry(name, man, Support.FULL, "", _caller_family())
    entry.native = entry.proceeds = reason
    entry.call = _let_through
    _enter(entry)


def refused(name: str, errno: int, reason: str, *, man: str = "") -> None:
    """Declare a call that always fails with ``errno``, and why."""
    entry = Entry(name, man or f"{name}(2)", Support.REFUSED, reason, _caller_family())
    entry.errno = errno
    entry.call = _refusal(errno)
    _enter(entry)


def load_all() -> None:
    """Import every handler module."""
    for family in FAMILIES:
        package = import_module(f"syscalls.{family}")
        for file in sorted(listdir(package.__path__[0])):
            name, _, suffix = file.partition(".")
            if suffix == "py" and name != "__init__":
                import_module(f"{package.__name__}.{name}")


def build_table() -> list[Entry | None]:
    """Load all handlers and return the table, indexed by number; nothing can be declared afterwards."""
    if not _state["frozen"]:
        load_all()
        for name, handler in _masked.items():
            if name not in _entries:
                raise DeclarationError(f"masked_{name} without sys_{name}")
            _entries[name].masked = handler
        _state["frozen"] = True
    table: list[Entry | None] = [None] * COUNT
    for entry in _entries.values():
        table[entry.nr] = entry
    return table


def calls_of(table: list[Entry | None]) -> list[Call | None]:
    """The callables for dispatch, by number."""
    return [entry.call if entry is not None else None for entry in table]


def proceeding(table: list[Entry | None]) -> dict[str, str]:
    """Which calls the sentry may let through to the host, and why; no other is ever continued."""
    return {entry.name: entry.proceeds for entry in table if entry is not None and entry.proceeds}


def masked_of(table: list[Entry | None]) -> dict[int, Call]:
    """The masked forms for dispatch, by number."""
    return {entry.nr: entry.masked for entry in table if entry is not None and entry.masked is not None}


def _enter(entry: Entry) -> None:
    if _state["frozen"]:
        raise DeclarationError(f"{entry.name}: the table is complete")
    if entry.name in _entries:
        raise DeclarationError(f"{entry.name}: declared twice")
    _entries[entry.name] = entry


def _name_of(handler: Call, prefix: str) -> str:
    name = handler.__name__
    if not name.startswith(prefix):
        raise DeclarationError(f"{name}: does not start with {prefix}")
    return name[len(prefix) :]


def _family(module: str) -> str:
    return module.split(".")[1] if module.startswith("syscalls.") else "test"


def _mentions_proceed(annotation: object) -> bool:
    """Whether a return annotation (a union, a coroutine's result) has ``Proceed`` in it."""
    return annotation is Proceed or any(_mentions_proceed(part) for part in getattr(annotation, "__args__", ()))


def _caller_family() -> str:
    """The family of the module that called ``native`` or ``refused``."""
    return _family(str(sys._getframe(2).f_globals["__name__"]))


def _let_through(*_: object) -> object:
    return PROCEED


def _refusal(errno: int) -> Call:
    if errnos.name(errno).startswith("errno"):
        raise DeclarationError(f"errno {errno} has no name")

    def refuse(*_: object) -> int:
        return -errno

    return refuse
