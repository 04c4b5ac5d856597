"""Compiles a handler's annotations into one plain function of six registers, once, at import (docs/adr: decoder by exec).

    def call(task, a0, a1, a2, a3, a4, a5):
        if a1 & x1: return -22
        return handler(task, a0 if a0 <= 0xFFFFFFFF else a0 & 0xFFFFFFFF, a1 & m1)

Handlers with the same kinds share the compiled code; masks and the handler itself are its free variables.
"""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import Flags, Kind

Call = Callable[..., Any]
_REGISTERS = 6
_Factory = Callable[[Call, list[int], list[int]], Call]
_factories: dict[tuple[str | bool, ...], _Factory] = {}


class Argument(NamedTuple):
    """One argument of a call: its man-page name and its kind."""

    name: str
    kind: Kind


class DeclarationError(TypeError):
    """A handler is declared wrongly; found at import."""


def arguments_of(handler: Call) -> tuple[Argument, ...]:
    """Return the arguments after ``task``. Raises DeclarationError for an annotation that is not a kind."""
    code = handler.__code__
    names = code.co_varnames[1 : code.co_argcount]
    annotations = handler.__annotations__
    result = []
    for name in names:
        metadata = getattr(annotations.get(name), "__metadata__", None)
        if not metadata or not isinstance(metadata[0], Kind):
            raise DeclarationError(f"{handler.__name__}: {name} has no argument kind")
        result.append(Argument(name, metadata[0]))
    if len(result) > _REGISTERS:
        raise DeclarationError(f"{handler.__name__}: more than {_REGISTERS} arguments")
    return tuple(result)


def compile_call(handler: Call, arguments: tuple[Argument, ...]) -> Call:
    """Return ``call(task, a0, ..., a5)``, which decodes and calls ``handler``."""
    return _build(handler, arguments, is_awaited=False)


def compile_awaited(handler: Call, arguments: tuple[Argument, ...]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Like ``compile_call`` for a coroutine function; the result always is a coroutine, also for refused flags."""
    return _build(handler, arguments, is_awaited=True)


def _build(handler: Call, arguments: tuple[Argument, ...], *, is_awaited: bool) -> Call:
    kinds = [argument.kind for argument in arguments]
    key: tuple[str | bool, ...] = (is_awaited, *(kind.expression for kind in kinds))
    factory = _factories.get(key)
    if factory is None:
        factory = _factories[key] = _make_factory(kinds, is_awaited)
    masks = [kind.mask if isinstance(kind, Flags) else 0 for kind in kinds]
    return factory(handler, masks, [mask ^ 0xFFFFFFFF for mask in masks])


def _make_factory(kinds: list[Kind], is_awaited: bool) -> _Factory:
    flags = [index for index, kind in enumerate(kinds) if isinstance(kind, Flags)]
    values = ", ".join(f"({kind.expression.format(a=f'a{i}', m=f'm{i}')})" for i, kind in enumerate(kinds))
    lines = ["def factory(handler, masks, refused):"]
    lines += [f"    m{index} = masks[{index}]; x{index} = refused[{index}]" for index in flags]
    lines += [f"    {'async ' * is_awaited}def call(task, a0, a1, a2, a3, a4, a5):"]
    failure = "raise SyscallError(EINVAL)" if is_awaited else "return -EINVAL"
    lines += [f"        if a{index} & x{index}: {failure}" for index in flags]
    lines += [f"        return {'await ' * is_awaited}handler(task, {values})", "    return call"]
    names = {"i32": _i32, "EINVAL": EINVAL, "SyscallError": SyscallError}
    exec("\n".join(lines), names)  # noqa: S102 - the one exec of the project; its source is made of the kinds' constants only
    return names["factory"]  # type: ignore[return-value]


def _i32(register: int) -> int:
    low = register & 0xFFFFFFFF
    return low - 0x100000000 if low & 0x80000000 else low
