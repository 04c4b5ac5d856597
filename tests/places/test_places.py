"""Places that hosts and containers are: a program runs in each of them, or one line says what is missing and how to get it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.places.table import FOLDER, REFUSED, USER, WORKING

pytestmark = [pytest.mark.security, pytest.mark.slow]

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"
_PROGRAM = (
    "echo hi | cat; echo x >/tmp/f && cat /tmp/f; "
    'python3 -c "import threading; t = threading.Thread(target=print, args=(42,)); t.start(); t.join()"; '
    "(exit 3); echo $?; exit 5"
)
#: `make test-places` looks at each place with the doctor as well; here only at those whose answer differs from most
_IS_TIER = os.environ.get("SANDBOXCTL_TIER") == "places"
_SAMPLE = ("no-user-namespaces", "another-listener", "docker-20.10", "kubernetes-pod", "yama-2", "no-add-fd")


@pytest.fixture(autouse=True, scope="module")
def _needs() -> Iterator[None]:
    if os.getuid() != 0:
        pytest.skip("places are built by root; tests/security/test_ordinary_user.py and the rest run as this user")
    if shutil.which("mount") is None:
        pytest.skip("mount(8) is not installed")
    reads = ["setpriv", "--reuid", str(USER), "--clear-groups", "test", "-r", str(_HERE / "under.py")]
    probe = subprocess.run(reads, capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"an ordinary user cannot read {_ROOT}")
    os.mkdir(FOLDER)
    os.chmod(FOLDER, 0o1777)
    yield
    shutil.rmtree(FOLDER)


def _run(place: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    if "tmpdir" in place:
        environment["TMPDIR"] = place["tmpdir"]
    command = [sys.executable, str(_HERE / "under.py"), json.dumps(place), _SANDBOXCTL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd="/")


def _doctor(place: dict[str, Any]) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, Any]]]:
    found = json.loads(_run(place, "doctor", "--format", "json").stdout)
    return {check["name"]: check for check in found["checks"]}, {platform["name"]: platform for platform in found["platforms"]}


@pytest.mark.parametrize("name", list(WORKING))
def test_a_program_runs(name: str) -> None:
    done = _run(WORKING[name].build, "run", "host", "--", "sh", "-c", _PROGRAM)
    assert (done.stdout.split(), done.stderr, done.returncode) == (["hi", "x", "42", "3"], "", 5)


@pytest.mark.parametrize("name", list(WORKING) if _IS_TIER else _SAMPLE)
def test_the_doctor_says_what_the_place_is(name: str) -> None:
    place = WORKING[name]
    checks, platforms = _doctor(place.build)
    assert {check["name"] for check in checks.values() if check["verdict"] == "broken"} == set()
    assert (platforms["notify"]["error"] == "") is (place.platform == "notify"), platforms["notify"]["error"]
    used = platforms[place.platform]
    assert used["error"] == ""
    assert place.has <= set(used["layers"])
    assert not place.lacks & set(used["layers"])
    for check, words in place.says.items():
        assert words in checks[check]["text"]
        assert checks[check]["verdict"] == "ok" or checks[check]["remedy"]


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_missing_is_named_with_the_remedy(name: str) -> None:
    place, text = REFUSED[name]
    done = _run(place, "run", "host", "--", "true")
    assert done.returncode == 125
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    checks, _ = _doctor(place)
    broken = [check for check in checks.values() if check["verdict"] == "broken"]
    assert broken
    assert all(check["remedy"] for check in broken)


def test_notify_where_another_listens_is_refused_and_explained() -> None:
    done = _run({"listener": True}, "--platform", "notify", "run", "host", "--", "true")
    assert done.returncode == 125
    assert "another program listens to seccomp notifications here already" in done.stderr
    assert "use --platform ptrace" in done.stderr


def test_a_sandbox_in_a_sandbox_is_refused_with_one_line() -> None:
    inner = [_SANDBOXCTL, "run", "host", "--", "true"]
    done = _run({}, "run", "-v", f"{_ROOT}:{_ROOT}:ro", "host", "--", *inner)
    assert done.returncode == 125
    assert done.stderr == (
        "sandboxctl: processes cannot be traced here (Operation not permitted): start sandboxctl outside of the other sandbox, "
        "or allow ptrace in the seccomp profile around this process\n"
    )
