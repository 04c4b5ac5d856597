"""``sandboxctl do``: the same answers as bubblewrap to the same command lines."""

import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")
TIME_MAX = 120
BASE = "--ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin"
LS = "ls -lanR --time-style=+"

#: load the number; mkdir and mkdirat give EPERM; all else is allowed
_CODE = ((0x20, 0, 0, 0), (0x15, 1, 0, 83), (0x15, 0, 1, 258), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000))
FILTER = b"".join(struct.pack("<HBBI", *one) for one in _CODE)
#: carried out by both; FILE can be read from descriptor 7, FOLDER is empty and may be written
SAME = {
    "the root is new and empty": "ls -lan --time-style=+ /",
    "dev": "--proc /proc --dev /dev ls -lan --time-style=+ /dev",
    "devices": "--proc /proc --dev /dev sh -c 'echo x >/dev/null; echo y >/dev/shm/x; cat /dev/shm/x; head -c 2 /dev/zero | od'",
    "a program that is not there": "nosuch",
    "a folder is no program": "/usr",
    "a source that is not there": "--bind /nonexistent /x true",
    "try": "--bind-try /nonexistent /x true",
    "folders": f"--perms 0700 --dir /a/b/c {LS} /a",
    "how open parents are": f"--perms 0750 --tmpfs /a/b/c {LS} /a",
    "a file from a descriptor": f"--perms 0640 --file 7 /a/b sh -c '{LS} /a; cat /a/b'",
    "a file is open to all": "--file 7 /a/b stat -c %a /a /a/b",
    "a file that is bound": f"--ro-bind-data 7 /data/f sh -c '{LS} /data; cat /data/f; echo x >>/data/f'",
    "links": f"--symlink a /x/y {LS} /x",
    "a link over another": "--symlink a /x --symlink b /x true",
    "size": "--size 1048576 --perms 0711 --tmpfs /t sh -c 'ls -ldn --time-style=+ /t; stat -f -c %b /t'",
    "chdir to nowhere": "--chdir /nope true",
    "chdir": "--chdir / --chdir /usr sh -c 'pwd; echo $PWD'",
    "environment": "--clearenv --setenv A b --setenv C d --unsetenv A /bin/env",
    "init": "--unshare-pid --proc /proc sh -c 'echo $$; kill -9 $$'",
    "as pid 1": "--unshare-pid --as-pid-1 sh -c 'echo $$'",
    "hostname": "--unshare-uts --hostname x uname -n",
    "the host's name": "uname -n",
    "no network": "--unshare-net --proc /proc cat /proc/net/dev",
    "rights": "--proc /proc grep -E 'Cap(Eff|Amb|Inh)|NoNew' /proc/self/status",
    "fewer rights": "--proc /proc --cap-drop ALL --cap-add CAP_CHOWN grep -E 'Cap(Eff|Amb|Inh)' /proc/self/status",
    "a place in a read-only tree": "--ro-bind / / --tmpfs /nope true",
    "a file in a read-only tree": "--ro-bind /usr/bin/sh /usr/bin/nope true",
    "a file over a folder": "--ro-bind /etc/group /etc/ssl/x --ro-bind /etc/group /etc/ssl true",
    "remount": "--tmpfs /a --dir /a/b --remount-ro /a sh -c 'mkdir /a/c; ls /a'",
    "what is written stays": "--bind FOLDER /w --dir /w/made --file 7 /w/f sh -c 'ls -R /w; rm /w/f; rmdir /w/made'",
    "a bound file": "--bind FILE /x cat x",
    "a device": "--dev-bind /dev/null /n sh -c 'stat -c %F,%t,%T,%a /n; echo x >/n'",
    "a device that is not to be used": "--ro-bind /dev/null /n cat /n",
    "all of the host": "--dev-bind / / sh -c 'echo x >/dev/null; ls -d /dev/shm /proc/self /sys/kernel'",
    "all of the host, but its devices": "--ro-bind / / cat /dev/null",
    "a later root covers the rest": "--tmpfs / ls /",
    "nested": "--ro-bind / / --tmpfs /tmp --bind FOLDER /tmp/w sh -c 'ls /tmp; pwd'",
    "arguments from a descriptor": "--args 8 ls /",
    "a filter": "--seccomp 9 mkdir /x",
    "half a filter": "--seccomp 7 true",
    "exit status": "sh -c 'exit 3'",
    "a signal": "sh -c 'kill -TERM $$'",
}  # fmt: skip
#: every second one in `make test`, all in `make test-engines`
CHOSEN = SAME if os.environ.get("SANDBOXCTL_ENGINES") else dict(list(SAME.items())[1::2])
#: refused before anything starts
REFUSED = (
    "--frob", "--bind /usr", "--tmpfs", "--chdir", "--setenv A", "--as-pid-1 true", "--hostname x true", "--cap-add FOO true",
    "--cap-drop CHOWN true", "--perms 0700 --bind /usr /p/f true", "--perms 99 --tmpfs /a true", "--size 5 --dir /a true",
    "--size 0 --tmpfs /a true", "--file 99 /a true", "--file x /a true", "--setenv =a b true", "--unsetenv A=b true",
    "--exec-label x true", "--unshare-user --uid -1 true", "--unshare-user --gid abc true", "--bind relative /x true",
    "--dev-bind /nonexistent /x true", "--remount-ro", "--chmod 9 /x true",
)  # fmt: skip


@pytest.fixture
def ask(tmp_path):
    if shutil.which("bwrap") is None:
        pytest.skip("needs Debian's package bubblewrap")
    if subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], capture_output=True, timeout=TIME_MAX, check=False).returncode:
        pytest.skip("bubblewrap does not work on this host")
    (tmp_path / "file").write_text("hello\n")
    (tmp_path / "filter").write_bytes(FILTER)
    (tmp_path / "args").write_bytes(b"--dir\0/from-args")

    def run(program, line):
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        words = [word.replace("FOLDER", str(folder)).replace("FILE", str(tmp_path / "file")) for word in shlex.split(line)]
        code = f"exec 7<{tmp_path}/file 8<{tmp_path}/args 9<{tmp_path}/filter; exec \"$@\""
        done = subprocess.run(
            ["bash", "-c", code, "bash", *program, *shlex.split(BASE), *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIME_MAX, check=False, cwd="/",
        )  # fmt: skip
        left = sorted(os.listdir(folder))
        return done.returncode, done.stdout, re.sub(r"^(bwrap|sandboxctl): ", "", done.stderr, flags=re.M), left

    return run


@pytest.mark.parametrize("line", CHOSEN.values(), ids=CHOSEN)
def test_answers_are_those_of_bubblewrap(ask, line):
    assert ask([SANDBOXCTL, "do"], line) == ask(["bwrap"], line)


def test_what_bubblewrap_refuses_is_refused_in_its_words(ask):
    from click.testing import CliRunner

    from sandboxctl.bubble.wishes import EXIT_BUBBLE, BubbleError
    from sandboxctl.cli.commands import Context, cli

    for line in REFUSED:
        status, _, message, _ = ask(["bwrap"], line)
        done = CliRunner().invoke(cli, ["do", *shlex.split(BASE), *shlex.split(line)], obj=Context(None))
        assert isinstance(done.exception, BubbleError), line
        assert (str(done.exception), done.exception.exit_code) == (message.strip().splitlines()[0], status), line
        assert status == EXIT_BUBBLE


def test_refusals_of_our_own_name_a_way():
    for line, word in (
        ("--userns 5 true", "kernel of its own"),
        ("--lock-file /x true", "flock"),
        ("--unshare-user --uid 12345 true", "leave it out"),
        ("--ro-bind-fd 5 /x true", "/proc/self/fd"),
    ):
        done = subprocess.run(
            [SANDBOXCTL, "do", *shlex.split(line)], capture_output=True, text=True, timeout=TIME_MAX, check=False
        )
        assert done.returncode == 125
        assert word in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_sockets_of_the_host_do_not_enter(tmp_path):
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        words = ["--ro-bind", "/", "/", "--bind", str(tmp_path / "s"), "/tmp/s", "true"]
        done = subprocess.run([SANDBOXCTL, "do", *words], capture_output=True, text=True, timeout=TIME_MAX, check=False)
    assert done.returncode == 125
    assert "never enter" in done.stderr


def test_it_ends_with_its_parent(tmp_path):
    """The pipe's end is open as long as any process of the sandbox lives."""
    reader, writer = os.pipe()
    code = (
        f"{shlex.quote(str(SANDBOXCTL))} do --die-with-parent --ro-bind / / --unshare-all -- sh -c 'echo here; sleep 1000' & "
        "read line; kill -9 $$"
    )
    with subprocess.Popen(["bash", "-c", code], stdin=subprocess.PIPE, stdout=writer) as parent:
        os.close(writer)
        with open(reader, "rb") as output:
            assert output.readline() == b"here\n"
            parent.stdin.write(b"\n")
            parent.stdin.flush()
            assert output.read() == b""


def test_status_and_info(tmp_path):
    words = "--json-status-fd 7 --ro-bind / / --unshare-all -- sh -c 'exit 4'"
    code = f"exec {shlex.quote(str(SANDBOXCTL))} do {words} 7>{tmp_path}/status"
    assert subprocess.run(["bash", "-c", code], timeout=TIME_MAX, check=False).returncode == 4
    first, second = (tmp_path / "status").read_text().splitlines()
    assert re.fullmatch(r'\{ "child-pid": [0-9]+ \}', first)
    assert second == '{ "exit-code": 4 }'
