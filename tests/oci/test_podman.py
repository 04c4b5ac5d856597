"""Debian's podman with our runtime."""

from .conftest import LIMITS


def test_run_gives_output_and_status(podman, rootfs):
    done = podman("run", "--rm", *LIMITS, "--rootfs", rootfs, "/bin/sh", "-c", "echo hi; echo err >&2; exit 7", status=7)
    assert (done.stdout, done.stderr) == ("hi\n", "err\n")
    assert podman("run", "--rm", "-i", *LIMITS, "--rootfs", rootfs, "cat", input="data").stdout == "data"
    podman("run", "--rm", *LIMITS, "--rootfs", rootfs, "no-such-program", status=127)
    podman("run", "--rm", *LIMITS, "--rootfs", rootfs, "/etc/passwd", status=126)


def test_a_container_from_start_to_removal(podman, rootfs):
    program = "trap 'exit 5' TERM; echo start; while :; do sleep 0.1; done"
    podman("run", "-d", "--name", "c1", *LIMITS, "--rootfs", rootfs, "/bin/sh", "-c", program)
    assert podman("exec", "c1", "echo", "inside").stdout == "inside\n"
    podman("exec", "c1", "/bin/sh", "-c", "exit 9", status=9)
    podman("exec", "c1", "no-such-program", status=127)
    assert podman("inspect", "c1", "--format", "{{.State.Status}}").stdout == "running\n"
    while podman("logs", "c1").stdout != "start\n":
        pass
    podman("stop", "--time", "10", "c1")
    assert podman("inspect", "c1", "--format", "{{.State.ExitCode}}").stdout == "5\n"
    podman("start", "c1")
    podman("kill", "c1")
    assert podman("wait", "c1").stdout == "137\n"


def test_options_of_run(podman, rootfs, tmp_path):
    (tmp_path / "volume").mkdir(mode=0o755)
    (tmp_path / "volume/file").write_text("shared\n")
    program = "id -u; echo $A; cat file; touch /x && echo bad; echo tmp >/t/y; cat /t/y; pwd"
    words = ("--read-only", "-v", f"{tmp_path}/volume:/v", "--tmpfs", "/t", "-u", "7:8", "-e", "A=b", "-w", "/v", "-m", "64m")
    done = podman("run", "--rm", *LIMITS, *words, "--rootfs", rootfs, "/bin/sh", "-c", program)
    assert done.stdout == "7\nb\nshared\ntmp\n/v\n"


def test_seccomp_profiles(podman, rootfs, tmp_path):
    """podman's own, none, and one from a file."""
    (tmp_path / "profile.json").write_text(
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}'
    )
    status = "while read name value; do [ $name = Seccomp: ] && echo $value; done </proc/self/status"
    (rootfs / "s").write_text(f"{status}; busybox mkdir /tmp/$1")
    command = ("--rootfs", rootfs, "/bin/sh", "/s")
    assert podman("run", "--rm", *LIMITS, *command, "a").stdout == "2\n"
    assert podman("run", "--rm", *LIMITS, "--security-opt", "seccomp=unconfined", *command, "b").stdout == "0\n"
    own = podman("run", "--rm", *LIMITS, "--security-opt", f"seccomp={tmp_path}/profile.json", *command, "c", status=1)
    assert "No space left on device" in own.stderr
