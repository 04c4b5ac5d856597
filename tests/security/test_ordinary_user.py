"""The same promises when an ordinary user starts the sandbox, and where that user may make no user namespace."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.security, pytest.mark.slow]

_USER = "12345"
_ROOT = Path(__file__).resolve().parents[2]
_AS_USER = ["setpriv", "--reuid", _USER, "--regid", _USER, "--clear-groups", "--inh-caps=-all", "--"]
#: the limit is set in a namespace of the test's own, so that nothing else on this machine notices
_NO_NAMESPACES = [
    *_AS_USER,
    *["unshare", "--user", f"--map-user={_USER}", f"--map-group={_USER}", "--keep-caps", "sh", "-c"],
    "echo 0 > /proc/sys/user/max_user_namespaces && ! unshare --user true 2>/dev/null && "
    'exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all -- "$@"',
    "sh",
]
_SETTINGS = {"ordinary-user": _AS_USER, "no-user-namespaces": _NO_NAMESPACES}


@pytest.fixture(params=list(_SETTINGS))
def prefix(request: pytest.FixtureRequest) -> list[str]:
    if os.getuid() != 0:
        pytest.skip("needs root to become another user; run by an ordinary user, the other tests check the same")
    missing = [name for name in ("setpriv", "unshare") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    probe = subprocess.run(
        [*_SETTINGS[request.param], "/bin/test", "-r", str(_ROOT / "pyproject.toml")], capture_output=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"an ordinary user cannot read {_ROOT} or the setting cannot be made: {probe.stderr.decode().strip()}")
    return _SETTINGS[request.param]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def test_a_program_runs(prefix: list[str]) -> None:
    command = [
        f"{Path(sys.executable).parent}/sandboxctl",
        "run",
        "host",
        "--",
        "/bin/sh",
        "-c",
        "id -u; ls /etc | grep -c passwd; echo x | cat; exit 3",
    ]
    done = subprocess.run(
        [*prefix, *command], capture_output=True, text=True, timeout=60, check=False, env=_environment(), cwd="/"
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines()[0] == _USER
    assert done.stdout.splitlines()[-1] == "x"


@pytest.mark.parametrize("tests", ["test_posture.py", "test_death.py", "test_hostile_guest.py", "test_secrets.py"])
@pytest.mark.timeout(240)
def test_the_same_promises(prefix: list[str], tests: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "notify or caller",
        f"tests/security/{tests}",
    ]
    scratch = Path("/tmp") / f"sandboxctl-test-{os.getpid()}"
    scratch.mkdir(exist_ok=True)
    scratch.chmod(0o777)
    try:
        done = subprocess.run(
            [*prefix, *command, f"--basetemp={scratch}/t"],
            capture_output=True,
            text=True,
            timeout=230,
            check=False,
            env=_environment(),
            cwd=_ROOT,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    assert done.returncode == 0, done.stdout[-6000:]
