"""Evaluates a classic BPF program over struct seccomp_data (seccomp(2)): just what libseccomp emits."""

from struct import Struct

INSTRUCTION = Struct("<HBBI")
DATA = Struct("<IIQ6Q")
LOAD, AND, RETURN = 0x20, 0x54, 0x06
JUMP_ALWAYS, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL, JUMP_SET = 0x05, 0x15, 0x25, 0x35, 0x45
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
X86_64, I386, AARCH64 = 0xC000003E, 0x40000003, 0xC00000B7


def evaluate(program: bytes, arch: int, nr: int, *args: int) -> int:
    """The action for a call."""
    data = DATA.pack(nr, arch, 0, *args, *(0,) * (6 - len(args)))
    instructions = list(INSTRUCTION.iter_unpack(program))
    position = accumulator = 0
    while True:
        code, if_true, if_false, value = instructions[position]
        position += 1
        if code == RETURN:
            return value
        if code == LOAD:
            accumulator = int.from_bytes(data[value : value + 4], "little")
        elif code == AND:
            accumulator &= value
        elif code == JUMP_ALWAYS:
            position += value
        else:
            taken = {
                JUMP_EQUAL: accumulator == value,
                JUMP_GREATER: accumulator > value,
                JUMP_GREATER_EQUAL: accumulator >= value,
                JUMP_SET: bool(accumulator & value),
            }[code]
            position += if_true if taken else if_false
