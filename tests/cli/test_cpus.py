"""`--cpus`: a control group holds the guests to their share of processor time, or the sandbox does not start."""

import subprocess
import sys
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SANDBOXCTL, "run", *words], capture_output=True, text=True, timeout=120, check=False)


def test_the_share_is_shown_and_held() -> None:
    program = "import os,time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(sum(os.times()[:2]))"
    program = f"print(open('/sys/fs/cgroup/cpu.max').read())\n{program}"
    done = run("--cpus", "0.25", "host", "--", "/usr/bin/python3", "-c", program)
    if done.returncode == 125 and "--cpus needs a control group" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.stdout.split()[:2] == ["25000", "100000"]
    assert float(done.stdout.split()[2]) < 0.6


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e9"])
def test_a_bad_number(text: str) -> None:
    done = run("--cpus", text, "host", "--", "true")
    assert done.returncode == 125
    assert "--cpus" in done.stderr
    assert len(done.stderr.splitlines()) == 1
