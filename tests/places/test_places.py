"""Places that hosts and containers are: a program runs in each of them, or one line says what is missing and how to get it."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.security, pytest.mark.slow]

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"
_PROGRAM = (
    "echo hi | cat; echo x >/tmp/f && cat /tmp/f; "
    'python3 -c "import threading; t = threading.Thread(target=print, args=(42,)); t.start(); t.join()"; '
    "(exit 3); echo $?; exit 5"
)
_USER = 10001
_CLONE_NAMESPACES = (0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x04000000, 0x08000000, 0x02000000)
#: what docker's default profile refuses without capabilities (moby, profiles/seccomp/default.json of 20.10 and of 28): its EPERM
_DOCKER_REFUSES = (
    "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "delete_module", "fanotify_init", "finit_module", "fsconfig",
    "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl", "kcmp", "kexec_load", "keyctl", "mbind", "mount",
    "mount_setattr", "move_mount", "move_pages", "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd",
    "pivot_root", "process_madvise", "quotactl", "reboot", "request_key", "set_mempolicy", "setns", "settimeofday",
    "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
)  # fmt: skip


def _docker(*more: str) -> dict[str, Any]:
    rules = dict.fromkeys([*_DOCKER_REFUSES, *more], errno.EPERM)
    return {
        "errno": {**rules, "clone3": errno.ENOSYS},
        "masked": [["clone", 0, flag, flag, errno.EPERM] for flag in _CLONE_NAMESPACES],
    }


def _without(*calls: str) -> dict[str, Any]:
    return {"errno": dict.fromkeys(calls, errno.ENOSYS)}


#: the one folder that can be written in a place, made by a fixture
_FOLDER = f"/tmp/sandboxctl-place-{os.getpid()}"
_READ_ONLY = f"mount --bind {_FOLDER} {_FOLDER}; mount -o remount,ro,bind /; mount -t tmpfs -o size=64m tmpfs /dev/shm"

WORKING: dict[str, dict[str, Any]] = {
    "root": {},
    "user": {"uid": _USER},
    "another-listener": {"listener": True},
    "another-listener-user": {"listener": True, "uid": _USER},
    "listener-refused": {"masked": [["seccomp", 1, 8, 8, errno.EPERM]]},
    "docker-20.10": _docker(),
    "docker-28": _docker("io_uring_setup", "io_uring_enter", "io_uring_register"),
    "docker-user": {**_docker(), "uid": _USER},
    "kubernetes-pod": {**_docker(), "uid": _USER, "script": _READ_ONLY, "tmpdir": _FOLDER},
    "nofile-1024": {"uid": _USER, "nofile": 1024},
    "nofile-4096": {"uid": _USER, "nofile": 4096},
    "noexec-tmp": {
        "script": f"for f in /dev/shm {_FOLDER}; do mount -t tmpfs -o noexec,mode=1777 tmpfs $f; done",
        "tmpdir": _FOLDER,
    },
    "no-openat2": _without("openat2"),
    "no-pidfd": _without("pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    "no-landlock": _without("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"),
    "no-clone3": _without("clone3"),
    "no-newer-calls": _without("close_range", "membarrier", "copy_file_range", "faccessat2", "futex_waitv", "rseq"),
}
REFUSED = {
    "no-process-vm": (_without("process_vm_readv"), "forbids process_vm_readv: allow it in the seccomp profile"),
    "no-process-vm-write": (_without("process_vm_writev"), "forbids process_vm_writev: allow it in the seccomp profile"),
    "no-memfd": (_without("memfd_create"), "forbids memfd_create: allow it in the seccomp profile"),
    "no-statx": (_without("statx"), "forbids statx: allow it in the seccomp profile"),
    "no-proc": ({"script": "umount -l /proc"}, "no proc file system is mounted at /proc: mount -t proc proc /proc"),
}


@pytest.fixture(autouse=True, scope="module")
def _needs() -> Iterator[None]:
    if os.getuid() != 0:
        pytest.skip("places are built by root; tests/security/test_ordinary_user.py and the rest run as this user")
    if shutil.which("mount") is None:
        pytest.skip("mount(8) is not installed")
    reads = ["setpriv", "--reuid", str(_USER), "--clear-groups", "test", "-r", str(_HERE / "under.py")]
    probe = subprocess.run(reads, capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"an ordinary user cannot read {_ROOT}")
    os.mkdir(_FOLDER)
    os.chmod(_FOLDER, 0o1777)
    yield
    shutil.rmtree(_FOLDER)


def _run(place: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    if "tmpdir" in place:
        environment["TMPDIR"] = place["tmpdir"]
    command = [sys.executable, str(_HERE / "under.py"), json.dumps(place), _SANDBOXCTL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd="/")


@pytest.mark.parametrize("name", list(WORKING))
def test_a_program_runs(name: str) -> None:
    done = _run(WORKING[name], "run", "host", "--", "sh", "-c", _PROGRAM)
    assert (done.stdout.split(), done.stderr, done.returncode) == (["hi", "x", "42", "3"], "", 5)


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_missing_is_named_with_the_remedy(name: str) -> None:
    place, text = REFUSED[name]
    done = _run(place, "run", "host", "--", "true")
    assert done.returncode == 125
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    verdicts = {check["name"]: check for check in json.loads(_run(place, "doctor", "--format", "json").stdout)["checks"]}
    assert "broken" in (verdicts["host calls"]["verdict"], verdicts["/proc"]["verdict"])


def test_notify_where_another_listens_is_refused_and_explained() -> None:
    done = _run({"listener": True}, "--platform", "notify", "run", "host", "--", "true")
    assert done.returncode == 125
    assert "another program listens to seccomp notifications here already" in done.stderr
    assert "use --platform ptrace" in done.stderr
    checks = json.loads(_run({"listener": True}, "doctor", "--format", "json").stdout)["checks"]
    (found,) = [check for check in checks if check["name"] == "seccomp notification"]
    assert found["verdict"] == "weaker"
    assert "ptrace is used" in found["text"]


def test_a_sandbox_in_a_sandbox_is_refused_with_one_line() -> None:
    inner = [_SANDBOXCTL, "run", "host", "--", "true"]
    done = _run({}, "run", "-v", f"{_ROOT}:{_ROOT}:ro", "host", "--", *inner)
    assert done.returncode == 125
    assert done.stderr == (
        "sandboxctl: processes cannot be traced here (Operation not permitted): start sandboxctl outside of the other sandbox, "
        "or allow ptrace in the seccomp profile around this process\n"
    )
