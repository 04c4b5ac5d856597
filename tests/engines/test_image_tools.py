"""Images that other tools make run and work: buildah, and a Debian root by mmdebstrap with python3, gcc and apt."""

import os
import subprocess

import pytest

from tests.guestlib import images
from tests.images.conftest import Tool, need

pytestmark = [pytest.mark.usefixtures("only_in_this_tier"), pytest.mark.timeout(900)]


@pytest.fixture
def only_in_this_tier(request):
    if not any("engines" in word for word in request.config.args):
        pytest.skip("long: make test-engines runs it")


@pytest.fixture
def tool(tmp_path):
    (tmp_path / "home").mkdir()
    return Tool(tmp_path / "home")


def test_buildah(tool, tmp_path):
    need("buildah")
    if os.geteuid() != 0:
        pytest.skip("buildah needs root here")
    (tmp_path / "root.tar").write_bytes(images.busybox_layer())
    folders = ["--root", f"{tmp_path}/b", "--runroot", f"{tmp_path}/r", "--storage-driver", "vfs"]

    def buildah(*words):
        return subprocess.run(["buildah", *folders, *words], check=True, capture_output=True, text=True).stdout.strip()

    name = buildah("from", "scratch")
    buildah("add", name, f"{tmp_path}/root.tar", "/")
    buildah("config", "--user", "bob", "--workingdir", "/tmp", "--env", "A=1", "--cmd", "sh -c 'id -un; pwd; echo $A'", name)
    buildah("commit", name, f"oci:{tmp_path}/oci:1")
    buildah("commit", name, f"docker-archive:{tmp_path}/archive.tar:x:1")
    for image in (f"oci:{tmp_path}/oci:1", f"docker-archive:{tmp_path}/archive.tar"):
        assert tool.text("run", image).split() == ["bob", "/tmp", "1"]


WORK = """
set -e
cd /tmp
printf '#include <stdio.h>\\nint main(void) { puts("compiled"); return 0; }\\n' > a.c
gcc -O1 -o a a.c && ./a
python3 -c 'import json, hashlib, subprocess; print(json.dumps(subprocess.check_output(["echo", "from python"], text=True)))'
dpkg --verify && echo verified
apt-get --version | head -1 | cut -d' ' -f1
apt-cache policy gcc | sed -n 2p | cut -c1-12
su -s /bin/sh nobody -c 'id -un; cat /etc/shadow 2>/dev/null || echo denied'
perl -e 'print "perl\\n"'
find / -xdev -type f | wc -l | grep -c ....
"""


def test_a_debian_root(tool, tmp_path):
    need("mmdebstrap")
    root = tmp_path / "debian.tar"
    words = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,gcc,libc6-dev", "bookworm", str(root)]
    made = subprocess.run(words, capture_output=True, text=True, timeout=600)
    if made.returncode:
        pytest.skip(f"mmdebstrap cannot make a root here: {made.stderr.strip()[-200:]}")
    tool("import", root, "debian:12", timeout=300)
    done = tool("run", "debian:12", "sh", "-c", WORK, timeout=300)
    shown = done.stdout.decode().splitlines()
    assert shown[:4] == ["compiled", '"from python\\n"', "verified", "apt"]
    assert shown[5:] == ["nobody", "denied", "perl", "1"]
    assert "Installed" in shown[4]
    tool("run", "--commit", "debian:13", "debian:12", "sh", "-c", "apt-get -y remove gcc >/dev/null", timeout=300)
    assert tool("run", "debian:13", "gcc", check=127, timeout=60).returncode == 127
    assert "D /usr/bin/gcc" in tool.text("diff", "debian:13", timeout=60).splitlines()
    assert tool.text("run", "debian:13", "python3", "-c", "print(6*7)") == "42\n"
