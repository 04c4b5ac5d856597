"""A guest program: one source file, its options, and how it is built and started.

Options stand in the first lines of the file, in a comment that begins with ``guest:``:

    // guest: static            linked statically
    // guest: root              needs to be started as root
    // guest: pid1              the native run is pid 1 of its own pid namespace, as in a sandbox
    // guest: net               the native run has a network namespace of its own with the device lo up, as in a sandbox
    // guest: fresh             wants a sandbox of its own
    // guest: caps=SYS_ADMIN    more capabilities for the guest's root (a list with commas)
    // guest: timeout=30        seconds (10 if not given)
    // guest: unordered         parent and child print at the same time: the order of lines is not compared
    // guest: libs=-lm          more words for the linker
"""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUESTLIB = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "guests"
SUFFIXES = (".c", ".cc", ".py", ".sh")
_WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-nonnull",
    "-Wno-unused-value",
    "-Wno-stringop-overflow",
    "-Wno-stringop-overread",
    "-Wno-array-bounds",
    "-Wno-nonnull-compare",
)
_FLAGS = ("-O1", "-D_GNU_SOURCE", "-pthread", f"-I{GUESTLIB}", *_WARNINGS)
_PYTHON = "/usr/bin/python3"


class BuildError(Exception):
    """The compiler refused the program."""


@dataclass(frozen=True)
class Program:
    """One guest program of the differential tests."""

    source: Path
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Path) -> "Program":
        """Return the program in ``source`` with the options of its first lines."""
        options: dict[str, str] = {}
        for line in source.read_text().splitlines()[:12]:
            _, found, words = line.partition("guest:")
            if found and line.lstrip("/*# ").startswith("guest:"):
                for word in words.split():
                    key, _, value = word.partition("=")
                    options[key] = (options.get(key, "") + " " + value).strip()
        return cls(source, options)

    @property
    def name(self) -> str:
        """family/file, as the reports print it."""
        return f"{self.source.parent.name}/{self.source.name}"

    @property
    def timeout_s(self) -> float:
        """How long one run may take."""
        return float(self.options.get("timeout", "10"))

    def build(self) -> Path:
        """Return what is executed: the binary (built once for each content) or a copy of the script.

        Errors: BuildError with the compiler's words.
        """
        header = (GUESTLIB / "check.h").read_bytes() if self.source.suffix in (".c", ".cc") else b""
        key = hashlib.sha256(b"\0".join((self.source.read_bytes(), header, repr((_FLAGS, self.options)).encode()))).hexdigest()[
            :16
        ]
        target = BUILD / f"{self.source.parent.name}-{self.source.stem}-{key}{'' if header else self.source.suffix}"
        if target.exists():
            return target
        BUILD.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f".{target.name}.new")
        if header:
            self._compile(scratch)
        else:
            shutil.copyfile(self.source, scratch)
        scratch.chmod(0o755)
        scratch.rename(target)
        return target

    def _compile(self, target: Path) -> None:
        compiler = "g++" if self.source.suffix == ".cc" else "gcc"
        extra = [*self.options.get("libs", "").split(), *(["-static"] if "static" in self.options else [])]
        command = [compiler, *_FLAGS, str(self.source), "-o", str(target), *extra]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise BuildError(done.stderr)

    def argv(self, executable: str) -> list[str]:
        """Return the command that starts the program, given where it lies for the target."""
        if self.source.suffix == ".py":
            return [_PYTHON, executable]
        if self.source.suffix == ".sh":
            return ["/bin/sh", executable]
        return [executable]
