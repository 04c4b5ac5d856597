"""What people do with podman beyond run, exec and logs: pause, stats, update, terminals, builds, and many at once."""

import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import LIMITS

pytestmark = [
    pytest.mark.skipif(not os.environ.get("SANDBOXCTL_ENGINES"), reason="the whole set of an engine: make test-engines"),
    pytest.mark.timeout(900),
]
COUNTER = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"
TIME_MAX = 120


def until(is_true):
    deadline = time.monotonic() + TIME_MAX
    while not is_true():
        assert time.monotonic() < deadline


def test_pause_stats_and_update(podman, rootfs):
    podman("run", "-d", "--name", "c1", "-m", "128m", *LIMITS, "--rootfs", rootfs, "/bin/sh", "-c", COUNTER)
    until(lambda: podman("logs", "c1").stdout)
    podman("pause", "c1")
    assert podman("ps", "--all", "--format", "{{.State}}").stdout.lower() == "paused\n"
    podman("logs", "c1")
    before = podman("logs", "c1").stdout
    podman("exec", "c1", "true", status=255)
    assert podman("logs", "c1").stdout == before
    podman("unpause", "c1")
    until(lambda: podman("logs", "c1").stdout != before)
    row = json.loads(podman("stats", "--no-stream", "--format", "json", "c1").stdout)[0]
    assert row["pids"] != "0"
    podman("update", "--memory", "64m", "--cpu-shares", "300", "c1")
    assert "sh" in podman("top", "c1", "comm").stdout  # podman reads the host's /proc itself: more than the container's
    podman("rm", "--force", "--time", "0", "c1")
    podman("inspect", "c1", status=125)


def test_a_terminal_of_run_and_of_exec(podman, rootfs):
    podman("run", "-d", "-t", "--name", "c1", *LIMITS, "--rootfs", rootfs, "/bin/sh", "-c", "echo started; sleep 1000")
    until(lambda: podman("logs", "c1").stdout.startswith("started"))
    words = " ".join(map(str, [*podman.command, "exec", "-it", "c1", "sh", "-c", "'echo is $0; exit 3'"]))
    screen = ["script", "-qec", words, "/dev/null"]
    done = subprocess.run(screen, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    assert (done.returncode, b"is sh\r\n" in done.stdout) == (3, True)


def test_an_init_reaps_and_is_the_first_process(podman, rootfs):
    tini = shutil.which("tini-static")
    if tini is None:
        pytest.skip("needs Debian's package tini")
    words = ("--init", "--init-path", tini, *LIMITS, "--rootfs", rootfs)
    assert podman("run", "--rm", *words, "/bin/sh", "-c", "cat /proc/1/comm; exit 4", status=4).stdout == "podman-init\n"


def test_a_build_runs_its_steps_in_our_runtime(podman, rootfs, tmp_path):
    (rootfs / "bin/uname").symlink_to("busybox")
    archive = tmp_path / "root.tar"
    subprocess.run(["tar", "-C", rootfs, "-cf", archive, "."], check=True)
    podman("import", archive, "bb:1")
    (tmp_path / "context").mkdir()
    steps = ["FROM localhost/bb:1", "RUN uname -r >/made", 'RUN ["/bin/sh", "-c", "echo two >>/made"]', 'CMD ["cat", "/made"]']
    (tmp_path / "context/Containerfile").write_text("\n".join(steps) + "\n")
    podman("build", *LIMITS, "-t", "built", tmp_path / "context")
    made = podman("run", "--rm", *LIMITS, "built").stdout
    assert made.endswith("-sandboxctl\ntwo\n")
    podman("rmi", "--all", "--force")


def test_fifty_at_once(podman, rootfs, runtime):
    names = [f"many{number}" for number in range(50)]

    def live(name):
        podman("run", "-d", "--name", name, *LIMITS, "--rootfs", rootfs, "/bin/sh", "-c", "exec sleep 1000")
        podman("rm", "--force", "--time", "0", name)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(live, names))
    assert podman("ps", "--all", "--quiet").stdout == ""
    assert subprocess.run(["pgrep", "-f", str(runtime)], capture_output=True, text=True, check=False).stdout == ""
