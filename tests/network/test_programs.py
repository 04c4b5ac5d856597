"""Unmodified programs reach a server of this host over ``--network user``, by both ways."""

import functools
import hashlib
import http.server
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

_SANDBOXCTL = f"{Path(sys.executable).parent}/sandboxctl"
_DATA = bytes(range(256)) * 8192
_DIGEST = hashlib.sha256(_DATA).hexdigest()
_GET = "http://$H/data"
#: program -> what it does, and what that prints
PROGRAMS = {
    "curl": (f"curl -sS {_GET} | sha256sum | cut -c1-64", _DIGEST),
    "curl -T": (f"curl -sS {_GET} -o d && curl -sS -T d http://$H/put", _DIGEST),
    "wget": (f"wget -q -O - {_GET} | sha256sum | cut -c1-64", _DIGEST),
    "git": ("git clone -q http://$H/repository.git r && cat r/file", "from the repository"),
    "pip": (
        "pip3 download -q --no-deps --disable-pip-version-check --trusted-host ${H%:*} --index-url http://$H/simple tiny && ls",
        "tiny-1.0-py3-none-any.whl",
    ),
    "node": (
        "node -e \"fetch('http://$H/data').then(r => r.arrayBuffer()).then(b => console.log(b.byteLength))\"",
        str(len(_DATA)),
    ),
    "python3": (
        "python3 -c \"import concurrent.futures as c, urllib.request as u; "
        "get = lambda _: len(u.urlopen('http://$H/data').read()); print(sum(c.ThreadPoolExecutor(8).map(get, range(16))))\"",
        str(16 * len(_DATA)),
    ),
}


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_PUT(self) -> None:
        digest = hashlib.sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(digest)))
        self.end_headers()
        self.wfile.write(digest)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


def _fill(folder: Path) -> None:
    (folder / "data").write_bytes(_DATA)
    index = folder / "simple" / "tiny"
    index.mkdir(parents=True)
    with zipfile.ZipFile(index / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    (index / "index.html").write_text('<a href="tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>')
    if shutil.which("git"):
        script = (
            "git init -q -b main w && cd w && echo from the repository >file && git add file && "
            "git -c user.name=a -c user.email=a@b commit -q -m m && git clone -q --bare . ../repository.git && "
            "git -C ../repository.git update-server-info"
        )
        subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this host has no address but loopback")
    folder = tmp_path_factory.mktemp("www")
    _fill(folder)
    with http.server.ThreadingHTTPServer((address, 0), functools.partial(_Handler, directory=str(folder))) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"{address}:{made.server_address[1]}"
        made.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(("way", "program"), [("passt", "curl"), *(("netgofer", program) for program in PROGRAMS)])
def test_a_program_reaches_the_outside(way, program, server):
    executable = {"pip": "pip3"}.get(program, program.split()[0])
    for needed in (executable, *(["passt"] if way == "passt" else [])):
        if shutil.which(needed, path="/usr/local/bin:/usr/bin:/bin") is None:
            pytest.skip(f"{needed} is not installed")
    script, wanted = PROGRAMS[program]
    options = ["--network", f"user:{way}", "-e", f"H={server}", "-w", "/tmp/work"]
    done = subprocess.run(
        [_SANDBOXCTL, "run", *options, "host", "--", "sh", "-ec", script],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.returncode) == (wanted, 0), done.stderr
