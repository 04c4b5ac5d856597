# ruff: noqa: E501
"""What is measured: micro costs, the trap itself, the start, ordinary work, and an idle sandbox."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.measure import (
    ENVIRONMENT,
    BenchmarkError,
    Boxed,
    Native,
    Row,
    Target,
    both,
    compiled,
    cpu_seconds,
    pss_bytes,
    seconds,
)
from benchmarks.network import network
from benchmarks.oci import oci
from benchmarks.peers import peers
from benchmarks.strict import strict

_NS_PER_US = 1000.0


def micro(platform: str | None) -> Iterator[Row]:
    """The C program's rows."""
    program = str(compiled("micro.c"))

    def body(target: Target) -> dict[str, float]:
        pairs = (line.split() for line in target.run([program]).splitlines())
        return {name: float(value) for name, value in pairs}

    native, boxed = both(platform, body)
    for name, value in boxed.items():
        yield Row("micro", name, "us", value / _NS_PER_US, native[name] / _NS_PER_US)


def trap(platform: str | None) -> Iterator[Row]:
    """One call that Python answers, and the same answered by the C core where it can be asked to."""
    program = str(compiled("micro.c"))
    native, boxed = both(platform, lambda target: {"getppid": float(target.run([program, "getppid"]).split()[1])})
    python_us = boxed["getppid"] / _NS_PER_US
    yield Row("trap", "trap answered in Python (us)", "us", python_us, native["getppid"] / _NS_PER_US)
    in_c = c_answered_ns(platform)
    if in_c is None:
        yield Row("trap", "trap in Python, to C", "us", None, note="only on notify")
    else:
        yield Row("trap", "trap in Python, to C", "us", python_us, in_c / _NS_PER_US)


def c_answered_ns(platform: str | None) -> float | None:
    """The same trap answered by the C core, without Python; None on a platform that has no such mode."""
    if platform not in (None, "notify"):
        return None
    os.environ["SANDBOXCTL_ANSWER_IN_C"] = "110"  # getppid
    try:
        _, boxed = both(platform, lambda target: {"getppid": float(target.run([str(compiled("micro.c")), "getppid"]).split()[1])})
    finally:
        del os.environ["SANDBOXCTL_ANSWER_IN_C"]
    return boxed["getppid"]


def startup(platform: str | None) -> Iterator[Row]:
    """The command line from start to exit."""
    command = [
        f"{Path(sys.executable).parent}/sandboxctl",
        *(["--platform", platform] if platform else []),
        "run",
        "host",
        "--",
        "/bin/true",
    ]

    def once() -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError(done.stderr.strip())

    yield Row("startup", "run host -- /bin/true (ms)", "ms", seconds(once, 5) * 1000)
    yield from stored_image()


def stored_image() -> Iterator[Row]:
    """An image of the store beside the same files as a folder, which stand in the native column."""
    name = "run IMAGE, to dir: (ms)"
    busybox = shutil.which("busybox")
    if busybox is None:
        yield Row("startup", name, "ms", None, note="needs busybox")
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        programs = Path(folder, "root", "bin")
        programs.mkdir(parents=True)
        shutil.copy(busybox, programs / "true")
        archive = shutil.make_archive(f"{folder}/root", "tar", f"{folder}/root")
        environment = {**os.environ, "SANDBOXCTL_STORE": f"{folder}/store"}

        def call(*words: str) -> None:
            command = [f"{Path(sys.executable).parent}/sandboxctl", *words]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                raise BenchmarkError(done.stderr.strip())

        call("import", archive, "localhost/true")
        starts = [partial(call, "run", image, "--", "/bin/true") for image in ("localhost/true", f"dir:{folder}/root")]
        times = [[seconds(start, 1) for start in starts] for _ in range(7)]  # by turns: other load meets both
        stored, plain = (min(column) * 1000 for column in zip(*times, strict=True))
        yield Row("startup", name, "ms", stored, plain)


_PIP = "rm -rf v && python3 -m venv v >/dev/null && v/bin/pip install -q --no-index --no-deps --disable-pip-version-check --find-links {wheels} setuptools"
WORK: tuple[tuple[str, str, str], ...] = (
    ("shell: 100 programs", "bash", "for i in {1..100}; do /bin/true; done"),
    ("shell: 200 subshells", "bash", "for i in {1..200}; do (:); done"),
    (
        "git: 50 files",
        "git",
        "rm -rf g; git init -q g && cd g && for i in {1..50}; do echo $i > f$i; done && git add . && git -c user.name=a -c user.email=a@b commit -qm x && git status >/dev/null && git log >/dev/null",
    ),
    ("gcc: compile and link", "gcc", "echo 'int main(void){return 0;}' > h.c && gcc -O1 -o h h.c"),
    ("python3 start", "python3", "python3 -S -c pass"),
    ("python3 imports", "python3", "python3 -c 'import json, asyncio, email, http.client, unittest, xml.dom.minidom'"),
    ("node start", "node", "node -e 1"),
    ("perl start", "perl", "perl -e 1"),
    ("find /usr/include", "find", "find /usr/include -type f >/dev/null"),
    ("du /usr/include", "du", "du -s /usr/include >/dev/null"),
    ("grep -r /usr/include/linux", "grep", "grep -r FOOBARBAZ /usr/include/linux; true"),
    ("tar /usr/include/linux", "tar", "tar cf x.tar -C /usr/include linux && rm -rf xx && mkdir xx && tar xf x.tar -C xx"),
    (
        "sqlite: 100 transactions",
        "python3",
        "rm -f t.db; python3 -c \"import sqlite3\nc=sqlite3.connect('t.db')\nc.execute('create table t(a)')\nfor i in range(100):\n c.execute('insert into t values(?)',(i,)); c.commit()\"",
    ),
)


def _wheels() -> str | None:
    """The wheels that every Python brings along (ensurepip's), so that nothing is downloaded."""
    folder = Path("/usr/share/python-wheels")
    return str(folder) if list(folder.glob("setuptools-*.whl")) else None


def workloads(platform: str | None) -> Iterator[Row]:
    """Ordinary commands, the best of three."""
    work = [row for row in WORK if shutil.which(row[1], path=ENVIRONMENT["PATH"])]
    wheels = _wheels()
    if wheels:
        work.append(("pip install a wheel", "python3", _PIP.format(wheels=wheels)))

    def body(target: Target) -> dict[str, float]:
        found = {}
        for name, _program, script in work:
            found[name] = seconds(partial(target.run, ["/bin/bash", "-c", script]), 1 if "pip" in name else 3)
        return found

    native, boxed = both(platform, body)
    for name, value in boxed.items():
        yield Row("workloads", name, "ms", value * 1000, native[name] * 1000)


FIRST: tuple[str, ...] = ("git: 50 files", "python3 imports", "node start", "find /usr/include", "du /usr/include", "grep -r /usr/include/linux")


def first(platform: str | None) -> Iterator[Row]:
    """The first run of a command in a sandbox that has just been started: nothing is cached in it; the host's page cache is warm."""
    from sandboxctl import Sandbox

    for name, program, script in WORK:
        if name not in FIRST or not shutil.which(program, path=ENVIRONMENT["PATH"]):
            continue
        command = ["/bin/bash", "-c", script]
        with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
            native = seconds(partial(Native(folder).run, command))
        found = []
        for _ in range(3):
            with Sandbox("host", platform=platform) as box:
                target = Boxed(box)
                target.run(["/bin/bash", "-c", ":"])
                begin = time.perf_counter()
                target.run(command)
                found.append(time.perf_counter() - begin)
        yield Row("first", name, "ms", min(found) * 1000, native * 1000)


def idle(platform: str | None) -> Iterator[Row]:
    """Processor time and memory of sandboxes whose programs sleep: one, and the average of twenty."""
    for count in (1, 20):
        cpu, pss = _asleep(platform, count)
        yield Row("idle", f"{count} idle (% CPU in all)", "%", cpu)
        yield Row("idle", f"{count} idle (MiB PSS each)", "MiB", pss / count / (1 << 20))


def _asleep(platform: str | None, count: int) -> tuple[float, int]:
    from sandboxctl import Sandbox
    from tests.security.processes import descendants

    span_s = 3.0
    with ExitStack() as stack:
        boxes = [stack.enter_context(Sandbox("host", platform=platform)) for _ in range(count)]
        programs = [stack.enter_context(box.start(["/bin/sleep", "600"], pipes=())) for box in boxes]
        time.sleep(0.5)  # noqa: TID251 - idling is what is measured
        pids = descendants(os.getpid())
        before = sum(map(cpu_seconds, pids))
        time.sleep(span_s)  # noqa: TID251 - idling is what is measured
        used = sum(map(cpu_seconds, pids)) - before
        pss = sum(map(pss_bytes, pids))
        for program in programs:
            program.kill()
    return 100 * used / span_s, pss


def execution(platform: str | None) -> Iterator[Row]:
    """One more command in a running sandbox: from the request on the control socket to its end, more than to its first
    instruction; and the whole of `sandboxctl exec`, with its own start."""

    def body(target: Target) -> dict[str, float]:
        return {"s": seconds(lambda: target.run(["/bin/true"]), rounds=10)}

    native, boxed = both(platform, body)
    yield Row("exec", "request to end of /bin/true (ms)", "ms", boxed["s"] * 1000, native["s"] * 1000)
    name = f"benchmark-{os.getpid()}"
    program = [sys.executable, "-m", "sandboxctl.cli.main"]
    command = Path(sys.executable).with_name("sandboxctl")
    program = [str(command)] if command.exists() else program
    subprocess.run([*program, "run", "-d", "--rm", "--name", name, "host", "--", "/bin/sleep", "600"], check=True, capture_output=True)
    try:
        took = seconds(lambda: subprocess.run([*program, "exec", name, "/bin/true"], check=True, capture_output=True), rounds=10)
    finally:
        subprocess.run([*program, "rm", "-f", name], check=False, capture_output=True)
    yield Row("exec", "sandboxctl exec, start to end (ms)", "ms", took * 1000)


GROUPS: dict[str, Callable[[str | None], Iterator[Row]]] = {
    "trap": trap,
    "micro": micro,
    "startup": startup,
    "exec": execution,
    "workloads": workloads,
    "first": first,
    "idle": idle,
    "strict": strict,
    "oci": oci,
    "network": network,
    "peers": peers,
}
