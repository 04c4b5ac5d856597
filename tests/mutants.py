"""make mutants: seeded one-line faults in syscalls/ and sentry/; the quick tests must catch at least 80 % of them.

Each worker has a copy of the tree with an environment of its own; a fault is written into the copy, the tests nearest to it
run first and stop at the first failure. The faults are drawn by a seed: a run can be repeated.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.mutation.baseline import Baseline  # noqa: E402
from tests.mutation.faults import Fault, faults_of  # noqa: E402

_WANTED = 0.8
_LIMIT_S = 240
_TIME_LIMIT, _NO_TESTS, _UNSTEADY_MAX = 124, 5, 3
_COPIED = ("sandboxctl", "sentry", "gofer", "syscalls", "tests", "pyproject.toml", "docs", "compat-matrix")
#: not judged by a guest: what is printed for people, generated data, the other platform, start-up code of the build
_SKIPPED = (
    "syscalls/abi/",
    "syscalls/compat",
    "sentry/trace/",
    "sentry/platform/filter/build",
    "sentry/platform/filter/surface",
    "sentry/platform/_core/build",
    "sentry/platform/fake",
    "sentry/platform/ptrace/",
    "sentry/platform/choose",
    "sentry/boot/tracing",
    "sentry/platform/notify/cgroup",
    "sentry/platform/notify/features",
)
#: which differential programs are near a file: (part of its path, families); the first that fits decides what runs first
_NEAR = (
    ("netstack", "net"),
    ("host_stream", "tty"),
    ("memfd", "memory"),
    ("inotify", "files"),
    ("fs/image", "files exec"),
    ("fs/synthetic", "proc"),
    ("fs/tty", "tty"),
    ("fs/devpts", "tty"),
    ("fs/proc", "proc exec process"),
    ("fs/sys", "proc"),
    ("fs/dev", "dev"),
    ("socket", "net"),
    ("net/", "net"),
    ("pipe", "fdio signals"),
    ("epoll", "fdio signals"),
    ("eventfd", "fdio"),
    ("timerfd", "fdio time"),
    ("fs/tmpfs", "files memory fdio"),
    ("fs/overlay", "files exec"),
    ("fs/gofer", "files exec"),
    ("vfs/", "files exec mount"),
    ("files/", "files"),
    ("mount", "mount files"),
    ("fdio/", "fdio"),
    ("kernel/io", "fdio signals net"),
    ("signal", "signals threads"),
    ("time", "time fdio"),
    ("clock", "time"),
    ("wait", "process signals"),
    ("clone", "process threads"),
    ("exec", "exec threads"),
    ("exit", "process threads"),
    ("loader", "exec"),
    ("cred", "security files"),
    ("security/", "security"),
    ("memory", "memory"),
    ("mm/", "memory system"),
    ("ipc", "ipc"),
    ("futex", "ipc"),
    ("process/", "process"),
    ("system/", "system"),
    ("platform", "signals exec threads memory"),
    ("sched", "fdio signals"),
    ("kernel", "process signals threads"),
)


#: what else of `make test` judges a file that has got past the quick tests: (part of its path, tests); the first that fits
_FURTHER = (
    ("sentry/platform", "tests/unit/platform tests/security"),
    ("sentry/host", "tests/cli tests/security"),
    ("sentry/boot", "tests/cli tests/security"),
    ("sentry/fs/gofer", "tests/security tests/programs"),
    ("sentry/fs/image", "tests/cli"),
    ("", "tests/unit/sentry tests/unit/syscalls tests/programs"),
)


@dataclass
class Verdict:
    """What became of one fault."""

    fault: Fault
    by: str
    seconds: float


def draw(seed: int, count: int, only: tuple[str, ...] = ("",)) -> list[Fault]:
    """Return the faults of a seed, spread evenly over the files: a file first, then a fault in it; ``only``: paths begin so."""
    by_file: list[list[Fault]] = []
    for top in ("syscalls", "sentry"):
        for path in sorted((ROOT / top).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name.startswith(only) and not name.startswith(_SKIPPED):
                found = list(faults_of(path, ROOT))
                if found:
                    by_file.append(found)
    chooser = random.Random(seed)
    weights = [min(len(found), 40) for found in by_file]
    chosen: dict[tuple[str, int], Fault] = {}
    places = len({(fault.path, fault.line) for found in by_file for fault in found})
    while len(chosen) < min(count, places):
        fault = chooser.choice(chooser.choices(by_file, weights)[0])
        chosen.setdefault((fault.path, fault.line), fault)
    return list(chosen.values())


def families_near(path: str) -> list[str]:
    """Return all families, the nearest first."""
    near = next((words.split() for part, words in _NEAR if part in path), [])
    every = sorted(
        folder.name for folder in (ROOT / "tests" / "syscalls").iterdir() if folder.is_dir() and folder.name != "__pycache__"
    )
    return [name for name in near if name in every] + [name for name in every if name not in near]


def unit_tests_near(path: str) -> list[str]:
    """Return the unit tests that mirror a path: the folder nearest to it, then its package's (tests/unit/sentry/fs)."""
    mirror = ROOT / "tests" / "unit"
    if path.startswith("sentry/platform"):
        return []  # they build guests of their own: slower than the differential programs, which go through the same code
    found: list[str] = []
    for folder in (mirror / Path(path)).parents:
        name = folder.relative_to(ROOT)
        is_wide = name.parts[2:] in ((), ("sentry",))  # what has nothing to do with the file
        if is_wide:
            break
        if folder.is_dir():
            found.append(str(name))
    return [found[0], found[-1]] if len(found) > 1 else found


class Workshop:
    """One copy of the tree in which faults are tried."""

    def __init__(self, folder: Path, natives: Path) -> None:
        self.folder = folder
        self.natives = natives
        folder.mkdir()
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.o"))
            elif source.exists():
                shutil.copy2(source, folder / name)
        (folder / "build").symlink_to(ROOT / "build")
        self.python = self._environment()

    def _environment(self) -> Path:
        """A virtual environment that finds the copy first, then everything that the project's own has."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.folder / "env")], check=True)
        packages = next((self.folder / "env" / "lib").glob("python*/site-packages"))
        ours = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
        (packages / "copy.pth").write_text(f"{self.folder}\n{ours}\n")
        binary = self.folder / "env" / "bin"
        (binary / "sandboxctl").write_text(
            f"#!{binary}/python\nimport sys\nfrom sandboxctl.cli.main import main\nsys.exit(main())\n"
        )
        (binary / "sandboxctl").chmod(0o755)
        return binary / "python"

    def run(self, arguments: list[str], limit_s: float = _LIMIT_S, *, stop: bool = True) -> tuple[int, str]:
        """Run pytest; return its status (124 after the limit) and its output."""
        command = [
            str(self.python),
            "-m",
            "pytest",
            "-q",
            *(["-x"] if stop else []),
            "--timeout",
            "40",
            "-p",
            "no:cacheprovider",
            "--tb=no",
            "--once",
            *arguments,
        ]
        environment = {
            **os.environ,
            "SANDBOXCTL_NATIVE_OUTCOMES": str(self.natives),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": "",
        }
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.communicate()
                return _TIME_LIMIT, ""
        return process.returncode, output

    def try_fault(self, fault: Fault, deselected: list[str]) -> Verdict:
        """Put the fault in, run the tests, take it out again."""
        path = self.folder / fault.path
        good = path.read_text()
        start = time.monotonic()
        path.write_text(fault.apply(good))
        try:
            return Verdict(fault, self._judge(fault, deselected), time.monotonic() - start)
        finally:
            path.write_text(good)

    def _confirmed(self, arguments: list[str]) -> str:
        """Run tests; a test that fails must fail again alone, else it is left out: an unsteady test catches nothing."""
        left_out: list[str] = []
        for _ in range(_UNSTEADY_MAX):
            status, output = self.run([*arguments, *left_out])
            if status in (0, _NO_TESTS):
                return ""
            name = _failed(output)
            if status == _TIME_LIMIT or not name or self.run([name, *arguments[-2:] * ("--target" in arguments)])[0] != 0:
                return name or ("time limit" if status == _TIME_LIMIT else f"pytest status {status}")
            left_out += ["--deselect", name]
        return ""

    def _judge(self, fault: Fault, deselected: list[str]) -> str:
        unit = unit_tests_near(fault.path)
        if unit:
            by = self._confirmed([*deselected, *unit])
            if by:
                return f"unit: {by}"
        families = [f"tests/syscalls/{name}" for name in families_near(fault.path)]
        by = self._confirmed([*deselected, *families, "--target", "notify"])
        if by:
            return f"differential: {by}"
        further = next(words for part, words in _FURTHER if part in fault.path)
        by = self._confirmed([*deselected, *further.split(), "--target", "notify"])
        return f"further: {by}" if by else ""


def _failed(output: str) -> str:
    """The first failed test that pytest names."""
    lines = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" - ")[0].split(maxsplit=1)[1] if lines else ""


def baseline(shop: Workshop) -> list[str]:
    """Return the options that leave out what fails without a fault (and say so); run everything unless this commit is known."""
    known = Baseline(ROOT)
    names = known.read()
    if names is None:
        names = _failing(shop)
        known.write(names)
    for name in names:
        print(f"left out, fails without any fault: {name}", flush=True)
    return [word for name in names for word in ("--deselect", name)]


def _failing(shop: Workshop) -> list[str]:
    """Run everything without a fault; return what fails."""
    names: list[str] = []
    further = sorted({name for _, words in _FURTHER for name in words.split() if not name.startswith("tests/unit/s")})
    quick = ["tests/unit/sentry", "tests/unit/syscalls"]
    for arguments in (quick, ["tests/syscalls", "--target", "notify"], [*further, "--target", "notify"]):
        status, output = shop.run(arguments, 600, stop=False)
        if status not in (0, 1):
            sys.exit(f"mutants: the tests cannot run without a fault (status {status}):\n{output[-2000:]}")
        failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        names += [line.split(" - ")[0].split(maxsplit=1)[1] for line in failed]
    return names


def main() -> int:
    """Return 0 if at least 80 % of the faults were caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--jobs", "--workers", type=int, default=2, help="how many faults are tried at a time")
    parser.add_argument("--only", default="", help="only files whose paths begin so; more than one with commas")
    parser.add_argument("--json", type=Path, help="write the verdicts here as well")
    parser.add_argument("--list", action="store_true", help="only print the faults")
    options = parser.parse_args()
    faults = draw(options.seed, options.count, tuple(options.only.split(",")))
    if options.list:
        print(*faults, sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="sandboxctl-mutants-", dir="/tmp", ignore_cleanup_errors=True) as scratch:
        os.chmod(scratch, 0o755)
        natives = Path(scratch) / "natives"
        natives.mkdir()
        shops = [Workshop(Path(scratch) / f"copy{index}", natives) for index in range(options.jobs)]
        deselected = baseline(shops[0])
        verdicts = _try_all(shops, faults, deselected)
    caught = sum(1 for verdict in verdicts if verdict.by)
    share = caught / len(verdicts)
    if options.json:
        options.json.write_text(
            json.dumps([{"fault": str(v.fault), "caught_by": v.by, "seconds": round(v.seconds, 1)} for v in verdicts], indent=1)
        )
    print(f"{caught} of {len(verdicts)} faults caught: {share:.0%} (needed: {_WANTED:.0%}; seed {options.seed})")
    return 0 if share >= _WANTED else 1


def _try_all(shops: list[Workshop], faults: list[Fault], deselected: list[str]) -> list[Verdict]:
    waiting = list(reversed(faults))
    verdicts: list[Verdict] = []
    lock = threading.Lock()

    def work(shop: Workshop) -> None:
        while True:
            with lock:
                if not waiting:
                    return
                fault = waiting.pop()
            verdict = shop.try_fault(fault, deselected)
            with lock:
                verdicts.append(verdict)
                print(
                    f"{len(verdicts):3} {'caught' if verdict.by else 'MISSED'} {verdict.seconds:5.1f} s  {fault}  {verdict.by}",
                    flush=True,
                )

    threads = [threading.Thread(target=work, args=(shop,)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return verdicts


if __name__ == "__main__":
    sys.exit(main())
