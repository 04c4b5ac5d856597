"""From a program through its libraries to the system calls in reach."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sandboxctl.compat.scan.code import Function, functions_of
from sandboxctl.compat.scan.elf import Elf, NotForUs, read
from syscalls.abi.nr_x86_64 import NAMES

LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib", "usr/local/lib")
#: what the loader and the start of every dynamic program ask for (ld.so(8)), whatever the program is
LOADER = frozenset(
    (
        "access", "arch_prctl", "brk", "close", "execve", "exit_group", "fstat", "getrandom", "mmap", "mprotect", "munmap",
        "newfstatat", "openat", "pread64", "prlimit64", "read", "rseq", "set_robust_list", "set_tid_address",
    )
)  # fmt: skip
_GATES = frozenset(("syscall",))  # of libc, whose callers name the number


@dataclass(frozen=True)
class Scan:
    """``calls`` by name with the file whose code makes them; ``problems``: libraries that were not found or cannot be read."""

    path: Path
    calls: dict[str, str]
    problems: list[str] = field(default_factory=list)


class _Module:
    def __init__(self, elf: Elf) -> None:
        self.elf = elf

    @cached_property
    def functions(self) -> dict[int, Function]:
        return functions_of(self.elf)


class Scanner:
    """Scans programs below ``root``; libraries are read once."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._modules: dict[Path, _Module] = {}

    def scan(self, path: Path) -> Scan:
        """The system calls that a program can make. Raises NotForUs, OSError."""
        main = self._module(path)
        problems: list[str] = []
        modules = [main, *self._libraries(main, problems)]
        exports = {name: (module, address) for module in reversed(modules) for name, address in module.elf.exports.items()}
        calls: dict[str, str] = dict.fromkeys(sorted(LOADER), "the loader") if main.elf.interpreter else {}
        for module, function in _reachable(modules, exports):
            for number in function.numbers:
                if number in NAMES:
                    calls.setdefault(NAMES[number], module.elf.path.name)
        if "rt_sigaction" in calls:
            calls.setdefault("rt_sigreturn", calls["rt_sigaction"])  # the kernel itself makes handlers return by it
        return Scan(path, dict(sorted(calls.items())), problems)

    def _module(self, path: Path) -> _Module:
        real = path.resolve()
        if real not in self._modules:
            self._modules[real] = _Module(read(real))
        return self._modules[real]

    def _libraries(self, main: _Module, problems: list[str]) -> list[_Module]:
        found: dict[str, _Module] = {}
        waiting = [(name, main) for name in main.elf.needed]
        while waiting:
            name, user = waiting.pop(0)
            if name in found:
                continue
            path = self._locate(name, user.elf)
            if path is None:
                problems.append(f"{name}: not found")
                continue
            try:
                found[name] = self._module(path)
            except (NotForUs, OSError) as error:
                problems.append(f"{name}: {error}")
                continue
            waiting += [(other, found[name]) for other in found[name].elf.needed]
        return list(found.values())

    def _locate(self, name: str, user: Elf) -> Path | None:
        origin = str(user.path.parent)
        own = [Path(folder.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)) for folder in user.run_path]
        for folder in (*own, *(self._root / folder for folder in LIBRARY_FOLDERS)):
            if (folder / name).is_file():
                return folder / name
        return None


def _reachable(modules: Sequence[_Module], exports: dict[str, tuple[_Module, int]]) -> Iterator[tuple[_Module, Function]]:
    """Functions that run when the program does: all of the program's own, and of the libraries what these call."""
    main = modules[0]
    seen: set[tuple[int, int]] = set()
    waiting = [(main, start) for start in main.functions]
    for module in modules[1:]:
        waiting.append((module, module.elf.function_of(module.elf.entry)) if module.elf.entry else (module, -1))
        waiting += [(module, start) for start in module.elf.called_by_loader()]
    while waiting:
        module, start = waiting.pop()
        if (id(module), start) in seen or start not in module.functions:
            continue
        seen.add((id(module), start))
        function = module.functions[start]
        yield module, function
        for target in function.calls:
            waiting.append((module, target))
            callee = module.functions.get(target)
            if callee is not None and (callee.is_gate or callee.imports & _GATES):  # the latter: a stub of the linkage table
                yield module, Function(numbers=function.constants.get(target, set()))
        for name in function.imports:
            if name in exports:
                waiting.append(exports[name])
            if name in _GATES:
                yield module, Function(numbers=function.constants.get(name, set()))
