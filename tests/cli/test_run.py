"""``sandboxctl run`` with real sandboxes: exit status, streams, options, signals, terminals, and that nothing stays behind."""

import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "sandboxctl.cli.main"]
TIMEOUT = 120


def run(*words, stdin=b"", check=None, before=()):
    done = subprocess.run([*COMMAND, *before, "run", *words], input=stdin, capture_output=True, timeout=TIMEOUT)
    if check is not None:
        assert done.returncode == check, done.stderr.decode()
    return done


def host(*words, options=(), **more):
    return run(*options, "host", "--", *words, **more)


def our_processes():
    """Return the pids of sentries and gofers of this test's process tree."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"sentry.boot.main" in line or b"gofer/__main__.py" in line:
                found.append(int(entry.name))
    return set(found)


@pytest.fixture
def no_leftovers():
    """Fails the test if sentries or gofers that it started are still there shortly after it."""
    before = our_processes()
    yield
    deadline = time.monotonic() + 30
    while (left := mine(our_processes() - before)) and time.monotonic() < deadline:
        select.select([], [], [], 0.05)
    assert not left


def mine(pids):
    """Those of ``pids`` that are this session's: sentries by a mark in their environment, gofers by their parent."""
    found = set()
    for pid in pids:
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            is_gofer = b"gofer/__main__" in Path(f"/proc/{pid}/cmdline").read_bytes()
            if (is_gofer and parent(pid) in {1, os.getpid()}) or f"SANDBOXCTL_TEST_MARK={os.getpid()}".encode() in variables:
                found.add(pid)
        except OSError:
            continue
    return found


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(autouse=True)
def mark(monkeypatch):
    monkeypatch.setenv("SANDBOXCTL_TEST_MARK", str(os.getpid()))


def test_only_the_programs_output(no_leftovers):
    done = host("echo", "one  two", check=0)
    assert (done.stdout, done.stderr) == (b"one  two\n", b"")


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_exit_status_is_the_programs(code):
    host("sh", "-c", f"exit {code}", check=code)


def test_death_by_signal_is_128_plus_n():
    host("sh", "-c", "sh -c 'kill -9 $$'; exit $?", check=137)


def test_not_found_and_not_executable():
    missing = host("no-such-program", check=127)
    assert missing.stderr.count(b"\n") == 1
    assert b"no-such-program" in missing.stderr
    assert host("/etc/passwd", check=126).stderr.count(b"\n") == 1
    assert host("/etc", check=126).stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nope", "--", "true"], b"unknown image 'nope'"),
        (["host"], b"no command given"),
        ([], b"no image given"),
        (["-v", "/nonexistent:/x", "host", "true"], b"/nonexistent"),
        (["-m", "lots", "host", "true"], b"--memory"),
        (["--privileged", "host", "true"], b"refused"),
        (["--device", "/dev/kvm", "host", "true"], b"refused"),
        (["--network", "host", "host", "true"], b"refused"),
        (["--frobnicate", "host", "true"], b"--frobnicate"),
        (["--require", "magic", "host", "true"], b"--require"),
        (["--log-file", "/nonexistent/x", "host", "true"], b"--log-file"),
        (["-it", "host", "true"], b"not a terminal"),
    ],
)
def test_bad_input_is_one_line_and_125(no_leftovers, words, text):
    done = run(*words, check=125)
    assert text in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_standard_input_only_with_i():
    assert host("cat", stdin=b"data", check=0).stdout == b""
    assert host("cat", options=["-i"], stdin=b"data", check=0).stdout == b"data"


def test_much_data_both_ways():
    data = os.urandom(3 << 20)
    assert host("cat", options=["-i"], stdin=data, check=0).stdout == data


def test_streams_stay_apart():
    done = host("sh", "-c", "echo out; echo err >&2", check=0)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_environment(tmp_path):
    file = tmp_path / "env"
    file.write_text("FROM_FILE=1\nA=file\n")
    done = host("env", options=["--env-file", str(file), "-e", "A=b c", "-e", "SANDBOXCTL_TEST_MARK"], check=0)
    names = {line.partition("=")[0] for line in done.stdout.decode().splitlines()}
    assert names == {"PATH", "HOME", "TERM", "LANG", "A", "FROM_FILE", "SANDBOXCTL_TEST_MARK"}
    assert b"A=b c\n" in done.stdout


def test_identity_workdir_hostname():
    done = host(
        "sh",
        "-c",
        "id -u; id -g; pwd; hostname || uname -n",
        options=["-u", "1234:5678", "-w", "/new/place", "-h", "box"],
        check=0,
    )
    assert done.stdout.split() == [b"1234", b"5678", b"/new/place", b"box"]


def test_default_identity_is_the_callers():
    assert host("id", "-u", check=0).stdout.strip() == str(os.geteuid()).encode()


def test_volumes(tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in").write_text("from the host\n")
    done = host("sh", "-c", "cat /data/in; echo new > /data/out", options=["-v", f"{tmp_path}:/data"], check=0)
    assert done.stdout == b"from the host\n"
    assert (tmp_path / "out").read_text() == "new\n"
    done = host("sh", "-c", "echo no > /data/no", options=["-v", f"{tmp_path}:/data:ro"])
    assert done.returncode != 0
    assert b"Read-only file system" in done.stderr
    assert not (tmp_path / "no").exists()


def test_a_place_where_nothing_can_be_mounted_is_named(tmp_path):
    done = host("true", options=["-v", f"{tmp_path}:/etc/passwd/below"], check=125)
    assert done.stderr == (
        b"sandboxctl: cannot mount at '/etc/passwd/below' in the image: ENOTDIR; choose another destination\n"
    )


def test_file_volume(tmp_path):
    file = tmp_path / "one"
    file.write_text("content\n")
    assert host("cat", "/etc/one", options=["-v", f"{file}:/etc/one:ro"], check=0).stdout == b"content\n"


def test_changes_stay_inside():
    done = host("sh", "-c", "echo x > /usr/new && cat /usr/new && rm /etc/hostname && ls /etc/hostname", options=["-u", "0:0"])
    if os.geteuid() == 0:
        assert done.stdout == b"x\n"
    assert not Path("/usr/new").exists()


def test_tmpfs_and_read_only():
    options = ["--read-only", "--tmpfs", "/scratch:size=1m"]
    done = host("sh", "-c", "echo a > /scratch/a && cat /scratch/a; echo b > /tmp/b", options=options)
    assert done.stdout == b"a\n"
    assert b"Read-only file system" in done.stderr
    done = host("sh", "-c", "head -c 2000000 /dev/zero > /scratch/big", options=options)
    assert b"No space left" in done.stderr


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_overlay_is_bounded_and_leaves_nothing(tmp_path, place):
    tmp_path.chmod(0o777)
    name = "memory" if place == "memory" else str(tmp_path)
    script = "head -c 600000 /dev/zero > /tmp/one && wc -c < /tmp/one && head -c 600000 /dev/zero > /tmp/two"
    done = host("sh", "-c", script, options=["--overlay", f"{name},size=1m"])
    assert done.stdout == b"600000\n"
    assert b"No space left" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_write_through_only_with_rw(tmp_path):
    tmp_path.chmod(0o755)
    for folder in ("bin", "tmp"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder).chmod(0o777)
    busybox = Path("/bin/busybox")
    if not busybox.exists():
        pytest.skip("busybox-static is not installed")
    (tmp_path / "bin/busybox").write_bytes(busybox.read_bytes())
    (tmp_path / "bin/busybox").chmod(0o755)
    script = ["/bin/busybox", "sh", "-c", "echo x > /tmp/file"]
    run(f"dir:{tmp_path}", "--", *script, check=0)
    assert not (tmp_path / "tmp/file").exists()
    run("--rw", f"dir:{tmp_path}", "--", *script, check=0)
    assert (tmp_path / "tmp/file").read_text() == "x\n"


@pytest.mark.skipif("SANDBOXCTL_DISABLE" in os.environ, reason="without a pid namespace guests see the host's numbers")
@pytest.mark.parametrize("options", [[], ["--read-only"]])
def test_init_is_pid_1_and_reaps(options):
    script = (
        "echo $$ $PPID; cat /proc/1/comm; (sh -c 'sleep 0.1 & exit 0'); sleep 0.3; grep -l zombie /proc/[0-9]*/status; exit 7"
    )
    done = host("sh", "-c", script, options=["--init", *options], check=7)
    first, name = done.stdout.splitlines()
    assert first.split()[1] == b"1"
    assert name == b".init"
    host("no-such-program", options=["--init"], check=127)


def test_entrypoint():
    assert run("--entrypoint", "/bin/echo", "host", "a", "b", check=0).stdout == b"a b\n"


def test_timeout(no_leftovers):
    done = host("sleep", "20", options=["--timeout", "300ms"], check=137)
    assert done.stderr.count(b"\n") == 1
    assert b"--timeout" in done.stderr


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_sandbox(no_leftovers, signo):
    process = subprocess.Popen([*COMMAND, "run", "host", "--", "sh", "-c", "echo ready; sleep 20"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signo)
    assert process.wait(TIMEOUT) == 128 + signo
    process.stdout.close()


def test_a_handler_of_the_program_decides():
    script = "trap 'echo stopping; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen([*COMMAND, "run", "host", "--", "sh", "-c", script], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b"stopping\n"
    assert process.wait(TIMEOUT) == 3
    process.stdout.close()


@pytest.mark.security
@pytest.mark.parametrize("victim", ["sentry.boot.main", "gofer/__main__.py", "caller"])
def test_everything_dies_together(no_leftovers, victim):
    process = subprocess.Popen(
        [*COMMAND, "run", "host", "--", "sh", "-c", "echo ready; sleep 20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    if victim == "caller":
        process.kill()
        assert process.wait(TIMEOUT) == -9
    else:
        for pid in our_processes():
            if parent(pid) == process.pid and victim in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        assert process.wait(TIMEOUT) == 125
        assert process.stderr.read().count(b"\n") >= 1
    process.stdout.close()
    process.stderr.close()


class Screen:
    """A terminal with ``sandboxctl run -it`` on it."""

    def __init__(self, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(COMMAND[0], [*COMMAND, "run", "-it", "host", "--", *words])
        self.seen = b""

    def send(self, data):
        os.write(self.fd, data)

    def expect(self, text):
        deadline = time.monotonic() + TIMEOUT
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{text!r} is not in {self.seen!r}"
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            assert data, f"{text!r} is not in {self.seen!r}"
            self.seen += data
        self.seen = self.seen.partition(text)[2]

    def end(self):
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


def test_terminal(no_leftovers):
    screen = Screen("sh", "-c", "stty size; tty; read line; echo got:$line; sleep 20; exit 9")
    screen.expect(b"/dev/pts/0")
    screen.send(b"hello\n")
    screen.expect(b"got:hello")
    screen.send(b"\x03")
    assert screen.end() == 130


def test_terminal_size_follows(no_leftovers):
    import fcntl
    import struct
    import termios

    screen = Screen("sh", "-c", "trap 'stty size' WINCH; echo ready; read a; read b; exit 4")
    screen.expect(b"ready")
    fcntl.ioctl(screen.fd, termios.TIOCSWINSZ, struct.pack("4H", 33, 99, 0, 0))
    os.kill(screen.pid, signal.SIGWINCH)
    screen.send(b"\n")
    screen.expect(b"33 99")
    screen.send(b"\n\n")
    assert screen.end() == 4


def test_strace_goes_to_the_log_file(tmp_path):
    log = tmp_path / "log"
    done = host("true", options=["--strace", "--log-file", str(log)], check=0)
    assert done.stderr == b""
    assert "execve" in log.read_text()


def test_the_documented_example():
    from sandboxctl import Sandbox

    with Sandbox("host", memory="512m") as sandbox:
        result = sandbox.run(["python3", "-c", "print(6 * 7)"], timeout=TIMEOUT)
        assert result.stdout.strip() == b"42"


def test_many_commands_in_one_sandbox_share_files():
    from sandboxctl import Sandbox

    with Sandbox() as sandbox:
        sandbox.run(["sh", "-c", "echo kept > /tmp/kept"], timeout=TIMEOUT)
        assert sandbox.run(["cat", "/tmp/kept"], timeout=TIMEOUT).stdout == b"kept\n"
        assert sandbox.run(["cat"], input=b"in", timeout=TIMEOUT).stdout == b"in"
        assert sandbox.run(["sleep", "20"], timeout=0.2).timed_out


def test_streaming_process():
    from sandboxctl import Sandbox

    with Sandbox() as sandbox, sandbox.start(["cat"], pipes=(0, 1)) as process:
        process.stdin.write(b"one\n")
        assert process.stdout.read(4) == b"one\n"
        process.stdin.close()
        assert process.wait(TIMEOUT) == 0


def test_more_descriptors_on_request():
    done = host("sh", "-c", "ulimit -n; ulimit -Hn", options=("--ulimit", "nofile=2048"), check=0)
    assert done.stdout == b"2048\n2048\n"


def test_descriptors_as_linux_gives_them_to_init_where_the_host_has_as_many():
    most = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 16)
    last = most - 1
    script = f"ulimit -n; ulimit -Hn; ulimit -Sn {most}; exec {last}</dev/null; echo open"
    assert host("bash", "-c", script, check=0).stdout == b"%d\n%d\nopen\n" % (min(1024, most), most)


@pytest.mark.parametrize("hard", [512, 2000])
def test_descriptors_where_the_host_has_few(hard):
    """Ours are the host's without what the stub takes."""
    start = ["prlimit", f"--nofile={hard}:{hard}", sys.executable, "-m", "sandboxctl", "run", "host", "--"]
    done = subprocess.run([*start, "sh", "-c", "ulimit -Sn; ulimit -Hn"], capture_output=True, check=True, timeout=TIMEOUT)
    assert done.stdout.split() == [b"%d" % min(1024, hard - 16), b"%d" % (hard - 16)]


def test_too_many_descriptors_name_the_limit():
    assert b"nofile can be at most" in host("true", options=("--ulimit", "nofile=99999999"), check=125).stderr


def test_a_working_directory_that_is_none_is_named():
    assert b"-w /etc/passwd: ENOTDIR" in host("true", options=("-w", "/etc/passwd"), check=125).stderr
