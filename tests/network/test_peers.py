"""Programs and their servers, one in a sandbox with ``--network ns:PATH``, the other by the host kernel over a veth pair.

Each pair of scripts in ``peers/`` runs three times: both by the host kernel, the client inside, the server inside. The client
must print the same. ``make test`` runs a sample; ``make test-network`` all, and keeps the results. It needs, beside what ``make
test`` does: nginx iperf3 redis-server openssh-server dnsmasq-base bind9-dnsutils python3-requests python3-pip iputils-ping.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.network.laboratory import INNER, INNER6, OUTER, OUTER6, finished, laboratory, running
from tests.network.test_namespace import may_make_links

FOLDER = Path(__file__).parent / "peers"
#: pair -> the programs that it needs
PAIRS = {
    "curl": ("curl", "nginx", "openssl"),
    "wget": ("wget", "python3"),
    "iperf3": ("iperf3", "python3"),
    "redis": ("redis-server", "redis-benchmark"),
    "openssh": ("sshd", "ssh", "scp", "curl"),
    "requests": ("python3", "python3:requests"),
    "git": ("git", "python3"),
    "pip": ("python3", "python3:pip"),
    "dns": ("dnsmasq", "dig", "getent"),
    "node": ("node",),
    "go": ("go",),
    "datagrams": ("python3", "ping"),
}
ROLES = ("native", "client inside", "server inside")
_WHOLE = os.environ.get("SANDBOXCTL_TIER") == "network"
_SAMPLE = (("node", 4),)
_CHOSEN = [(pair, version) for pair in PAIRS for version in ((4, 6) if pair in ("curl", "datagrams", "requests") else (4,))]
_RECORD = os.environ.get("SANDBOXCTL_TIER_RECORD")


def missing(pair: str) -> str:
    """What is not installed, or nothing."""
    path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    wanted = []
    for name in PAIRS[pair]:
        program, _, module = name.partition(":")
        if module:
            probe = subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], capture_output=True, check=False)
            found = probe.returncode == 0
        else:
            found = shutil.which(program, path=path) is not None
        wanted += [] if found else [name]
    return ", ".join(wanted)


def script(pair: str, part: str) -> list[str]:
    """The command line of one part, after the prelude; a part that is not there does nothing."""
    path = FOLDER / f"{pair}.{part}.sh"
    return ["/bin/bash", "-c", (FOLDER / "prelude.sh").read_text() + (path.read_text() if path.exists() else "")]


def meet(pair: str, role: str, version: int) -> tuple[int, str, str]:
    """Run a pair in a role; the client's exit status, output and errors (the server's output follows them)."""
    with tempfile.TemporaryDirectory(prefix="peers-", dir="/tmp") as name:  # the same path inside: everyone may pass
        Path(name).chmod(0o755)
        return _meet(pair, role, version, Path(name))


def _meet(pair: str, role: str, version: int, folder: Path) -> tuple[int, str, str]:
    server_folder = folder / "server"
    server_folder.mkdir()
    is_inner = role == "server inside"
    outer, inner = (OUTER, INNER) if version == 4 else (OUTER6, INNER6)
    address = inner if is_inner else outer
    (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:20\n")
    variables = {"H": address, "B": f"[{address}]" if version == 6 else address}
    prepared = finished(script(pair, "prepare"), folder)
    assert prepared.returncode == 0, prepared.stderr
    with laboratory() as lab:
        outside = {"native": (lab.outer, lab.inner), "client inside": (lab.outer, ""), "server inside": ("", lab.outer)}[role]
        lines = []
        for part, namespace in zip(("server", "client"), outside, strict=True):
            argv = ["/bin/bash", "-c", f'cd "{folder}"\n{script(pair, part)[2]}']
            if namespace:
                lines.append(lab.native(namespace, argv, folder, variables))
            else:
                lines.append(lab.boxed(argv, folder, variables, "--dns", address))
        with running(lines[0], server_folder):
            done = finished(lines[1], folder)
    said = "".join((server_folder / name).read_text() for name in ("stdout", "stderr"))
    return done.returncode, done.stdout, f"{done.stderr}\n--- server\n{said}"


@pytest.fixture(scope="module")
def natively():
    """What a pair prints by the host kernel; each runs once."""
    kept = {}

    def result(pair, version):
        if (pair, version) not in kept:
            kept[pair, version] = meet(pair, "native", version)
        return kept[pair, version]

    return result


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("pair", "version"), _CHOSEN if _WHOLE else _SAMPLE)
@pytest.mark.parametrize("role", ROLES)
def test_a_program_and_its_server(pair, version, role, natively):
    if reason := may_make_links():
        pytest.skip(reason)
    if names := missing(pair):
        pytest.skip(f"not installed: {names}")
    status, output, errors = natively(pair, version) if role == "native" else meet(pair, role, version)
    if _RECORD:
        line = {"pair": pair, "ip": version, "role": role, "exit_status": status, "lines": len(output.splitlines())}
        with open(_RECORD, "a") as file:
            file.write(json.dumps(line) + "\n")
    assert status == 0, errors
    assert output, "prints no answers"
    if role != "native":
        assert output == natively(pair, version)[1], errors


def test_each_script_belongs_to_a_pair():
    assert {path.name.split(".")[0] for path in FOLDER.glob("*.sh")} - {"prelude"} == set(PAIRS)
