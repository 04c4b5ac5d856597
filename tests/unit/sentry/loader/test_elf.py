"""ELF parsing and planning: real programs, and every way in which a file can lie."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.loader import elf, plan, script
from syscalls.abi.errno import EINVAL, ENOEXEC
from syscalls.abi.errors import SyscallError


def load(path: str) -> elf.ElfImage:
    data = Path(path).read_bytes()
    offset, length = elf.phdr_range(data[:256])
    return elf.parse(data[:256], data[offset : offset + length])


def test_a_dynamic_program_names_its_interpreter() -> None:
    image = load("/bin/ls")
    assert image.type == elf.ET_DYN
    assert image.interpreter_at is not None
    offset, length = image.interpreter_at
    assert Path("/bin/ls").read_bytes()[offset : offset + length].rstrip(b"\0") == b"/lib64/ld-linux-x86-64.so.2"
    assert not image.has_executable_stack


def test_the_plan_covers_every_segment_without_overlap() -> None:
    program = plan.Program(load("/bin/ls"), 3)  # type: ignore[arg-type]
    interpreter = plan.Program(load("/lib64/ld-linux-x86-64.so.2"), 4)  # type: ignore[arg-type]
    result = plan.build(program, interpreter, execfn=b"ls", ids=(1, 2, 3, 4), is_secure=True, random_below=lambda n: n - 1)
    ranges = sorted((s.addr, s.addr + s.length) for s in result.segments)
    assert all(end <= start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
    assert all(s.addr % 4096 == 0 and s.length % 4096 == 0 for s in result.segments)
    assert any(s.addr <= result.entry < s.addr + s.length and s.prot & 4 for s in result.segments)
    assert result.auxv[plan.AT_SECURE] == 1
    assert result.auxv[plan.AT_BASE] == min(s.addr for s in result.segments if s.fd == 4)
    assert result.brk_start > max(s.addr + s.length for s in result.segments if s.fd == 3)


@given(st.binary(max_size=600), st.binary(max_size=600))
def test_garbage_is_refused_or_parsed_but_never_crashes(head: bytes, phdrs: bytes) -> None:
    for candidate in (head, b"\x7fELF\x02\x01" + head):
        try:
            elf.phdr_range(candidate)
            elf.parse(candidate, phdrs)
        except SyscallError:
            pass


@given(st.data())
def test_a_flipped_byte_in_the_headers_never_crashes(data: st.DataObject) -> None:
    original = bytearray(Path("/bin/true").read_bytes()[:2048])
    original[data.draw(st.integers(0, 1023))] = data.draw(st.integers(0, 255))
    try:
        offset, length = elf.phdr_range(bytes(original[:256]))
        image = elf.parse(bytes(original[:256]), bytes(original[offset : offset + length]))
        plan.build(plan.Program(image, 3), None, execfn=b"", ids=(0, 0, 0, 0), is_secure=False, random_below=lambda n: 0)  # type: ignore[arg-type]
    except SyscallError:
        pass


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"#!/bin/sh\n", (b"/bin/sh", None)),
        (b"#! /bin/sh -e -x \necho", (b"/bin/sh", b"-e -x")),
        (b"#!\t/bin/sh\t-e\n", (b"/bin/sh", b"-e")),
        (b"#!/usr/bin/env python3", (b"/usr/bin/env", b"python3")),
    ],
)
def test_the_first_line_of_a_script(head: bytes, expected: tuple[bytes, bytes | None]) -> None:
    assert script.parse(head) == expected


@pytest.mark.parametrize("head", [b"#!\n", b"#!   \n", b"#!" + b"x" * 300])
def test_a_script_without_a_usable_interpreter(head: bytes) -> None:
    with pytest.raises(SyscallError):
        script.parse(head)


def one_segment(offset: int, vaddr: int, filesz: int, memsz: int) -> elf.ElfImage:
    """What the parser makes of a file with one PT_LOAD."""
    ident = b"\x7fELF\x02\x01" + bytes(10)
    head = elf._EHDR.pack(ident, elf.ET_DYN, elf.EM_X86_64, 1, 0, 64, 0, 0, 64, elf._PHDR.size, 1, 0, 0, 0)
    return elf.parse(head, elf._PHDR.pack(elf.PT_LOAD, 5, offset, vaddr, 0, filesz, memsz, 4096))


@pytest.mark.parametrize(
    ("offset", "vaddr", "filesz", "memsz"),
    [
        (0, 0, 2, 1),  # more in the file than in memory
        (0, 0, 1, elf.ADDRESS_MAX + 1),
        (0, elf.ADDRESS_MAX - 0xFFF, 1, 0x1001),
        (1 << 62, 0, 1, 1),
        (1, 0, 1, 1),  # not on the same place of a page
        (0x800, 0x1000, 1, 1),
    ],
)
def test_absurd_segments_are_einval(offset: int, vaddr: int, filesz: int, memsz: int) -> None:
    with pytest.raises(SyscallError) as caught:
        one_segment(offset, vaddr, filesz, memsz)
    assert caught.value.errno == EINVAL


@pytest.mark.parametrize(
    ("offset", "vaddr", "filesz", "memsz"),
    [
        (0, 0, 1, 1),
        (0x1800, 0x5800, 0, 1),
        (elf.ADDRESS_MAX & 0xFFF, elf.ADDRESS_MAX - 0x1000, 0x1000, 0x1000),
        ((1 << 62) - 4096, 0, 1, 1),
    ],
)
def test_segments_at_the_edge_are_taken(offset: int, vaddr: int, filesz: int, memsz: int) -> None:
    (load,) = one_segment(offset, vaddr, filesz, memsz).loads
    assert (load.offset, load.vaddr, load.filesz, load.memsz) == (offset, vaddr, filesz, memsz)


def test_a_file_without_memory_is_no_program() -> None:
    with pytest.raises(SyscallError) as caught:
        one_segment(0, 0, 0, 0)
    assert caught.value.errno == ENOEXEC


def header(**changes: int | bytes) -> bytes:
    """An ELF header with some fields changed."""
    fields: dict[str, int | bytes] = {
        "ident": b"\x7fELF\x02\x01" + bytes(10), "type": elf.ET_DYN, "machine": elf.EM_X86_64, "version": 1, "entry": 0x10,
        "phoff": 64, "shoff": 0, "flags": 0, "ehsize": 64, "phentsize": elf._PHDR.size, "phnum": 1, "shentsize": 0, "shnum": 0,
        "shstrndx": 0,
    }  # fmt: skip
    return elf._EHDR.pack(*(fields | changes).values())


def errno_of_header(head: bytes) -> int:
    try:
        elf.phdr_range(head)
    except SyscallError as error:
        return error.errno
    return 0


@pytest.mark.parametrize(
    ("head", "errno"),
    [
        (header(), 0),
        (header(type=elf.ET_EXEC), 0),
        (header(type=1), ENOEXEC),  # an object file
        (header(type=4), ENOEXEC),  # a core
        (header(machine=3), ENOEXEC),  # 32-bit x86
        (header(ident=b"\x7fELF\x01\x01" + bytes(10)), ENOEXEC),  # ELFCLASS32
        (header(ident=b"\x7fELF\x03\x01" + bytes(10)), ENOEXEC),
        (header(ident=b"\x7fELF\x02\x02" + bytes(10)), ENOEXEC),  # big-endian
        (header(ident=b"\x7fELF\x02\x00" + bytes(10)), ENOEXEC),
        (header(ident=b"\x7fELG\x02\x01" + bytes(10)), ENOEXEC),
        (header()[:63], ENOEXEC),
        (header(phentsize=55), ENOEXEC),
        (header(phentsize=57), ENOEXEC),
        (header(phnum=0), ENOEXEC),
        (header(phnum=elf.PHDRS_MAX), 0),
        (header(phnum=elf.PHDRS_MAX + 1), ENOEXEC),
        (header(phnum=0xFFFF), ENOEXEC),  # PN_XNUM
    ],
)
def test_only_a_64_bit_program_of_this_machine_is_one(head: bytes, errno: int) -> None:
    assert errno_of_header(head) == errno


def test_the_program_headers_are_where_the_header_says() -> None:
    assert elf.phdr_range(header(phoff=1 << 40, phnum=3)) == (1 << 40, 3 * 56)


def segment(kind: int, flags: int = 5, offset: int = 0, vaddr: int = 0, filesz: int = 1, memsz: int = 1) -> bytes:
    return elf._PHDR.pack(kind, flags, offset, vaddr, 0, filesz, memsz, 4096)


def image_of(*segments: bytes, **changes: int | bytes) -> elf.ElfImage:
    return elf.parse(header(phnum=len(segments), **changes), b"".join(segments))


def test_program_headers_that_the_file_does_not_hold_are_enoexec() -> None:
    whole = segment(elf.PT_LOAD) * 2
    for phdrs in (whole[:-1], whole[:56], b""):
        with pytest.raises(SyscallError) as caught:
            elf.parse(header(phnum=2), phdrs)
        assert caught.value.errno == ENOEXEC


@pytest.mark.parametrize(
    ("length", "is_good"), [(0, False), (1, False), (2, True), (4096, True), (4097, False), (1 << 63, False)]
)
def test_the_interpreters_name_has_a_length_to_believe(length: int, is_good: bool) -> None:
    parts = segment(elf.PT_INTERP, offset=0x100, filesz=length), segment(elf.PT_LOAD)
    if is_good:
        assert image_of(*parts).interpreter_at == (0x100, length)
        return
    with pytest.raises(SyscallError) as caught:
        image_of(*parts)
    assert caught.value.errno == ENOEXEC


def test_the_first_interpreter_counts() -> None:
    parts = segment(elf.PT_INTERP, offset=1, filesz=9), segment(elf.PT_INTERP, offset=2, filesz=1), segment(elf.PT_LOAD)
    assert image_of(*parts).interpreter_at == (1, 9)


@pytest.mark.parametrize(("flags", "is_executable"), [(6, False), (7, True), (elf.PF_X, True)])
def test_the_stack_is_executable_unless_the_file_says_otherwise(flags: int, is_executable: bool) -> None:
    assert image_of(segment(elf.PT_LOAD)).has_executable_stack
    assert image_of(segment(elf.PT_GNU_STACK, flags), segment(elf.PT_LOAD)).has_executable_stack is is_executable


def test_the_place_of_the_program_headers_in_memory() -> None:
    """AT_PHDR (getauxval(3)): in the segment that holds them, 0 if none does."""
    text = segment(elf.PT_LOAD, offset=0x1000, vaddr=0x5000, filesz=0x100, memsz=0x2000)
    assert image_of(text, phoff=0x1000).phdr_vaddr == 0x5000
    assert image_of(text, phoff=0x10FF).phdr_vaddr == 0x50FF
    assert image_of(text, phoff=0x1100).phdr_vaddr == 0
    assert image_of(text, phoff=0xFFF).phdr_vaddr == 0
    assert (image_of(text).lowest, image_of(text).end) == (0x5000, 0x7000)


def test_empty_segments_are_passed_over() -> None:
    image = image_of(segment(elf.PT_LOAD, filesz=0, memsz=0), segment(elf.PT_LOAD, vaddr=0x2000, memsz=7))
    assert [load.vaddr for load in image.loads] == [0x2000]
    assert image.end == 0x2007
