"""Canaries on the host, looked for from inside by a program that wants to find them."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guestlib.target import SandboxTarget

pytestmark = pytest.mark.security

_FOLDERS = ("/root", "/home", "/run")


@pytest.fixture
def canaries() -> Iterator[tuple[str, list[Path]]]:
    """Files with a secret text, readable by everybody, where a sandbox must not see them."""
    text = "canary-" + secrets.token_hex(16)
    planted = []
    for folder in (*_FOLDERS, str(Path.home())):
        path = Path(folder) / f"{text}.txt"
        try:
            path.write_text(text)
        except OSError:
            continue
        path.chmod(0o644)
        planted.append(path)
    try:
        if not planted:
            pytest.skip("none of /root, /home, /run and the home folder can be written here")
        yield text, planted
    finally:
        for path in planted:
            path.unlink(missing_ok=True)


_SEARCH = r"""
name="$1"
find /root /home /run /var/run "$2" -name "$name*" 2>/dev/null
for path in /root /home /run /var/run "$2" /proc/1/root/root /proc/self/root/home /proc/self/cwd/../root /tmp/../root \
    //root /usr/../run /lib/../../root; do
    test -e "$path/$name.txt" && echo "$path"
    cat "$path/$name.txt" 2>/dev/null
    grep -rl "$name" "$path" 2>/dev/null
done
ln -s /root /tmp/r && cat "/tmp/r/$name.txt" 2>/dev/null
cd /root 2>/dev/null && ls | grep canary
cat /proc/*/environ 2>/dev/null | tr '\0' '\n' | grep -a canary-secret
mount | grep -E '/root|/home'
exit 0
"""


def test_nothing_of_them_is_seen(
    platform: SandboxTarget, canaries: tuple[str, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, planted = canaries
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "canary-secret")
    with platform.open() as box:
        result = box.run(["/bin/sh", "-c", _SEARCH, "sh", text, str(Path.home())], timeout=60)
    assert result.exit_code == 0, result.stderr.decode()
    assert result.stdout == b"", result.stdout.decode()
    assert all(path.read_text() == text for path in planted)


def test_a_volume_shows_what_it_names_only(platform: SandboxTarget, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("canary")
    (inside / "up").symlink_to("../outside/secret")
    (inside / "plain").write_text("plain")
    for folder in (tmp_path, *tmp_path.parents):
        info = folder.stat()
        if "pytest" in str(folder) and info.st_uid == os.getuid():
            folder.chmod(info.st_mode & 0o7777 | 0o055)
    script = "cat /v/plain; cat /v/up /v/../outside/secret 2>/dev/null; echo new > /v/new; echo $?"
    with platform.open(volumes=[f"{inside}:/v:ro"]) as box:
        result = box.run(["/bin/sh", "-c", script], timeout=30)
    assert b"canary" not in result.stdout
    assert result.stdout.startswith(b"plain")
    assert not (inside / "new").exists()


def test_host_sockets_are_hidden(platform: SandboxTarget) -> None:
    import socket

    name = f"/tmp/sandboxctl-test-{os.getuid()}-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        os.chmod(name, 0o777)
        server.listen()
        try:
            script = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{name}')"
            with platform.open() as box:
                result = box.run(["/usr/bin/python3", "-c", script], timeout=30)
                listed = box.run(["/bin/ls", name], timeout=30)
        finally:
            os.unlink(name)
    assert result.exit_code == 1
    assert b"FileNotFoundError" in result.stderr or b"ConnectionRefused" in result.stderr, result.stderr
    assert listed.exit_code == 2
