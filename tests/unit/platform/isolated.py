"""Runs a scenario in a forked child that has given up root, since a platform owns its process's children and signals."""

import os
import pickle
import signal
import subprocess
import tempfile
import traceback
from pathlib import Path
from types import SimpleNamespace

HERE = Path(__file__).resolve().parent
NOBODY = 65534


def build_guest(directory):
    """Compile the guest program once; readable for everybody."""
    target = Path(directory) / "guest"
    subprocess.run(["gcc", "-O1", "-w", "-pthread", "-o", str(target), str(HERE / "guest.c")], check=True)
    target.chmod(0o755)
    return target


def public_directory():
    """A new directory that the unprivileged child can reach."""
    path = tempfile.mkdtemp(prefix="platform-", dir="/tmp")
    os.chmod(path, 0o755)
    return path


def read_before_drop():
    """Read what the clone holds while root can (it may lie where nobody else may enter), as ``prepare_privileged`` does."""
    from sentry.boot import late
    from sentry.platform._core import core
    from sentry.platform.filter import compose
    from sentry.platform.notify import platform, stub
    from sentry.platform.ptrace import platform as ptrace

    late.import_before_drop()
    core.load()
    for profile in compose.PROFILES:
        compose.preload(profile)
    content = core.stub_path().read_bytes()
    image = SimpleNamespace(read_bytes=lambda: content)
    stub.stub_path = lambda: image
    assert platform
    assert ptrace


def isolated(scenario, *arguments, disable="", seconds=60, as_root=False):
    """Return ``scenario(*arguments)``, run as an ordinary user in a process of its own. Its AssertionErrors are raised here.

    ``disable`` is ``[PLATFORM:]FEATURE,...``.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        signal.alarm(seconds)
        platform, _, features = disable.rpartition(":")
        os.environ["SANDBOXCTL_DISABLE"] = features
        os.environ["CONTRACT_PLATFORM"] = platform
        try:
            if os.geteuid() == 0 and not as_root:
                read_before_drop()
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            result = (True, scenario(*arguments))
        except BaseException:
            result = (False, traceback.format_exc())
        with os.fdopen(writer, "wb") as stream:
            stream.write(pickle.dumps(result))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    _, status = os.waitpid(pid, 0)
    assert data, f"the scenario died with status {status:#x}"
    is_good, value = pickle.loads(data)
    assert is_good, value
    return value
