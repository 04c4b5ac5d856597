"""The Python API against a sentry that only speaks the protocol."""

import os
import threading
from pathlib import Path

import pytest

from sandboxctl import OptionError, Sandbox, SandboxDied, SandboxError, session


def test_output_and_exit_code(fake_parts):
    with Sandbox() as sandbox:
        assert sandbox.info["platform"] == "fake"
        result = sandbox.run(["echo", "a", "b"])
        assert (result.exit_code, result.stdout, result.stderr, result.timed_out) == (0, b"a b\n", b"", False)
        assert sandbox.run(["exit", "3"]).exit_code == 3
    assert all(gofer.is_stopped for gofer in fake_parts)


def test_input_larger_than_a_pipe(fake_parts):
    data = bytes(range(256)) * 4096
    with Sandbox() as sandbox:
        assert sandbox.run(["cat"], input=data).stdout == data


def test_empty_input(fake_parts):
    with Sandbox() as sandbox:
        assert sandbox.run(["cat"], input=b"").stdout == b""


def test_output_limit(fake_parts):
    with Sandbox() as sandbox:
        result = sandbox.run(["cat"], input=b"x" * 200_000, output_limit=1000)
    assert result.stdout == b"x" * 1000
    assert result.truncated


def test_timeout_kills_the_command(fake_parts):
    with Sandbox() as sandbox:
        result = sandbox.run(["hang"], timeout=0.05)
        assert result.timed_out
        assert result.exit_code == 137
        assert sandbox.run(["exit", "0"]).exit_code == 0


def test_missing_program(fake_parts):
    with Sandbox() as sandbox:
        result = sandbox.run(["missing"])
    assert result.exit_code == 127
    assert b"not found" in result.stderr


def test_environment_is_ours_plus_what_was_given(fake_parts):
    with Sandbox() as sandbox:
        lines = sandbox.run(["env"], env={"A": "1"}).stdout.decode().split("\n")
    assert {line.partition("=")[0] for line in lines} == {"PATH", "HOME", "TERM", "LANG", "A"}


@pytest.mark.parametrize("word", ["die", "nonsense"])
def test_every_wait_ends_when_the_sentry_dies(fake_parts, word):
    with Sandbox() as sandbox:
        with pytest.raises(SandboxDied):
            sandbox.run([word])
        with pytest.raises(SandboxDied):
            sandbox.run(["echo"])


def test_failure_at_start_is_the_sentrys_own_line(fake_parts):
    with pytest.raises(SandboxError, match="the jail cannot be made"):
        Sandbox(hostname="broken")
    assert all(gofer.is_stopped for gofer in fake_parts)


def test_streaming(fake_parts):
    with Sandbox() as sandbox, sandbox.start(["cat"], pipes=(0, 1)) as process:
        assert process.poll() is None
        process.stdin.write(b"one")
        assert process.stdout.read(3) == b"one"
        process.stdin.close()
        assert process.wait() == 0


def test_kill(fake_parts):
    with Sandbox() as sandbox, sandbox.start(["hang"], pipes=()) as process:
        assert process.wait(0.01) is None
        process.kill()
        assert process.wait() == 137


def test_closed_sandbox_says_so(fake_parts):
    sandbox = Sandbox()
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxDied, match="closed"):
        sandbox.run(["echo"])


def own_children():
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_nothing_stays_behind(fake_parts):
    before, threads, children = sorted(os.listdir("/proc/self/fd")), threading.active_count(), own_children()
    with Sandbox() as sandbox:
        sandbox.run(["echo"])
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() == threads
    assert own_children() <= children


@pytest.mark.parametrize(
    ("image", "options"),
    [("nope", {}), ("host", {"memory": "much"}), ("host", {"frobnicate": 1}), ("host", {"volumes": ["/nonexistent:/x"]})],
)
def test_bad_options_start_nothing(fake_parts, image, options):
    with pytest.raises(OptionError):
        Sandbox(image, **options)
    assert not fake_parts


def test_command_must_be_a_list(fake_parts):
    with Sandbox() as sandbox, pytest.raises(OptionError, match="list of words"):
        sandbox.run("ls -l")


def test_a_sentry_that_never_answers(fake_parts, monkeypatch):
    monkeypatch.setattr(session, "START_PATIENCE", 0.2)
    with pytest.raises(SandboxError, match="did not start"):
        Sandbox(hostname="silent")
    assert all(gofer.is_stopped for gofer in fake_parts)
