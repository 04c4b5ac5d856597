"""Argument kinds: the annotations of handlers, from which decoder, tracer, matrix and fuzz strategies are made.

A kind says how the 64-bit register becomes the handler's argument. Linux takes the low half of a register for an ``int`` and
ignores the rest, so do ``Fd``, ``Int``, ``UInt``, ``Pid``, ``Mode`` and ``Flags``.
"""

from typing import Annotated, Final


class Kind:
    """How a register is read. ``expression`` is Python source in terms of ``{a}``; ``name`` is the word for tracers and docs."""

    __slots__ = ("bits", "expression", "is_signed", "name")

    def __init__(self, name: str, expression: str, bits: int, *, is_signed: bool) -> None:
        self.name = name
        self.expression = expression
        self.bits = bits
        self.is_signed = is_signed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class Flags(Kind):
    """An unsigned 32-bit set of flags: bits neither ``supported`` nor ``ignored`` are EINVAL before the body runs.

    ``prefix`` is the common start of the flags' names in ``syscalls.abi`` (``EFD``, ``O``), for printing. Ignored bits reach
    the handler too, which has no use for them.
    """

    __slots__ = ("ignored", "prefix", "supported")

    def __init__(self, prefix: str, supported: int, ignored: int = 0) -> None:
        super().__init__(prefix, "{a} & {m}", 32, is_signed=False)
        self.prefix = prefix
        self.supported = supported & 0xFFFFFFFF
        self.ignored = ignored & 0xFFFFFFFF

    @property
    def mask(self) -> int:
        """All bits that the handler may see."""
        return self.supported | self.ignored


_I32: Final = "{a} if {a} < 0x80000000 else i32({a})"
_U32: Final = "{a} if {a} <= 0xFFFFFFFF else {a} & 0xFFFFFFFF"
_I64: Final = "{a} if {a} < 0x8000000000000000 else {a} - 0x10000000000000000"
_U64: Final = "{a}"

#: a descriptor, or AT_FDCWD
Fd = Annotated[int, Kind("fd", _I32, 32, is_signed=True)]
Int = Annotated[int, Kind("int", _I32, 32, is_signed=True)]
UInt = Annotated[int, Kind("uint", _U32, 32, is_signed=False)]
Long = Annotated[int, Kind("long", _I64, 64, is_signed=True)]
ULong = Annotated[int, Kind("ulong", _U64, 64, is_signed=False)]
Size = Annotated[int, Kind("size", _U64, 64, is_signed=False)]
Off = Annotated[int, Kind("off", _I64, 64, is_signed=True)]
#: an address in guest memory, 0 is NULL
UserPtr = Annotated[int, Kind("ptr", _U64, 64, is_signed=False)]
#: the address of a path; the handler reads it, once
PathPtr = Annotated[int, Kind("path", _U64, 64, is_signed=False)]
Pid = Annotated[int, Kind("pid", _I32, 32, is_signed=True)]
Mode = Annotated[int, Kind("mode", _U32, 32, is_signed=False)]
#: a user or group id; -1 (0xFFFFFFFF) often means "leave it"
Id = Annotated[int, Kind("id", _U32, 32, is_signed=False)]
#: a signal number
Signal = Annotated[int, Kind("signal", _I32, 32, is_signed=True)]


class Proceed:
    """The type of ``PROCEED``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PROCEED"


#: A handler's result when the host kernel shall run the trapped call unchanged.
PROCEED: Final = Proceed()

#: What a handler of a call that may be let through returns.
Result = int | Proceed
