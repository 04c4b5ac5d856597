"""What libseccomp cannot say: a short program before its own, with relative jumps only.

Foreign entry points (i386, x32) answer ENOSYS, as a kernel without them does. The exec stub's calls are recognised by
instruction pointer (kernel-facts.md 11): its private mapping of a descriptor in the reserved range, the closing of such a
descriptor, and PR_SET_MM_MAP. A guest that jumps there gains nothing: outside an exec the range holds the sealed stub only, which
lies below the range that may be mapped or closed.
"""

from sentry.arch.x86_64 import NR_CLOSE, NR_MMAP, NR_PRCTL, STUB_CODE_END, STUB_CODE_START
from sentry.platform.filter import bpf
from sentry.platform.filter.bpf import Instruction, Program

_ENOSYS = bpf.RET_ERRNO | 38
_X32_BIT = 0x40000000
_PR_SET_MM, _PR_SET_MM_MAP = 35, 14
_MAP_TYPE, _MAP_PRIVATE = 0x0F, 0x02


def prologue(load_first: int, load_last: int) -> Program:
    """Return the program; it falls through to whatever follows. The load range is inclusive."""
    in_range_of = {
        NR_MMAP: [
            Instruction(bpf.LD_ABS, bpf.argument_low(3)),
            Instruction(bpf.AND, _MAP_TYPE),
            ("unless", bpf.JEQ, _MAP_PRIVATE),
            Instruction(bpf.LD_ABS, bpf.argument_low(4)),
            ("unless", bpf.JGE, load_first),
            ("if", bpf.JGT, load_last),
        ],
        NR_CLOSE: [
            Instruction(bpf.LD_ABS, bpf.argument_low(0)),
            ("unless", bpf.JGE, load_first),
            ("if", bpf.JGT, load_last),
        ],
        NR_PRCTL: [
            Instruction(bpf.LD_ABS, bpf.argument_low(0)),
            ("unless", bpf.JEQ, _PR_SET_MM),
            Instruction(bpf.LD_ABS, bpf.argument_low(1)),
            ("unless", bpf.JEQ, _PR_SET_MM_MAP),
        ],
    }
    program: Program = [
        Instruction(bpf.LD_ABS, bpf.ARCH),
        Instruction(bpf.JEQ, bpf.AUDIT_ARCH_X86_64, 1, 0),
        Instruction(bpf.RET, _ENOSYS),
        Instruction(bpf.LD_ABS, bpf.NR),
        Instruction(bpf.JGE, _X32_BIT, 0, 1),
        Instruction(bpf.RET, _ENOSYS),
    ]
    body: list[Instruction | tuple[str, int, int]] = []
    at_ip: list[Instruction | tuple[str, int, int]] = [
        Instruction(bpf.LD_ABS, bpf.IP_HIGH),
        ("unless", bpf.JEQ, STUB_CODE_START >> 32),
        Instruction(bpf.LD_ABS, bpf.IP_LOW),
        ("unless", bpf.JGE, STUB_CODE_START & 0xFFFFFFFF),
        ("if", bpf.JGT, (STUB_CODE_END - 1) & 0xFFFFFFFF),
    ]
    for nr, checks in in_range_of.items():
        block = [*at_ip, *checks, Instruction(bpf.RET, bpf.RET_ALLOW)]
        # The accumulator still holds the number only on the way that skips the block.
        body.append(Instruction(bpf.LD_ABS, bpf.NR))
        body.append(Instruction(bpf.JEQ, nr, 0, len(block)))
        body.extend(block)  # type: ignore[arg-type]
    return program + _resolve(body)


def _resolve(body: "list[Instruction | tuple[str, int, int]]") -> Program:
    """Turn ("if" or "unless", jump, k) into jumps behind the end of ``body``."""
    resolved: Program = []
    for position, item in enumerate(body):
        if isinstance(item, Instruction):
            resolved.append(item)
            continue
        when, code, k = item
        away = len(body) - position - 1
        resolved.append(Instruction(code, k, away, 0) if when == "if" else Instruction(code, k, 0, away))
    return resolved
