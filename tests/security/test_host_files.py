"""What a guest finds of the host's files: canary secrets, hidden folders, writes that stay inside, a gofer that is gone."""

import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxctl import Sandbox, SandboxError

pytestmark = [pytest.mark.security, pytest.mark.slow]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def canary() -> Iterator[str]:
    """A secret in every place that must stay hidden, and a socket in a visible one."""
    word = f"canary-{secrets.token_hex(8)}"
    folders = []
    for parent in ("/root", "/home", "/run", os.path.expanduser("~")):
        if os.access(parent, os.W_OK):
            folders.append(tempfile.mkdtemp(prefix=f"{word}-", dir=parent))
            Path(folders[-1], word).write_text(word)
    private = tempfile.mkdtemp(prefix="visible-name-", dir="/tmp")  # 0700: another user's folder in a visible place
    Path(private, "secret").write_text(word)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"/tmp/{word}.sock")
    yield f"{word} {private}"
    listener.close()
    os.unlink(f"/tmp/{word}.sock")
    for folder in [*folders, private]:
        shutil.rmtree(folder)


def test_no_canary_is_found(canary: str) -> None:
    canary, private = canary.split()
    with Sandbox() as sandbox:
        places = f"/root /home /run /var/run {private} /proc/1/root/root /proc/self/root/home"
        script = f"grep -rs {canary} {places}; find / -maxdepth 3 -name '*{canary}*' 2>/dev/null"
        found = sandbox.run(["sh", "-c", script], timeout=60)
        if os.geteuid() == 0:  # the gofer is nobody: root's private folder in /tmp is closed as well
            assert found.stdout == b""
        assert f"/{canary}".encode() not in found.stdout
        assert not [line for line in found.stdout.splitlines() if line.startswith((b"/root", b"/home", b"/run", b"/var/run"))]


def test_hidden_folders_are_empty(sandbox: Sandbox) -> None:
    found = sandbox.run(["sh", "-c", "ls -A /root /home /run /var/run/ | grep -v '^$' | grep -v :"], timeout=30)
    assert found.stdout == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's gofer reads what that user may read")
def test_as_root_the_guest_reads_as_nobody(sandbox: Sandbox) -> None:
    found = sandbox.run(["sh", "-c", "id -u; cat /etc/shadow"], timeout=30)
    assert found.stdout == b"0\n"
    assert b"Permission denied" in found.stderr


def test_writes_stay_inside(sandbox: Sandbox, tmp_path: Path) -> None:
    name = f"written-{secrets.token_hex(8)}"
    script = f"echo x > /tmp/{name} && echo x > /usr/{name}; rm -f /etc/hostname /etc/passwd; mkdir /{name}; ls /tmp/{name}"
    before = Path("/etc/passwd").read_bytes()
    assert sandbox.run(["sh", "-c", script], timeout=30).stdout == f"/tmp/{name}\n".encode()
    for folder in ("/tmp", "/usr", "/"):
        assert not Path(folder, name).exists()
    assert Path("/etc/passwd").read_bytes() == before


def test_a_read_only_volume_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    (folder / "file").write_text("kept")
    with Sandbox(volumes=[f"{folder}:/v:ro"]) as sandbox:
        script = "cat /v/file; echo x > /v/file; echo x > /v/new; rm /v/file; chmod 777 /v/file; ln /v/file /v/hard; mkdir /v/d"
        assert sandbox.run(["sh", "-c", script], timeout=30).stdout == b"kept"
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert (folder / "file").read_text() == "kept"


def gofers() -> list[int]:
    """The gofers that this process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if b"/gofer/__main__.py" in command and int(parent) == os.getpid():
                found.append(int(entry.name))
    return found


def test_with_the_gofer_stopped_nothing_new_can_be_opened() -> None:
    before = set(gofers())
    with Sandbox() as sandbox:
        assert sandbox.run(["cat", "/etc/passwd"], timeout=30).stdout
        (mine,) = set(gofers()) - before
        os.kill(mine, signal.SIGSTOP)
        try:
            stuck = sandbox.run(["cat", "/etc/services"], timeout=2)
            assert stuck.timed_out
            assert stuck.stdout == b""
        finally:
            os.kill(mine, signal.SIGCONT)
        assert sandbox.run(["cat", "/etc/passwd"], timeout=30).stdout


def test_a_killed_gofer_ends_the_sandbox() -> None:
    before = set(gofers())
    sandbox = Sandbox()
    try:
        (mine,) = set(gofers()) - before
        os.kill(mine, signal.SIGKILL)
        with pytest.raises(SandboxError):
            sandbox.run(["cat", "/etc/services"], timeout=30)
            sandbox.run(["cat", "/etc/services"], timeout=30)
    finally:
        sandbox.close()
    assert not set(gofers()) - before


def test_nothing_is_left_of_a_gofer() -> None:
    before = set(gofers())
    with Sandbox() as sandbox:
        sandbox.run(["true"], timeout=30)
        assert set(gofers()) - before
    assert not set(gofers()) - before
