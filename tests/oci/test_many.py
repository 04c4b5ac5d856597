"""Many containers at once, and the death of any process of a container."""

import os
import select
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

COUNT = 50 if os.environ.get("SANDBOXCTL_ENGINES") else 6


@pytest.mark.timeout(600)
def test_many_live_and_die_at_once(oci):
    folder = oci.bundle(["/bin/sleep", "1000"])

    def call(number, *words):
        with open(oci.folder / f"output{number}", "w+b") as output:
            command = [oci.path, "--root", str(oci.folder / "state"), *words]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=300, check=False)
            output.seek(0)
            return SimpleNamespace(status=done.returncode, text=output.read().decode())

    def live(number):
        name = f"many{number}"
        life = ("create", "--bundle", str(folder), name), ("start", name), ("kill", name, "KILL"), ("delete", "--force", name)
        for words in life:
            done = call(number, *words)
            assert done.status == 0, done.text

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(live, range(COUNT)))
    assert oci.call("list", "-q").stdout == ""


@pytest.mark.parametrize("which", ["keeper", "sentry", "gofer", "spawner", "guest"])
def test_the_state_is_right_after_any_death(oci, which):
    keeper = oci.create("c1", ["/bin/sleep", "1000"])
    oci.call("start", "c1")
    with open(f"/proc/{keeper}/task/{keeper}/children") as file:
        sentry, gofer, *_ = [int(word) for word in file.read().split()]
    with open(f"/proc/{sentry}/task/{sentry}/children") as file:
        spawner = int(file.read().split()[0])
    guest = int(oci.call("ps", "--format", "json", "c1").stdout.strip("[]\n"))
    numbers = {"keeper": keeper, "sentry": sentry, "gofer": gofer, "spawner": spawner, "guest": guest}
    everybody = [os.pidfd_open(pid) for pid in numbers.values()]
    os.kill(numbers[which], signal.SIGKILL)
    assert oci.wait("c1")["pid"] == 0
    for pidfd in everybody:
        gone(pidfd)
    oci.call("delete", "c1")
    assert oci.call("list", "-q").stdout == ""


def gone(pidfd):
    """Wait until the process is dead."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(60_000)
    os.close(pidfd)
