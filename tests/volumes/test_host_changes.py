"""inotify(7) of a shared folder: what others do to it, natively and through a volume. The same watcher must report the same."""

import os
import subprocess
import sys
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from tests.guestlib.target import SandboxTarget

_WATCHER = r"""
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
names = {1: "ACCESS", 2: "MODIFY", 4: "ATTRIB", 8: "CLOSE_WRITE", 64: "MOVED_FROM", 128: "MOVED_TO",
         256: "CREATE", 512: "DELETE", 1024: "DELETE_SELF", 2048: "MOVE_SELF", 0x8000: "IGNORED", 1 << 30: "ISDIR"}
fd = libc.inotify_init1(0)
CHANGES = 0xFFF & ~(1 | 16 | 32)
who = {}
for path in sys.argv[1:]:
    who[libc.inotify_add_watch(fd, path.encode(), CHANGES)] = os.path.basename(path)
os.chdir(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    act = line.strip()
    if act.startswith("!"):
        exec(act[1:])
        print("acted", flush=True)
    cookies, done = {}, False
    while not done:
        data = os.read(fd, 65536)
        while data:
            wd, mask, cookie, length = struct.unpack_from("iIII", data)
            name = data[16:16 + length].rstrip(b"\0").decode()
            data = data[16 + length:]
            if name.startswith("end"):
                done = True
                continue
            words = "|".join(text for bit, text in names.items() if mask & bit)
            tie = "" if not cookie else f" cookie {cookies.setdefault(cookie, len(cookies))}"
            print(f"  {who[wd]}: {words} {name}{tie}")
    print("done", flush=True)
"""


def _move_between(folder: Path) -> None:
    (folder / "plain").rename(folder / "sub/plain")
    (folder / "sub/plain").rename(folder / "back")


def _write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


#: by the host, or, beginning with an exclamation mark, by the watcher itself
STEPS: list[Callable[[Path], object] | str] = [
    lambda folder: _write(folder / "new", "text"),
    lambda folder: _write(folder / "file", "more"),
    lambda folder: (folder / "file").chmod(0o600),
    lambda folder: os.truncate(folder / "file", 1),
    lambda folder: (folder / "dir").mkdir(),
    lambda folder: (folder / "dir").rmdir(),
    lambda folder: (folder / "new").rename(folder / "plain"),
    _move_between,
    lambda folder: (folder / "sub").chmod(0o700),
    lambda folder: os.link(folder / "back", folder / "twin"),
    lambda folder: (folder / "twin").unlink(),
    lambda folder: (folder / "s").symlink_to("file"),
    "!f = open('mine', 'w'); f.write('x'); f.close()",
    "!os.rename('mine', 'mine2'); os.unlink('mine2'); os.mkdir('m'); os.rmdir('m')",
    "!f = open('file', 'a'); f.write('x'); f.flush(); os.fchmod(f.fileno(), 0o644); os.ftruncate(f.fileno(), 0); f.close()",
    "!os.symlink('a', 'l'); os.link('file', 'h'); os.unlink('h'); os.utime('file')",
    lambda folder: _write(folder / "file", "after all"),
    lambda folder: (folder / "file").unlink(),
    lambda folder: (folder / "sub").rmdir(),
]


def _observe(argv: list[str], folder: Path, at: str) -> str:
    """What the watcher prints, step by step. A folder that the host makes ends each step."""
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("contents")
    command = [*argv, "python3", "-I", "-c", _WATCHER, at, f"{at}/file", f"{at}/sub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen = [process.stdout.readline()]
        for number, step in enumerate(STEPS):
            process.stdin.write((step if isinstance(step, str) else "look") + "\n")
            process.stdin.flush()
            if isinstance(step, str):
                assert process.stdout.readline() == "acted\n"
            else:
                step(folder)
            (folder / f"end{number}").mkdir()
            seen.append(f"step {number}\n")
            while (line := process.stdout.readline()) not in ("done\n", ""):
                seen.append(line)
        process.stdin.close()
    assert process.returncode == 0
    return "".join(seen)


def test_a_watcher_hears_the_host(platform: SandboxTarget, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    native, shared = tmp_path / "native/v", tmp_path / "shared"
    expected = _observe([], native, str(native))
    command = [str(Path(sys.executable).parent / "sandboxctl"), "--platform", platform.name, "run", "-i", "-v", f"{shared}:/v"]
    shared.mkdir()
    seen = _observe([*command, "host", "--"], shared, "/v")
    difference = unified_diff(expected.splitlines(), seen.splitlines(), "native", platform.name, lineterm="")
    assert seen == expected, "\n".join(difference)
