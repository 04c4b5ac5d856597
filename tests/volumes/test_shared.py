"""One folder, two sandboxes and the host: whoever acts, all see the same afterwards; nothing that was synced is lost."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guestlib.target import SandboxTarget

_TIMEOUT_S = 120
_ACTS = (
    "echo more >> a",
    "echo other > b",
    "mv a b",
    "mv b d/c",
    "mv d e",
    "mv e d",
    "rm -f b",
    "rm -rf d",
    "mkdir -p d",
    "ln -sf a link",
    "ln a d/hard",
    "chmod 600 a",
    "chmod 755 d",
    "truncate -s 3 a",
    "truncate -s 100000 b",
    "mkfifo p",
    "printf x | dd of=a bs=1 seek=5 conv=notrunc",
    "touch -d @1000000000 a",
    "cp a d/copy",
)
_LOOK = r"""
import os, stat
for folder, folders, files in sorted(os.walk(".")):
    folders.sort()
    for name in sorted(folders + files):
        path = os.path.join(folder, name)
        info = os.lstat(path)
        regular = stat.S_ISREG(info.st_mode)
        text = open(path, "rb").read() if regular else os.readlink(path) if stat.S_ISLNK(info.st_mode) else ""
        print(path, oct(info.st_mode), info.st_nlink, info.st_size if regular else "", info.st_mtime_ns, text[:60], info.st_ino)
"""
_WRITER = r"""
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
for number in range(100):
    assert os.write(fd, b"%s line %06d\n" % (sys.argv[1].encode(), number) * 20)
    if number % 10 == 9:
        os.fsync(fd)
"""


@pytest.fixture
def target() -> SandboxTarget:
    found = SandboxTarget("notify")
    reason = found.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    return found


@pytest.fixture
def boxes(target: SandboxTarget, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    tmp_path.chmod(0o755)
    with target.open(volumes=[f"{tmp_path}:/v"]) as first, target.open(volumes=[f"{tmp_path}:/v"]) as second:
        yield first, second


def _inside(box: Any, *argv: str) -> str:
    done = box.run(list(argv), cwd="/v", timeout=_TIMEOUT_S)
    return bytes(done.stdout).decode()


def _outside(folder: Path, *argv: str) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    return done.stdout


def test_all_see_the_same(boxes: tuple[Any, Any], tmp_path: Path) -> None:
    first, second = boxes
    (tmp_path / "d").mkdir()
    (tmp_path / "a").write_text("begin\n")
    chance = random.Random(4)
    for _ in range(16):
        act = chance.choice(_ACTS)
        actor = chance.randrange(3)
        if actor:
            _inside(boxes[actor - 1], "sh", "-c", act)
        else:
            _outside(tmp_path, "sh", "-c", act)
        expected = _outside(tmp_path, "/usr/bin/python3", "-I", "-c", _LOOK)
        assert _inside(first, "/usr/bin/python3", "-I", "-c", _LOOK) == expected, f"after {act!r} by {actor}"
        assert _inside(second, "/usr/bin/python3", "-I", "-c", _LOOK) == expected, f"after {act!r} by {actor}"


def test_parallel_writers(boxes: tuple[Any, Any], tmp_path: Path) -> None:
    script = "for n in 1 2 3 4; do /usr/bin/python3 -I -c \"$1\" $2$n & done; wait"
    started = [box.start(["sh", "-c", script, "sh", _WRITER, name], cwd="/v") for box, name in zip(boxes, "xy", strict=True)]
    for process in started:
        with process:
            assert process.wait(timeout=_TIMEOUT_S) == 0
    for name in "xy":
        for number in range(1, 5):
            lines = (tmp_path / f"{name}{number}").read_text().splitlines()
            assert lines == [f"{name}{number} line {index // 20:06d}" for index in range(2000)]


_RACER = r"""
import os, sys
won = 0
for number in range(300):
    try:
        fd = os.open(f"lock{number}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        continue
    os.write(fd, b"mine\n")
    os.close(fd)
    won += 1
open("won-" + sys.argv[1], "w").write(str(won))
"""


def test_an_exclusive_name_has_one_maker(boxes: tuple[Any, Any], tmp_path: Path) -> None:
    racer = ["/usr/bin/python3", "-I", "-c", _RACER]
    processes = [box.start([*racer, name], cwd="/v") for box, name in zip(boxes, "xy", strict=True)]
    _outside(tmp_path, *racer, "host")
    for process in processes:
        with process:
            assert process.wait(timeout=_TIMEOUT_S) == 0
    assert sum(int((tmp_path / f"won-{name}").read_text()) for name in ("x", "y", "host")) == 300
    assert {path.read_text() for path in tmp_path.glob("lock*")} == {"mine\n"}
