"""What a function does, as far as its instructions tell: the system calls it makes, the functions it calls or points to.

A linear sweep with just enough memory: the constant last put into eax (the number of a call), into edi (the first argument of
libc's syscall()) and, for Go, onto the stack. A system call whose number is not in reach makes its function a *gate*: the
constants that its callers hold are numbers too.
"""

import re
from dataclasses import dataclass, field

import capstone

from sandboxctl.compat.scan.elf import Elf

_INTEGER = re.compile(r"^0x[0-9a-f]+$|^[0-9]+$")
_MOVE = re.compile(r"^(e|r)(ax|di), (0x[0-9a-f]+|[0-9]+)$")
_STACK = re.compile(r"^qword ptr \[rsp\], (0x[0-9a-f]+|[0-9]+)$")
_CLEAR = re.compile(r"^(e|r)(ax|di), \1\2$")
_CLOBBER = re.compile(r"^(?:e|r)(ax|di),|^(al|dil),")
_RELATIVE = re.compile(r"\[rip ([+-]) (0x[0-9a-f]+|[0-9]+)\]")
_WINDOW = 24  # instructions after which a constant is forgotten


@dataclass
class Function:
    """``numbers`` of the calls it makes; ``calls`` other functions of the file; ``imports`` names; ``constants`` it holds when it
    calls an address or name; ``is_gate``: it makes a system call whose number comes from its caller."""

    numbers: set[int] = field(default_factory=set)
    calls: set[int] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    constants: dict[int | str, set[int]] = field(default_factory=dict)
    is_gate: bool = False


class _Sweep:
    """The state between two instructions."""

    def __init__(self, elf: Elf, functions: dict[int, Function]) -> None:
        self.elf = elf
        self.functions = functions
        self.held: dict[str, tuple[int, int]] = {}  # register: (constant, instruction)
        self.index = 0

    def constant(self, register: str) -> int | None:
        value, when = self.held.get(register, (0, -_WINDOW))
        return value if self.index - when < _WINDOW else None

    def keep(self, register: str, text: str) -> None:
        self.held[register] = (int(text, 0), self.index)

    def step(self, address: int, size: int, mnemonic: str, operands: str) -> None:
        self.index += 1
        if mnemonic == "syscall":
            self._syscall(self._function(address))
        elif mnemonic == "call" or mnemonic[0] == "j" or mnemonic == "bnd jmp":
            self._branch(address, size, mnemonic, operands)
        elif mnemonic in ("mov", "movabs"):
            self._move(operands)
        elif mnemonic == "xor" and (match := _CLEAR.match(operands)):
            self.keep(match[2], "0")
        elif mnemonic == "lea":
            self._address_taken(address, size, operands)
        elif match := _CLOBBER.match(operands):
            self.held.pop(match[1] or "ax", None)

    def _function(self, address: int) -> Function:
        return self.functions.setdefault(self.elf.function_of(address), Function())

    def _syscall(self, function: Function) -> None:
        number = self.constant("ax")
        if number is None:
            function.is_gate = True
        else:
            function.numbers.add(number)
        self.held.pop("ax", None)

    def _move(self, operands: str) -> None:
        if match := _MOVE.match(operands):
            self.keep(match[2], match[3])
        elif match := _STACK.match(operands):
            self.keep("stack", match[1])
        elif match := _CLOBBER.match(operands):
            self.held.pop(match[1] or "ax", None)

    def _branch(self, address: int, size: int, mnemonic: str, operands: str) -> None:
        function = self._function(address)
        target: int | str | None = None
        if _INTEGER.match(operands):
            to = int(operands, 0)
            if mnemonic == "call" or self.elf.function_of(to) != self.elf.function_of(address):
                target = self.elf.function_of(to)
                function.calls.add(target)
        elif match := _RELATIVE.search(operands):
            slot = address + size + int(f"{match[1]}{match[2]}", 0)
            if slot in self.elf.slots:
                target = self.elf.slots[slot]
                function.imports.add(target)
            elif slot in self.elf.pointers:
                target = self.elf.function_of(self.elf.pointers[slot])
                function.calls.add(target)
        if target is not None and mnemonic == "call":
            held = {value for value in (self.constant("di"), self.constant("ax"), self.constant("stack")) if value is not None}
            function.constants.setdefault(target, set()).update(held)
        if mnemonic == "call":
            self.held.clear()

    def _address_taken(self, address: int, size: int, operands: str) -> None:
        if match := _RELATIVE.search(operands):
            to = address + size + int(f"{match[1]}{match[2]}", 0)
            if self.elf.function_of(to) == to:
                self._function(address).calls.add(to)
        if match := _CLOBBER.match(operands):
            self.held.pop(match[1] or "ax", None)


def functions_of(elf: Elf) -> dict[int, Function]:
    """Every function of the file by its start."""
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.skipdata = True
    found: dict[int, Function] = {}
    sweep = _Sweep(elf, found)
    for start, data in elf.code:
        for address, size, mnemonic, operands in engine.disasm_lite(data, start):
            sweep.step(address, size, mnemonic, operands)
    return found
