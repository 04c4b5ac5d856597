"""From ELF headers to mappings (execve(2), getauxval(3)): addresses, rights, zeroed ends, and what the program is told."""

import pytest

from sentry.loader import elf, plan
from sentry.platform.interface import Segment
from syscalls.abi.errno import ENOEXEC
from syscalls.abi.errors import SyscallError

R, W, X = elf.PF_R, elf.PF_W, elf.PF_X
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
IDS = (1, 2, 3, 4)


def image(*loads: elf.LoadSegment, type: int = elf.ET_EXEC, entry: int = 0x400010, phoff: int = 64) -> elf.ElfImage:
    return elf.ElfImage(type, entry, phoff, 3, loads, None, False)


def load(flags: int, offset: int, vaddr: int, filesz: int, memsz: int) -> elf.LoadSegment:
    return elf.LoadSegment(flags, offset, vaddr, filesz, memsz)


def planned(program: elf.ElfImage, interpreter: elf.ElfImage | None = None, random: int = 0):
    loader = plan.Program(interpreter, 9) if interpreter is not None else None  # type: ignore[arg-type]
    program_ = plan.Program(program, 8)  # type: ignore[arg-type]
    return plan.build(program_, loader, execfn=b"x", ids=IDS, is_secure=False, random_below=lambda below: min(random, below - 1))


TEXT = load(R | X, 0, 0x400000, 0x1234, 0x1234)
DATA = load(R | W, 0x1E10, 0x402E10, 0x100, 0x2000)


def test_a_fixed_program_lies_where_it_says() -> None:
    made = planned(image(TEXT, DATA))
    assert made.segments == (
        Segment(addr=0x400000, length=0x2000, prot=PROT_READ | PROT_EXEC, fd=8, offset=0),
        Segment(addr=0x402000, length=0x1000, prot=PROT_READ | PROT_WRITE, fd=8, offset=0x1000, zero_from=0x402F10),
        Segment(addr=0x403000, length=0x2000, prot=PROT_READ | PROT_WRITE),
    )
    assert (made.entry, made.brk_start) == (0x400010, 0x405000)
    assert (made.code, made.data) == ((0x400000, 0x401234), (0x402E10, 0x402F10))


@pytest.mark.parametrize(("flags", "prot"), [(R, 1), (W, 2), (X, 4), (R | W, 3), (R | X, 5), (R | W | X, 7), (0, 0)])
def test_rights_are_those_of_the_header(flags: int, prot: int) -> None:
    (segment,) = planned(image(load(flags, 0, 0x400000, 0x1000, 0x1000))).segments
    assert segment.prot == prot


def test_a_read_only_end_is_not_zeroed_and_a_whole_page_needs_it_not() -> None:
    read_only = planned(image(load(R, 0, 0x400000, 0x10, 0x20))).segments
    assert [segment.zero_from for segment in read_only] == [0]
    whole = planned(image(load(R | W, 0, 0x400000, 0x1000, 0x1001))).segments
    assert [(segment.addr, segment.length, segment.zero_from) for segment in whole] == [
        (0x400000, 0x1000, 0),
        (0x401000, 0x1000, 0),
    ]


def test_code_is_the_first_segment_that_may_run() -> None:
    made = planned(
        image(load(R, 0, 0x400000, 0x10, 0x10), load(R | X, 0x1000, 0x401000, 0x20, 0x20), load(R | W, 0, 0x402000, 8, 9))
    )
    assert (made.code, made.data) == ((0x401000, 0x401020), (0x402000, 0x402008))


def test_memory_without_a_file_is_mapped_alone() -> None:
    assert planned(image(load(R | W, 0, 0x400800, 0, 0x900))).segments == (
        Segment(addr=0x400000, length=0x2000, prot=PROT_READ | PROT_WRITE),
    )


def test_a_relocatable_program_moves_as_a_whole() -> None:
    program = image(
        load(R | X, 0, 0x2000, 0x100, 0x100), load(R | W, 0x1000, 0x5000, 0x100, 0x100), type=elf.ET_DYN, entry=0x2010
    )
    here, there = planned(program), planned(program, random=5)
    assert here.segments[0].addr == 0x555555554000
    assert here.segments[1].addr - here.segments[0].addr == 0x3000
    assert here.entry == here.segments[0].addr + 0x10
    start = here.segments[0].addr
    assert (here.code, here.data) == ((start, start + 0x100), (start + 0x3000, start + 0x3100))
    assert here.auxv[plan.AT_PHDR] == start + 64
    for one, other in zip(here.segments, there.segments, strict=True):
        assert other.addr - one.addr == 5 * 4096
    assert there.brk_start - here.brk_start == 2 * 5 * 4096  # moved, and a distance of its own


def test_the_interpreter_starts_and_the_program_is_told_to_it() -> None:
    interpreter = image(load(R | X, 0, 0, 0x1000, 0x1000), type=elf.ET_DYN, entry=0x40)
    made = planned(image(TEXT, DATA), interpreter)
    base = made.segments[-1].addr
    assert made.segments[-1].fd == 9
    assert (made.entry, made.auxv[plan.AT_BASE], made.auxv[plan.AT_ENTRY]) == (base + 0x40, base, 0x400010)
    assert made.code == (0x400000, 0x401234)


def test_a_fixed_interpreter_is_refused() -> None:
    with pytest.raises(SyscallError) as caught:
        planned(image(TEXT), image(load(R | X, 0, 0x10000, 0x1000, 0x1000)))
    assert caught.value.errno == ENOEXEC


def test_the_auxiliary_vector() -> None:
    auxv = planned(image(TEXT, DATA)).auxv
    assert (auxv[plan.AT_PHDR], auxv[plan.AT_PHENT], auxv[plan.AT_PHNUM]) == (0x400040, 56, 3)
    assert tuple(auxv[name] for name in (plan.AT_UID, plan.AT_EUID, plan.AT_GID, plan.AT_EGID)) == IDS
    assert (auxv[plan.AT_BASE], auxv[plan.AT_SECURE]) == (0, 0)
    assert planned(image(TEXT, phoff=0x9000)).auxv[plan.AT_PHDR] == 0


def test_a_program_without_code_or_data_of_its_own_shows_what_it_has() -> None:
    made = planned(image(load(R, 0, 0x400000, 0x10, 0x20)))
    assert made.code == made.data == (0x400000, 0x400010)
