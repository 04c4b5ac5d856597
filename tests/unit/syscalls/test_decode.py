"""The decoder: registers become arguments exactly as Linux reads them."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import Fd, Flags, Id, Int, Kind, Long, Mode, Off, PathPtr, Pid, Signal, Size, UInt, ULong, UserPtr
from syscalls.decode import DeclarationError, arguments_of, compile_awaited, compile_call

KINDS = (Fd, Id, Int, Long, Mode, Off, PathPtr, Pid, Signal, Size, UInt, ULong, UserPtr)
REGISTER = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]),
)


def kind_of(annotation: Any) -> Kind:
    return annotation.__metadata__[0]


def reference(kind: Kind, register: int) -> int:
    value = register % (1 << kind.bits)
    return value - (1 << kind.bits) if kind.is_signed and value >> (kind.bits - 1) else value


def handler_with(annotations: tuple[Any, ...]) -> Any:
    def sys_probe(task: object, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0) -> tuple[int, ...]:
        return (a, b, c, d, e, f)

    sys_probe.__annotations__.update(zip("abcdef", annotations, strict=True))
    return sys_probe


@given(st.lists(st.sampled_from(KINDS), min_size=6, max_size=6), st.lists(REGISTER, min_size=6, max_size=6))
def test_every_kind_reads_a_register_like_linux(annotations: list[Any], registers: list[int]) -> None:
    handler = handler_with(tuple(annotations))
    call = compile_call(handler, arguments_of(handler))
    expected = tuple(reference(kind_of(kind), register) for kind, register in zip(annotations, registers, strict=True))
    assert call(None, *registers) == expected


@given(REGISTER, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_flags_refuse_what_is_neither_supported_nor_ignored(register: int, supported: int, ignored: int) -> None:
    def sys_probe(task: object, flags: int) -> int:
        return flags

    kind = Flags("X", supported, ignored)
    sys_probe.__annotations__["flags"] = Annotated[int, kind]
    result = compile_call(sys_probe, arguments_of(sys_probe))(None, register, 0, 0, 0, 0, 0)
    low = register & 0xFFFFFFFF
    assert result == (-EINVAL if low & ~(supported | ignored) else low)


def test_two_handlers_of_one_shape_keep_their_own_masks() -> None:
    def sys_one(task: object, flags: Annotated[int, Flags("A", 1)]) -> int:
        return flags

    def sys_two(task: object, flags: Annotated[int, Flags("B", 2)]) -> int:
        return -flags

    one, two = (compile_call(handler, arguments_of(handler)) for handler in (sys_one, sys_two))
    assert one(None, 1, 0, 0, 0, 0, 0) == 1
    assert one(None, 2, 0, 0, 0, 0, 0) == -EINVAL
    assert two(None, 2, 0, 0, 0, 0, 0) == -2
    assert two(None, 1, 0, 0, 0, 0, 0) == -EINVAL


def test_an_awaited_call_refuses_flags_in_its_coroutine() -> None:
    async def masked_probe(task: object, flags: Annotated[int, Flags("A", 1)]) -> int:
        return flags

    call = compile_awaited(masked_probe, arguments_of(masked_probe))
    with pytest.raises(SyscallError) as caught:
        call(None, 2, 0, 0, 0, 0, 0).send(None)
    assert caught.value.errno == EINVAL
    with pytest.raises(StopIteration) as stopped:
        call(None, 1, 0, 0, 0, 0, 0).send(None)
    assert stopped.value.value == 1


def test_an_argument_without_a_kind_is_found_at_import() -> None:
    def sys_probe(task: object, flags: int) -> int:
        return flags

    with pytest.raises(DeclarationError, match="flags has no argument kind"):
        arguments_of(sys_probe)


def test_seven_arguments_are_too_many() -> None:
    def sys_probe(task: object, a: Int, b: Int, c: Int, d: Int, e: Int, f: Int, g: Int) -> int:
        return 0

    with pytest.raises(DeclarationError, match="more than 6"):
        arguments_of(sys_probe)
