"""The table: what is declared is complete, and wrong declarations do not import."""

from collections.abc import Callable
from typing import Any

import pytest

from syscalls import registry
from syscalls.abi.errno import ENOSYS, EPERM
from syscalls.abi.nr_x86_64 import COUNT, NAMES, NUMBERS
from syscalls.args import PROCEED, Int
from syscalls.decode import DeclarationError
from syscalls.registry import Entry, Support, build_table


@pytest.fixture
def open_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh registry that takes declarations."""
    build_table()
    monkeypatch.setattr(registry, "_entries", {})
    monkeypatch.setattr(registry, "_masked", {})
    monkeypatch.setattr(registry, "_state", {"frozen": False})


def named(name: str, *, wait: bool = False) -> Callable[..., Any]:
    def plain(task: object, number: Int) -> int:
        return number

    async def waits(task: object, number: Int) -> int:
        return number

    handler: Any = waits if wait else plain
    handler.__name__ = name
    return handler


def test_numbers_are_those_of_x86_64() -> None:
    assert (NUMBERS["read"], NUMBERS["execve"], NUMBERS["clone3"], NUMBERS["mseal"]) == (0, 59, 435, 462)
    assert len(NAMES) == len(NUMBERS)
    assert COUNT == 463


def test_every_row_is_sound() -> None:
    for nr, entry in enumerate(build_table()):
        if entry is None:
            continue
        assert entry.nr == nr
        assert entry.man.endswith(")"), entry
        assert entry.support is Support.FULL or entry.note, entry
        assert entry.family in registry.FAMILIES, entry
        assert callable(entry.call)


def test_a_handler_is_entered_and_decoded(open_registry: None) -> None:
    registry.syscall(man="eventfd(2)")(named("sys_eventfd"))
    entry = registry._entries["eventfd"]
    assert not entry.is_async
    assert entry.call(None, 0xFFFFFFFFFFFFFFFF, 0, 0, 0, 0, 0) == -1


def test_a_coroutine_handler_is_noted(open_registry: None) -> None:
    registry.syscall(man="read(2)")(named("sys_read", wait=True))
    assert registry._entries["read"].is_async


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sys_no_such_call", {}, "no such system call"),
        ("eventfd", {}, "does not start with"),
        ("sys_eventfd", {"support": Support.PARTIAL}, "needs a note"),
        ("sys_eventfd", {"support": Support.STUB}, "needs a note"),
    ],
)
def test_wrong_declarations_do_not_import(open_registry: None, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        registry.syscall(man="eventfd(2)", **options)(named(name))


def test_nothing_is_declared_twice(open_registry: None) -> None:
    registry.syscall(man="eventfd(2)")(named("sys_eventfd"))
    with pytest.raises(DeclarationError, match="declared twice"):
        registry.refused("eventfd", EPERM, "again")


def test_refused_and_native_rows_answer(open_registry: None) -> None:
    registry.refused("bpf", EPERM, "no")
    registry.native("futex", "futex(2)", "own memory")
    assert registry._entries["bpf"].call(None, 1, 2, 3, 4, 5, 6) == -EPERM
    assert registry._entries["futex"].call(None, 1, 2, 3, 4, 5, 6) is PROCEED


def test_a_masked_form_must_wait(open_registry: None) -> None:
    with pytest.raises(DeclarationError, match="coroutine"):
        registry.masked(named("masked_ppoll"))


def test_nothing_is_declared_after_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    build_table()
    with pytest.raises(DeclarationError, match="complete"):
        registry.refused("tuxcall", ENOSYS, "late")


def test_masks_belong_to_their_calls() -> None:
    table: list[Entry | None] = build_table()
    names = ("ppoll", "pselect6", "epoll_pwait", "epoll_pwait2", "io_pgetevents")
    assert set(registry.masked_of(table)) <= {NUMBERS[name] for name in names}
