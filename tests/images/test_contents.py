"""Programs with real contents on images: mappings show no neighbours, and an interpreter with all its files works."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.guestlib import images

HERE = Path(__file__).parent


@pytest.mark.security
def test_a_mapping_shows_no_neighbour(either, tmp_path):
    program = tmp_path / "beyond"
    subprocess.run(["gcc", "-static", "-O1", "-o", program, HERE / "beyond.c"], check=True)
    secrets = [images.member(f"z{number:03}", b"SECRET" * 700, mode=0o600) for number in range(60)]
    own = images.member("beyond", program.read_bytes(), mode=0o755)
    layer = images.layer(own, images.member("small", b"small" * 10), *secrets)
    images.write_layout(tmp_path / "oci", {"": images.build([layer])})
    native = tmp_path / "small"
    native.write_bytes(b"small" * 10)
    seen = either.text("run", "-u", "1000:1000", f"oci:{tmp_path}/oci", "/beyond", "/small")
    assert seen == subprocess.run([program, native], check=True, capture_output=True).stdout.decode()
    assert "second: SIGBUS" in seen


def python_members():
    """This machine's Python and what it is linked with, as Debian has installed them."""
    python = os.path.realpath("/usr/bin/python3")
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": "/usr", "base": "/usr"}))
    files = {python, "/lib64/ld-linux-x86-64.so.2"}
    extensions = [str(path) for path in library.glob("lib-dynload/*.so")]
    for binary in [python, *extensions]:
        for line in subprocess.run(["ldd", binary], capture_output=True, text=True).stdout.splitlines():
            files |= {word for word in line.split() if word.startswith("/")}
    unwanted = {"test", "__pycache__", "config-3.11-x86_64-linux-gnu"}
    files |= {str(path) for path in library.rglob("*") if path.is_file() and not unwanted & set(path.parts)}
    folders = {parent for name in files for parent in Path(name).parents if parent != Path("/")}
    members = [images.folder(str(folder)[1:]) for folder in sorted(folders)]
    for name in sorted(files):
        members.append(images.member(name[1:], Path(name).read_bytes(), mode=Path(name).stat().st_mode & 0o777))
    return [*members, images.symlink("usr/bin/python3", Path(python).name), images.folder("tmp", mode=0o1777)]


@pytest.mark.slow
def test_python_from_debians_files(either, tmp_path):
    if not os.path.exists("/usr/bin/python3") or sys.version_info[:2] != (3, 11):
        pytest.skip("needs Debian's own python3")
    layer = images.layer(*python_members())
    images.write_layout(tmp_path / "oci", {"": images.build([layer], "+zstd", Entrypoint=["/usr/bin/python3", "-I"])})
    script = (
        "import json, sqlite3, ssl, ctypes, asyncio, os, hashlib, subprocess, sys; "
        "print(sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0], os.stat('/usr').st_uid, "
        "subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout)"
    )
    assert either.text("run", f"oci:{tmp_path}/oci", "-c", script) == "42 0 b'1\\n'\n"
