"""What a scan needs of an ELF file (elf(5)): code, functions, imported names, needed libraries."""

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from struct import iter_unpack
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

_R_64, _R_GLOB_DAT, _R_JUMP_SLOT, _R_RELATIVE, _R_IRELATIVE = 1, 6, 7, 8, 37
_SIZE_MAX = 512 << 20
_PLT_ENTRY = 16
_SEARCH_TABLE = b"\x01\x1b\x03\x3b"  # version 1; offsets of four bytes, relative to the section


class NotForUs(Exception):
    """The file is no program for this kernel; the text says why, for people."""


@dataclass
class Elf:
    """One file. ``code`` are its executable sections (address, bytes); ``functions`` the sorted starts of its functions;
    ``exports`` name to address; ``slots`` address of a table entry to the name whose address it will hold; ``pointers`` table
    entries to addresses; ``arrays`` where the tables lie of functions that the loader calls at the start and at the end."""

    path: Path
    entry: int
    interpreter: str
    needed: list[str]
    run_path: list[str]
    is_position_independent: bool
    code: list[tuple[int, bytes]] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    exports: dict[str, int] = field(default_factory=dict)
    slots: dict[int, str] = field(default_factory=dict)
    pointers: dict[int, int] = field(default_factory=dict)
    arrays: list[range] = field(default_factory=list)

    def called_by_loader(self) -> list[int]:
        """The functions of .init_array and .fini_array."""
        return [to for slot, to in self.pointers.items() if any(slot in array for array in self.arrays)]

    def function_of(self, address: int) -> int:
        """The start of the function that ``address`` lies in."""
        index = bisect_right(self.functions, address) - 1
        return self.functions[index] if index >= 0 else 0


def read(path: Path) -> Elf:
    """Read a file. Raises NotForUs, OSError."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            raise NotForUs("no ELF file")
        if path.stat().st_size > _SIZE_MAX:
            raise NotForUs("larger than 512 MiB")
        file.seek(0)
        try:
            return _read(path, ELFFile(file))
        except (ELFError, ValueError, KeyError, UnicodeDecodeError, AssertionError) as error:
            raise NotForUs(f"a damaged ELF file ({str(error) or type(error).__name__})") from None


def _read(path: Path, elf: Any) -> Elf:
    if elf.elfclass != 64 or elf["e_machine"] != "EM_X86_64":
        what = elf["e_machine"].removeprefix("EM_") if isinstance(elf["e_machine"], str) else elf["e_machine"]
        raise NotForUs(f"for another processor ({what}, {elf.elfclass} bits): only x86-64 programs run")
    interpreter = next((segment.get_interp_name() for segment in elf.iter_segments("PT_INTERP")), "")
    needed, run_path = _dynamic(elf)
    found = Elf(path, elf["e_entry"], interpreter, needed, run_path, elf["e_type"] == "ET_DYN")
    starts = {found.entry}
    for section in elf.iter_sections():
        flags = section["sh_flags"]
        if flags & 4 and section["sh_type"] == "SHT_PROGBITS":
            found.code.append((section["sh_addr"], section.data()))
            step = _PLT_ENTRY if section.name.startswith(".plt") else section["sh_size"] or 1
            starts.update(range(section["sh_addr"], section["sh_addr"] + section["sh_size"], step))
        elif section["sh_type"] in ("SHT_INIT_ARRAY", "SHT_FINI_ARRAY"):
            found.arrays.append(range(section["sh_addr"], section["sh_addr"] + section["sh_size"]))
        elif isinstance(section, SymbolTableSection):
            _symbols(section, found, starts)
        elif isinstance(section, RelocationSection):
            _relocations(section, elf.get_section(section["sh_link"]), found)
        elif section.name == ".eh_frame_hdr":
            starts.update(_frames(section))
    if not found.code:
        _segments(elf, found, starts)
    starts.update(address for address in found.pointers.values() if _is_code(found, address))
    found.functions = sorted(starts)
    return found


def _dynamic(elf: Any) -> tuple[list[str], list[str]]:
    """The names of needed libraries, and folders to look for them."""
    needed: list[str] = []
    run_path: list[str] = []
    sections: list[Any] = [section for section in elf.iter_sections() if isinstance(section, DynamicSection)]
    for tag in (tag for section in sections for tag in section.iter_tags()):
        if tag.entry.d_tag == "DT_NEEDED":
            needed.append(tag.needed)
        elif tag.entry.d_tag in ("DT_RUNPATH", "DT_RPATH"):
            run_path += (tag.runpath if tag.entry.d_tag == "DT_RUNPATH" else tag.rpath).split(":")
    return needed, run_path


def _symbols(section: Any, found: Elf, starts: set[int]) -> None:
    for symbol in section.iter_symbols():
        if symbol["st_info"]["type"] in ("STT_FUNC", "STT_LOOS") and symbol["st_shndx"] != "SHN_UNDEF":
            starts.add(symbol["st_value"])
            if section.name == ".dynsym" or symbol["st_info"]["bind"] != "STB_LOCAL":
                found.exports.setdefault(symbol.name, symbol["st_value"])


def _relocations(section: Any, symbols: Any, found: Elf) -> None:
    for relocation in section.iter_relocations():
        kind = relocation["r_info_type"]
        if kind in (_R_RELATIVE, _R_IRELATIVE):
            found.pointers[relocation["r_offset"]] = relocation["r_addend"]
        elif kind in (_R_GLOB_DAT, _R_JUMP_SLOT, _R_64) and symbols is not None and relocation["r_info_sym"]:
            name = symbols.get_symbol(relocation["r_info_sym"]).name
            if name:
                found.slots[relocation["r_offset"]] = name


def _frames(header: Any) -> set[int]:
    """The functions that .eh_frame_hdr lists in its search table (Linux Standard Base, "The .eh_frame_hdr section")."""
    data, base = header.data(), header["sh_addr"]
    if len(data) < 12 or data[:4] != _SEARCH_TABLE:
        return set()
    count = min(int.from_bytes(data[8:12], "little"), (len(data) - 12) // 8)
    return {base + offset for offset, _ in iter_unpack("<ii", data[12 : 12 + 8 * count])}


def _segments(elf: Any, found: Elf, starts: set[int]) -> None:
    """A file without section headers: take what is executable."""
    for segment in elf.iter_segments("PT_LOAD"):
        if segment["p_flags"] & 1:
            found.code.append((segment["p_vaddr"], segment.data()))
            starts.add(segment["p_vaddr"])


def _is_code(found: Elf, address: int) -> bool:
    return any(start <= address < start + len(data) for start, data in found.code)
