"""ELF program headers (elf(5)): what execve needs of an executable, and nothing more.

The header is guest data: every field is checked before use; what does not fit is ENOEXEC, as Linux: fs/binfmt_elf.c answers.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from syscalls.abi.errno import EINVAL, ENOEXEC
from syscalls.abi.errors import SyscallError

_EHDR = Struct("<16sHHIQQQIHHHHHH")
_PHDR = Struct("<IIQQQQQQ")

ET_EXEC: Final = 2
ET_DYN: Final = 3
EM_X86_64: Final = 62
PT_LOAD: Final = 1
PT_INTERP: Final = 3
PT_GNU_STACK: Final = 0x6474E551
PF_X: Final = 1
PF_W: Final = 2
PF_R: Final = 4
PHDRS_MAX: Final = 65536 // _PHDR.size
PATH_MAX: Final = 4096
ADDRESS_MAX: Final = 0x7FFFFFFFF000


@dataclass(frozen=True, slots=True)
class LoadSegment:
    """A PT_LOAD header; addresses before relocation."""

    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int


@dataclass(frozen=True, slots=True)
class ElfImage:
    """The facts of one ELF file. ``interpreter_at`` is (offset, length) of PT_INTERP's string, or None."""

    type: int
    entry: int
    phoff: int
    phnum: int
    loads: tuple[LoadSegment, ...]
    interpreter_at: tuple[int, int] | None
    has_executable_stack: bool

    @property
    def lowest(self) -> int:
        """First address, page-aligned."""
        return self.loads[0].vaddr & ~0xFFF

    @property
    def end(self) -> int:
        """End of the last segment."""
        return max(load.vaddr + load.memsz for load in self.loads)

    @property
    def phdr_vaddr(self) -> int:
        """Where the program headers are in memory, before relocation; 0 if no segment holds them."""
        for load in self.loads:
            if load.offset <= self.phoff < load.offset + load.filesz:
                return self.phoff - load.offset + load.vaddr
        return 0


def is_elf(head: bytes) -> bool:
    """Whether the file starts with the ELF magic."""
    return head[:4] == b"\x7fELF"


def phdr_range(head: bytes) -> tuple[int, int]:
    """Return (offset, length) of the program headers. Errors: ENOEXEC."""
    if len(head) < _EHDR.size or not is_elf(head):
        raise SyscallError(ENOEXEC)
    ident, type_, machine, _, _, phoff, _, _, _, phentsize, phnum, _, _, _ = _EHDR.unpack_from(head)
    if ident[4] != 2 or ident[5] != 1 or machine != EM_X86_64 or type_ not in (ET_EXEC, ET_DYN):
        raise SyscallError(ENOEXEC)
    if phentsize != _PHDR.size or not 1 <= phnum <= PHDRS_MAX:
        raise SyscallError(ENOEXEC)
    return phoff, phnum * _PHDR.size


def parse(head: bytes, phdrs: bytes) -> ElfImage:
    """Return the image. ``phdrs`` are the bytes that ``phdr_range`` named. Errors: ENOEXEC, EINVAL for absurd segments."""
    _, type_, _, _, entry, phoff, _, _, _, _, phnum, _, _, _ = _EHDR.unpack_from(head)
    if len(phdrs) != phnum * _PHDR.size:
        raise SyscallError(ENOEXEC)
    loads = []
    interpreter_at = None
    has_executable_stack = True
    for kind, flags, offset, vaddr, _, filesz, memsz, _ in _PHDR.iter_unpack(phdrs):
        if kind == PT_LOAD:
            _check_load(offset, vaddr, filesz, memsz)
            if memsz:
                loads.append(LoadSegment(flags, offset, vaddr, filesz, memsz))
        elif kind == PT_INTERP and interpreter_at is None:
            if not 2 <= filesz <= PATH_MAX:
                raise SyscallError(ENOEXEC)
            interpreter_at = (offset, filesz)
        elif kind == PT_GNU_STACK:
            has_executable_stack = bool(flags & PF_X)
    if not loads:
        raise SyscallError(ENOEXEC)
    return ElfImage(type_, entry, phoff, phnum, tuple(loads), interpreter_at, has_executable_stack)


def _check_load(offset: int, vaddr: int, filesz: int, memsz: int) -> None:
    if filesz > memsz or memsz > ADDRESS_MAX or vaddr > ADDRESS_MAX - memsz or offset >> 62:
        raise SyscallError(EINVAL)
    if (offset ^ vaddr) & 0xFFF:
        raise SyscallError(EINVAL)
