"""The OCI runtime as an engine calls it: create and start of a container, state, delete; the first column is runc's."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import BenchmarkError, Row

_ROUNDS = 8
_KINDS = ("pid", "network", "ipc", "uts", "mount")


def oci(platform: str | None) -> Iterator[Row]:
    """The shortest of several rounds, in which the two runtimes take turns."""
    if shutil.which("busybox") is None:
        raise BenchmarkError("oci: needs busybox")
    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle(Path(folder), platform)
        ours = [sys.executable, "-m", "sandboxctl.oci", "--root", f"{folder}/ours"]
        runc = shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
        runtimes = {"ours": ours}
        if runc is not None and os.geteuid() == 0:
            runtimes["runc"] = [runc, "--root", f"{folder}/runc"]
        best: dict[tuple[str, str], float] = {}
        for number in range(_ROUNDS):
            for name, command in runtimes.items():
                for verb, took in _life(command, bundle, f"bench-{os.getpid()}-{number}"):
                    best[name, verb] = min(took, best.get((name, verb), took))
    for verb in ("create and start", "state", "delete"):
        theirs = best.get(("runc", verb))
        native = None if theirs is None else theirs * 1000
        yield Row("oci", f"{verb} (ms)", "ms", best["ours", verb] * 1000, native, note="" if native is None else "to runc")


def _bundle(folder: Path, platform: str | None) -> Path:
    (folder / "rootfs/bin").mkdir(parents=True)
    shutil.copy(str(shutil.which("busybox")), folder / "rootfs/bin/sleep")
    for name in ("proc", "dev", "sys"):
        (folder / "rootfs" / name).mkdir()
    spec = {
        "ociVersion": "1.0.2",
        "process": {"args": ["/bin/sleep", "1000"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
        "root": {"path": "rootfs"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": [{"type": kind} for kind in _KINDS]},
        "annotations": {"dev.sandboxctl.platform": platform} if platform else {},
    }
    (folder / "config.json").write_text(json.dumps(spec))
    return folder


def _life(command: list[str], bundle: Path, ident: str) -> Iterator[tuple[str, float]]:
    def call(*words: str) -> None:
        """Its streams are no pipes: the container keeps them open."""
        null = subprocess.DEVNULL
        done = subprocess.run([*command, *words], cwd=bundle, stdin=null, stdout=null, stderr=null, timeout=60, check=False)
        if done.returncode:
            raise BenchmarkError(f"oci: {words[0]} failed with {done.returncode}")

    def begin() -> None:
        call("create", "--bundle", str(bundle), ident)
        call("start", ident)

    try:
        yield "create and start", _took(begin)
        yield "state", _took(lambda: call("state", ident))
    finally:
        took = _took(lambda: call("delete", "--force", ident))
    yield "delete", took


def _took(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
