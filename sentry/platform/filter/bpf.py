"""Classic BPF as seccomp uses it: assemble, pack, and evaluate (seccomp(2), linux/filter.h, linux/bpf_common.h)."""

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

LD_ABS: Final = 0x20
JA, JEQ, JGT, JGE, JSET = 0x05, 0x15, 0x25, 0x35, 0x45
RET: Final = 0x06
RET_A: Final = 0x16
AND: Final = 0x54
_LD_IMM, _LD_MEM, _ST, _TAX, _TXA = 0x00, 0x60, 0x02, 0x07, 0x87

RET_KILL_PROCESS, RET_KILL_THREAD, RET_ERRNO = 0x80000000, 0, 0x00050000
RET_TRACE, RET_USER_NOTIF, RET_ALLOW = 0x7FF00000, 0x7FC00000, 0x7FFF0000
RET_TRAP, RET_LOG = 0x00030000, 0x7FFC0000

NR, ARCH, IP_LOW, IP_HIGH = 0, 4, 8, 12
AUDIT_ARCH_X86_64: Final = 0xC000003E

_INSTRUCTION = Struct("<HBBI")
_DATA = Struct("<IIQ6Q")


class Instruction(NamedTuple):
    """struct sock_filter."""

    code: int
    k: int
    jt: int = 0
    jf: int = 0


Program = list[Instruction]


def argument_low(index: int) -> int:
    """Offset of the low half of argument ``index`` in struct seccomp_data."""
    return 16 + 8 * index


def pack(program: Sequence[Instruction]) -> bytes:
    """Return the bytes the kernel takes."""
    return b"".join(_INSTRUCTION.pack(item.code, item.jt, item.jf, item.k) for item in program)


def unpack(data: bytes) -> Program:
    """Inverse of ``pack``."""
    return [Instruction(code, k, jt, jf) for code, jt, jf, k in _INSTRUCTION.iter_unpack(data)]


def evaluate(  # noqa: C901, PLR0912 - one branch per instruction
    program: Sequence[Instruction],
    nr: int,
    arguments: Sequence[int] = (),
    arch: int = AUDIT_ARCH_X86_64,
    instruction_pointer: int = 0x400000,
) -> int:
    """Return what the filter returns for one call, exactly as the kernel would. Raises ValueError on what seccomp refuses."""
    padded = [value & 0xFFFFFFFFFFFFFFFF for value in arguments] + [0] * (6 - len(arguments))
    data = _DATA.pack(nr & 0xFFFFFFFF, arch, instruction_pointer, *padded)
    scratch = [0] * 16
    accumulator = index = position = 0
    while True:
        code, k, jt, jf = program[position]
        position += 1
        if code == LD_ABS:
            accumulator = int.from_bytes(data[k : k + 4], "little")
        elif code == JA:
            position += k
        elif code == JEQ:
            position += jt if accumulator == k else jf
        elif code == JGT:
            position += jt if accumulator > k else jf
        elif code == JGE:
            position += jt if accumulator >= k else jf
        elif code == JSET:
            position += jt if accumulator & k else jf
        elif code == AND:
            accumulator &= k
        elif code == RET:
            return k
        elif code == RET_A:
            return accumulator
        elif code == _ST:
            scratch[k] = accumulator
        elif code == _LD_MEM:
            accumulator = scratch[k]
        elif code == _LD_IMM:
            accumulator = k
        elif code == _TAX:
            index = accumulator
        elif code == _TXA:
            accumulator = index
        else:
            raise ValueError(f"instruction {code:#x} is not one that the filters use")
