"""Two network namespaces with a veth pair between them: the host kernel's TCP in one, a sandbox that takes over the other.

The namespaces have no name and are held by two processes, which end with this one: nothing can stay behind.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.network.namespace import PATIENCE, SANDBOXCTL, connect_them, ip, second_namespace

ROOT = Path(__file__).resolve().parents[2]
OUTER, INNER = "10.9.2.1", "10.9.2.2"
OUTER6, INNER6 = "fd09::1", "fd09::2"
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Laboratory:
    """``outer`` and ``inner`` are the processes that hold the namespaces."""

    outer: str
    inner: str

    def native(self, namespace: str, argv: list[str], folder: Path, variables: dict[str, str]) -> list[str]:
        """The command line that runs ``argv`` by the host kernel in a namespace; ``resolv.conf`` of the folder is its own."""
        script = f'[ ! -e resolv.conf ] || mount --bind "{folder}/resolv.conf" /etc/resolv.conf; exec "$@"'
        words = [f"{name}={value}" for name, value in variables.items()]
        return ["nsenter", "-n", "-t", namespace, "unshare", "-m", "env", *words, "sh", "-c", script, "sh", *argv]

    def boxed(self, argv: list[str], folder: Path, variables: dict[str, str], *options: str) -> list[str]:
        """The command line that runs ``argv`` in a sandbox that takes the inner namespace over."""
        words = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        network = ["--network", f"ns:/proc/{self.inner}/ns/net", "-v", f"{folder}:{folder}", "-w", str(folder)]
        return [SANDBOXCTL, "run", *network, *words, "-e", "IS_SANDBOX=1", *options, "host", "--", *argv]


@contextlib.contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Make one; needs root."""
    with second_namespace() as outer, second_namespace() as inner:
        connect_them(inner, outer)
        ip("link", "set", "lo", "up", namespace=inner)
        yield Laboratory(outer, inner)


@contextlib.contextmanager
def impaired(*rules: float) -> Iterator[Laboratory]:
    """As ``laboratory``, with a third namespace between the two, whose wire has rules (see ``wire``: the seed first).

    What is offloaded to hardware is switched off, so that the wire carries packets of the MTU's size.
    """
    with second_namespace() as outer, second_namespace() as middle, second_namespace() as inner:
        for number, (end, device) in enumerate(((outer, "v0"), (inner, "eth0"))):
            names = ("link", "add", device, "type", "veth", "peer", "name", f"m{number}", "netns", middle)
            ip(*names, namespace=end)
            ip("link", "set", f"m{number}", "up", namespace=middle)
            ip("link", "set", "lo", "up", namespace=end)
            ip("addr", "add", (OUTER, INNER)[number] + "/24", "dev", device, namespace=end)
            ip("link", "set", device, "up", namespace=end)
            plain = ["nsenter", "-n", "-t", end, sys.executable, "-m", "tests.network.offload", device]
            subprocess.run(plain, cwd=ROOT, check=True)
        ip("route", "add", "default", "via", OUTER, namespace=inner)
        argv = ["nsenter", "-n", "-t", middle, sys.executable, "-m", "tests.network.wire", *map(str, rules)]
        with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as wire:
            try:
                assert wire.stdout is not None
                assert wire.stdout.readline() == "carrying\n"
                yield Laboratory(outer, inner)
            finally:
                wire.kill()


@contextlib.contextmanager
def running(argv: list[str], folder: Path, *, is_heard: bool = False) -> Iterator["subprocess.Popen[str]"]:
    """A process with all that it starts; its output goes to files, so nobody has to read it, but ``is_heard`` wants a pipe."""
    with (
        (folder / "stdout").open("w") as out,
        (folder / "stderr").open("w") as err,
        subprocess.Popen(
            argv, cwd=folder, env=_ENVIRONMENT, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if is_heard else out, stderr=err,
            start_new_session=True,
        ) as process,  # fmt: skip
    ):
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def finished(argv: list[str], folder: Path, timeout_s: float = PATIENCE * 2) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        argv, cwd=folder, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
        check=False,
    )  # fmt: skip
