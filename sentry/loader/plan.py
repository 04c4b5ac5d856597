"""From parsed ELF images to the mappings, auxiliary vector and entry of the new program (execve(2), getauxval(3))."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sentry.loader.elf import ET_DYN, PF_R, PF_W, PF_X, ElfImage
from sentry.platform.interface import ExecPlan, HostFd, Segment
from syscalls.abi.errno import ENOEXEC
from syscalls.abi.errors import SyscallError

PAGE: Final = 4096
AT_PHDR, AT_PHENT, AT_PHNUM, AT_BASE, AT_ENTRY, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE = 3, 4, 5, 7, 9, 11, 12, 13, 14, 23
PHENT: Final = 56

# Where relocatable programs may lie: Linux's own bases on x86-64 for the program, and below the mmap area for the interpreter.
_PIE_BASE: Final = 0x555555554000
_INTERPRETER_BASE: Final = 0x7D0000000000
_RANDOM_PAGES: Final = 1 << 28
_BRK_RANDOM_PAGES: Final = 1 << 13


@dataclass(frozen=True, slots=True)
class Program:
    """An image and the host descriptor that backs it."""

    image: ElfImage
    fd: HostFd


def build(
    program: Program,
    interpreter: Program | None,
    *,
    execfn: bytes,
    ids: tuple[int, int, int, int],
    is_secure: bool,
    random_below: Callable[[int], int],
    argv: Sequence[bytes] | None = None,
) -> ExecPlan:
    """Return the plan. ``ids`` are uid, euid, gid, egid; ``random_below(n)`` draws from 0..n-1. Errors: ENOEXEC."""
    image = program.image
    bias = _bias(image, _PIE_BASE, random_below)
    segments = _segments(program, bias)
    entry = image.entry + bias
    start = entry
    base = 0
    if interpreter is not None:
        base = _bias(interpreter.image, _INTERPRETER_BASE, random_below)
        if interpreter.image.type != ET_DYN:
            raise SyscallError(ENOEXEC)
        segments += _segments(interpreter, base)
        start = interpreter.image.entry + base
    phdr = image.phdr_vaddr
    uid, euid, gid, egid = ids
    auxv = {
        AT_PHDR: phdr + bias if phdr else 0,
        AT_PHENT: PHENT,
        AT_PHNUM: image.phnum,
        AT_BASE: base,
        AT_ENTRY: entry,
        AT_UID: uid,
        AT_EUID: euid,
        AT_GID: gid,
        AT_EGID: egid,
        AT_SECURE: int(is_secure),
    }
    brk = _page_up(image.end + bias) + random_below(_BRK_RANDOM_PAGES) * PAGE
    code = [load for load in image.loads if load.flags & PF_X]
    data = [load for load in image.loads if load.flags & PF_W] or list(image.loads)
    first = code[0] if code else image.loads[0]
    return ExecPlan(
        segments=tuple(segments),
        entry=start,
        auxv=auxv,
        brk_start=brk,
        execfn=execfn,
        argv=argv,
        has_executable_stack=image.has_executable_stack,
        code=(first.vaddr + bias, first.vaddr + first.filesz + bias),
        data=(data[0].vaddr + bias, data[-1].vaddr + data[-1].filesz + bias),
    )


def _bias(image: ElfImage, base: int, random_below: Callable[[int], int]) -> int:
    if image.type != ET_DYN:
        return 0
    return base + random_below(_RANDOM_PAGES) * PAGE - image.lowest


def _segments(program: Program, bias: int) -> list[Segment]:
    segments = []
    for load in program.image.loads:
        prot = (load.flags & PF_R and 1) | (load.flags & PF_W and 2) | (load.flags & PF_X and 4)
        start = (load.vaddr + bias) & ~(PAGE - 1)
        file_end = load.vaddr + bias + load.filesz
        memory_end = _page_up(load.vaddr + bias + load.memsz)
        mapped_end = start
        if load.filesz:
            mapped_end = _page_up(file_end)
            has_bss = load.memsz > load.filesz and prot & 2 and file_end < mapped_end
            segments.append(
                Segment(
                    addr=start,
                    length=mapped_end - start,
                    prot=prot,
                    fd=program.fd,
                    offset=load.offset & ~(PAGE - 1),
                    zero_from=file_end if has_bss else 0,
                )
            )
        if memory_end > mapped_end:
            segments.append(Segment(addr=mapped_end, length=memory_end - mapped_end, prot=prot))
    return segments


def _page_up(address: int) -> int:
    return (address + PAGE - 1) & ~(PAGE - 1)
