"""What a sandbox changes in its image is there when it is started again, and can be copied and committed meanwhile."""

import io
import os
import signal
import tarfile
import tempfile

import pytest

from sandboxctl import Sandbox
from sandboxctl.errors import SandboxError

#: one change of each kind
CHANGES = r"""
set -e
cd /
echo new >/etc/added; echo more >>/etc/passwd; chmod 700 /usr/bin/env; rm /etc/group
mkdir -p /opt/a/b; ln -s /etc /opt/a/link; ln /etc/added /opt/a/hard; mkfifo /opt/fifo
mknod /opt/null c 1 3; chown -h 5:6 /opt/a /opt/a/link
rm -r /usr/share/doc; mkdir /usr/share/doc; echo d >/usr/share/doc/x
mv /usr/share/misc /usr/share/moved
setfattr -n user.colour -v blue /opt/a/b 2>/dev/null || true
touch -d '2001-02-03 04:05:06.123456789' /opt/a/b /etc/added; touch -h -d 2001-02-03 /opt/a/link
"""
LOOK = r"""
cd /; stat -c '%n %F %a %u:%g %h %t,%T %y' /etc/added /etc/passwd /usr/bin/env /opt /opt/a /opt/a/b /opt/a/link /opt/a/hard \
  /opt/fifo /opt/null /usr/share/doc/x /usr/share/doc /usr/share/moved/*; readlink /opt/a/link; ls /usr/share/doc /usr/share/misc
tail -1 /etc/passwd
ls /etc/group; cat /opt/a/hard; getfattr -d /opt/a/b 2>/dev/null; ls -i /etc/added /opt/a/hard | cut -d' ' -f1 | uniq | wc -l
"""


def test_a_layer_that_is_put_back_gives_the_same_tree():
    with tempfile.TemporaryFile() as layer:
        with Sandbox("host", cap_add=["MKNOD"]) as sandbox:
            done = sandbox.run(["sh", "-c", CHANGES], user="0")
            assert (done.exit_code, done.stderr) == (0, b"")
            before = sandbox.run(["sh", "-c", LOOK])
            sandbox.session.export_changes(layer.fileno())
        with Sandbox("host") as sandbox:
            sandbox.session.restore_changes(layer.fileno())
            assert sandbox.run(["sh", "-c", LOOK]) == before


def test_a_layer_that_is_none_is_refused():
    for contents in (b"x" * 2048, _archive("a/../../b"), _archive("/.wh..")):
        with tempfile.TemporaryFile() as layer, Sandbox("host") as sandbox:
            layer.write(contents)
            layer.flush()
            with pytest.raises(SandboxError, match="cannot be put back"):
                sandbox.session.restore_changes(layer.fileno())
            assert sandbox.run(["true"]).exit_code == 0


def _archive(name):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    return made.getvalue()


def test_files_are_kept_and_copied_while_nothing_runs(call, tmp_path):
    name = call.name("kept")
    (tmp_path / "in").write_text("copied in\n")
    call("create", "--name", name, "host", "--", "sh", "-c", "cat /opt/in; echo run >>/opt/runs; cat /opt/runs")
    call("cp", str(tmp_path / "in"), f"{name}:/opt/in")
    assert call("start", "-a", name).stdout == "copied in\nrun\n"
    assert call("start", "-a", name).stdout == "copied in\nrun\nrun\n"
    call("cp", f"{name}:/opt/runs", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "run\nrun\n"


def test_a_killed_sentry_loses_its_run_and_nothing_else(call):
    name = call.name("killed")
    program = "echo run >>/opt/runs; cat /opt/runs; exec sleep 1000"
    call("create", "--name", name, "host", "--", "sh", "-c", program)
    call("start", name)
    call.until("run\n", "logs", name)
    call("kill", name)
    call("wait", name)
    call("start", name)
    call.until("run\nrun\nrun\n", "logs", name)
    os.kill(int(call("inspect", "--format", "{{.State.Pid}}", name).stdout), signal.SIGKILL)
    call.until("exited\n", "inspect", "--format", "{{.State.Status}}", name)
    call("start", name)
    call.until("run\nrun\nrun\nrun\nrun\n", "logs", name)


def test_restarted_sandboxes_keep_them_too(call):
    name = call.name("again")
    program = "echo x >>/opt/runs; test $(wc -l </opt/runs) -ge 3"
    call("run", "-d", "--restart", "on-failure:5", "--name", name, "host", "--", "sh", "-c", program)
    assert call("wait", name).stdout == "0\n"
    assert call("inspect", "--format", "{{.RestartCount}}", name).stdout == "2\n"


def test_a_sandbox_that_has_ended_can_be_committed(call, tmp_path):
    call.environment["SANDBOXCTL_STORE"] = str(tmp_path / "store")
    with tarfile.open(tmp_path / "root.tar", "w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for applet in ("sh", "cat"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    call("import", str(tmp_path / "root.tar"), "localhost/base")
    name = call.name("committed")
    call("create", "--name", name, "localhost/base", "--", "sh", "-c", "echo made >/made; rm /bin/cat")
    call("start", "-a", name)
    assert call("diff", name).stdout.splitlines()[-2:] == ["D /bin/cat", "A /made"]
    call("commit", "-q", name, "localhost/more")
    call("tag", "localhost/more", "localhost/base")  # the name has moved on; the sandbox has not
    call("start", "-a", name, status=1)  # what it removed is gone already
    image = call("inspect", "--format", "{{.Image}}", name).stdout.strip()
    assert f"used by the sandbox {name}" in call("rmi", image, status=2).stderr
    other = call.name("other")
    seen = call("run", "--name", other, "localhost/more", "--", "sh", "-c", "read x </made; echo $x; test -e /bin/cat", status=1)
    assert seen.stdout == "made\n"
