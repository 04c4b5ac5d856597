"""Every option text: what it becomes, and that nonsense gives one line and no crash."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxctl.config import Identity, Rlimit, Tmpfs, Volume
from sandboxctl.errors import OptionError, one_line
from sandboxctl.options import environment, mount, quantity
from sandboxctl.options.assemble import CommandOptions, SandboxOptions, command_config, sandbox_config
from sandboxctl.options.ulimit import ulimit
from sandboxctl.options.user import AccountFiles, identity

ANY_TEXT = st.text(max_size=40)


def one_line_or_value(function, *args):
    try:
        return function(*args)
    except OptionError as error:
        assert one_line(error, 10_000) == str(error).strip()
        assert len(str(error)) < 1000
        return None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1", 1),
        ("10b", 10),
        ("4k", 4096),
        ("512m", 512 << 20),
        ("1.5g", 3 << 29),
        ("64MiB", 64 << 20),
        ("2GB", 2 << 30),
    ],
)
def test_sizes(text, value):
    assert quantity.size(text, "--memory") == value


@pytest.mark.parametrize("text", ["", "x", "m", "-1", "1e9", "0x10", "1.2.3m", "9" * 40, "1mm", "\u0661", "1 2", ".5m"])
def test_bad_sizes(text):
    with pytest.raises(OptionError, match="--memory"):
        quantity.size(text, "--memory")


@pytest.mark.parametrize(("text", "value"), [("30", 30), ("1.5s", 1.5), ("2m30s", 150), ("500ms", 0.5), ("1h", 3600)])
def test_durations(text, value):
    assert quantity.duration(text, "--timeout") == value


@pytest.mark.parametrize("text", ["", "0", "-3", "s", "1x", "1s2", "nan", "inf", "10 s", "1e3", "9" * 20])
def test_bad_durations(text):
    if text == "1s2":
        assert quantity.duration(text, "--timeout") == 3
        return
    with pytest.raises(OptionError, match="--timeout"):
        quantity.duration(text, "--timeout")


@pytest.mark.parametrize(("text", "value"), [("TERM", 15), ("SIGKILL", 9), ("int", 2), ("15", 15), ("64", 64)])
def test_signals(text, value):
    assert quantity.signal_number(text, "--stop-signal") == value


@pytest.mark.parametrize("text", ["", "0", "65", "SIG", "FOO", "-1", "9" * 30])
def test_bad_signals(text):
    with pytest.raises(OptionError):
        quantity.signal_number(text, "--stop-signal")


@given(ANY_TEXT)
def test_no_text_breaks_a_parser(text):
    one_line_or_value(quantity.size, text, "--memory")
    one_line_or_value(quantity.duration, text, "--timeout")
    one_line_or_value(quantity.signal_number, text, "--stop-signal")
    one_line_or_value(ulimit, text)
    one_line_or_value(mount.mount, text)
    one_line_or_value(mount.tmpfs, text)
    one_line_or_value(mount.volume, text)
    one_line_or_value(mount.overlay, text)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), st.from_regex(r"[^\n\r\0]{0,20}", fullmatch=True)
    )
)
def test_env_file_round_trip(variables):
    raw = "".join(f"# comment\n\n  {name}={value}\n" for name, value in variables.items()).encode()
    assert environment.parse_file(raw, "f", {}) == variables


@given(st.binary(max_size=200))
def test_no_env_file_breaks_the_parser(raw):
    one_line_or_value(environment.parse_file, raw, "f", {"HOME": "/x"})


def test_env_file_rules(tmp_path):
    path = tmp_path / "env"
    path.write_bytes(b'\xef\xbb\xbf# note\nA=1\r\n B=two words \nC=\nHOME\nUNSET\nA=2\nQ="x"')
    found = environment.read_file(str(path), {"HOME": "/h"})
    assert found == {"A": "2", "B": "two words ", "C": "", "HOME": "/h", "Q": '"x"'}


@pytest.mark.parametrize("line", ["=x", "A B=1", "\0", "A\tB"])
def test_bad_env_line_is_named(line):
    with pytest.raises(OptionError, match="line 2"):
        environment.parse_file(f"OK=1\n{line}\n".encode(), "f", {})


def test_order_of_the_environment(tmp_path):
    path = tmp_path / "env"
    path.write_text("A=file\nB=file\n")
    built = environment.build("/h", [str(path)], ["A=option", "X", "Y"], {"X": "caller", "TERM": "vt100"})
    assert built == {
        "PATH": environment.PATH_DEFAULT,
        "HOME": "/h",
        "TERM": "vt100",
        "LANG": "C.UTF-8",
        "A": "option",
        "B": "file",
        "X": "caller",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nofile=1024", Rlimit(7, 1024, 1024)),
        ("nofile=1:2", Rlimit(7, 1, 2)),
        ("core=-1", Rlimit(4, -1, -1)),
        ("cpu=1:unlimited", Rlimit(0, 1, -1)),
    ],
)
def test_ulimits(text, value):
    assert ulimit(text) == value


@pytest.mark.parametrize(
    "text", ["", "nofile", "nofile=", "foo=1", "nofile=2:1", "nofile=-1:5", "nofile=a", "nofile=1:2:3", "nofile=1:"]
)
def test_bad_ulimits(text):
    with pytest.raises(OptionError, match="--ulimit"):
        ulimit(text)


def test_volumes(tmp_path):
    assert mount.volume(f"{tmp_path}:/data") == Volume(str(tmp_path), "/data")
    assert mount.volume(f"{tmp_path}:/data/./x/:ro") == Volume(str(tmp_path), "/data/x", read_only=True)
    (tmp_path / "file").write_text("")
    assert mount.volume(f"{tmp_path}/file:/etc/file:rw").source == f"{tmp_path}/file"


@pytest.mark.parametrize(
    "text", ["", "/x", ":/x", "{0}:", "{0}:data", "{0}:/../x", "{0}:/", "{0}:/proc", "{0}:/proc/x", "{0}:/sys",
             "{0}:/x:rx", "{0}:/x:ro:y",
             "{0}/no:/x",
             ".named:/x", "{0}:/x:ro,rw", "{0}/socket:/x"]
)  # fmt: skip
def test_bad_volumes(tmp_path, text):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
        with pytest.raises(OptionError, match="-v"):
            mount.volume(text.format(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_volume(tmp_path):
    tmp_path.chmod(0)
    try:
        with pytest.raises(OptionError, match="not readable"):
            mount.volume(f"{tmp_path}:/x")
    finally:
        tmp_path.chmod(0o700)


def test_mounts(tmp_path):
    assert mount.mount(f"type=bind,src={tmp_path},dst=/d,readonly") == Volume(str(tmp_path), "/d", read_only=True)
    assert mount.mount(f"type=bind,source={tmp_path},target=/d") == Volume(str(tmp_path), "/d")
    assert mount.mount("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700") == Tmpfs("/t", 1 << 20, 0o700)
    assert mount.tmpfs("/t") == Tmpfs("/t")
    assert mount.tmpfs("/t:ro,noexec,size=64k,mode=755,uid=1,gid=2") == Tmpfs(
        "/t", 65536, 0o755, 1, 2, read_only=True, noexec=True
    )


@pytest.mark.parametrize(
    "text", ["", "type=bind", "type=volume,target=/x", "target=/x", "type=tmpfs,target=x", "type=tmpfs,target=/x,foo=1",
             "type=tmpfs,type=tmpfs",
             "type=bind,source=/nonexistent,target=/x", "type=tmpfs,target=/x,tmpfs-mode=9"]
)  # fmt: skip
def test_bad_mounts(text):
    with pytest.raises(OptionError, match="--mount"):
        mount.mount(text)


@pytest.mark.parametrize("text", ["", "t", "/t:foo", "/t:size=x", "/t:mode=8", "/t:uid=-1", "/dev", "/t:size"])
def test_bad_tmpfs(text):
    with pytest.raises(OptionError, match="--tmpfs"):
        mount.tmpfs(text)


def test_overlays(tmp_path):
    assert mount.overlay("memory,size=1m").size == 1 << 20
    tmp_path.chmod(0o777)
    assert mount.overlay(str(tmp_path)).folder == str(tmp_path)
    for text in ("disk", "memory,foo=1", "memory,size=x", "/nonexistent"):
        with pytest.raises(OptionError, match="--overlay"):
            mount.overlay(text)


@pytest.fixture
def rootfs(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/sh\nbroken\nbad:x:y:z::\n"
    )
    (tmp_path / "etc/group").write_text("root:x:0:\nstaff:x:50:ann,bob\nann:x:1001:\n")
    return tmp_path


CALLER = Identity(7, 8, (9,))


@pytest.mark.parametrize(
    ("text", "extra", "value"),
    [
        (None, [], CALLER),
        (None, ["staff"], Identity(7, 8, (9, 50))),
        ("ann", [], Identity(1000, 1001, (50,), "/home/ann")),
        ("1000", [], Identity(1000, 1001, (50,), "/home/ann")),
        ("ann:staff", [], Identity(1000, 50, (), "/home/ann")),
        ("4242", ["5"], Identity(4242, 0, (5,))),
        ("4242:4243", [], Identity(4242, 4243)),
    ],
)
def test_users(rootfs, text, extra, value):
    assert identity(text, extra, AccountFiles(str(rootfs)), CALLER) == value


@pytest.mark.parametrize("text", ["", "nobody-here", "ann:", ":staff", "ann:nogroup", "bad", "-1", "99999999999"])
def test_bad_users(rootfs, text):
    with pytest.raises(OptionError, match="-u"):
        identity(text, [], AccountFiles(str(rootfs)), CALLER)


def test_account_files_that_are_links_are_not_followed(rootfs):
    (rootfs / "etc/passwd").unlink()
    (rootfs / "etc/passwd").symlink_to("/etc/passwd")
    with pytest.raises(OptionError):
        identity("daemon", [], AccountFiles(str(rootfs)), CALLER)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": "ubuntu"}, "unknown image 'ubuntu'.*host, dir:PATH"),
        ({"image": "dir:"}, "needs a folder"),
        ({"image": "dir:/nonexistent"}, "does not exist"),
        ({"image": "dir:/etc/passwd"}, "not a folder"),
        ({"image": "host:x"}, "unknown image"),
        ({"privileged": True}, "--privileged is refused"),
        ({"devices": ("/dev/kvm",)}, "--device is refused"),
        ({"network": "host"}, "--network host is refused"),
        ({"network": "bridge"}, "not available"),
        ({"platform": "kvm"}, "--platform"),
        ({"profile": "lax"}, "--profile"),
        ({"rw": True}, "--rw"),
        ({"memory": "1m"}, "--memory.*less than"),
        ({"hostname": "a b"}, "--hostname"),
        ({"hostname": ""}, "--hostname"),
        ({"hostname": "x" * 65}, "--hostname"),
        ({"name": "a/b"}, "--name"),
        ({"pids_limit": "many"}, "--pids-limit"),
        ({"require": ("userns,foo",)}, "--require: 'foo'.*choose from"),
        ({"tmpfs": ("/a", "/a")}, "two mounts"),
    ],
)
def test_refused_configurations(options, words):
    with pytest.raises(OptionError, match=words):
        sandbox_config(SandboxOptions(**options))


def test_write_through_excludes_an_overlay(tmp_path):
    for options in ({"read_only": True}, {"overlay": "memory"}):
        with pytest.raises(OptionError, match="--rw"):
            sandbox_config(SandboxOptions(image=f"dir:{tmp_path}", rw=True, **options))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's gofer reads as nobody")
def test_folder_that_nobody_may_not_enter(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(OptionError, match=r"nobody.*--host-as-root"):
        sandbox_config(SandboxOptions(image=f"dir:{tmp_path}"))
    assert sandbox_config(SandboxOptions(image=f"dir:{tmp_path}", host_as_root=True)).host_as_root


def test_a_whole_configuration(tmp_path):
    tmp_path.chmod(0o755)
    config = sandbox_config(
        SandboxOptions(
            image=f"dir:{tmp_path}", memory="512m", pids_limit="10", shm_size="1m", stop_signal="INT",
            require=("seccomp,no_new_privs", "no_new_privs"),
            tmpfs=("/a/b/c", "/a"), hostname="box.example", name="my-box", platform="ptrace", profile="strict",
        )
    )  # fmt: skip
    assert (config.memory, config.pids_limit, config.shm_size, config.stop_signal) == (512 << 20, 10, 1 << 20, 2)
    assert config.require == ("seccomp", "no_new_privs")
    assert [item.destination for item in config.mounts] == ["/a", "/a/b/c"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no command given.*/bin/sh"),
        ({"argv": ("",)}, "empty"),
        ({"argv": ("a\0b",)}, "NUL"),
        ({"argv": ("a",), "workdir": "x"}, "-w"),
        ({"argv": ("a",), "timeout": "soon"}, "--timeout"),
        ({"argv": ("a",), "env": ("=1",)}, "-e"),
        ({"argv": ("a",), "env_files": ("/nonexistent",)}, "--env-file"),
        ({"argv": ("a",), "user": "nobody-here"}, "-u"),
        ({"argv": ("a",), "group_add": ("no-such-group",)}, "--group-add"),
        ({"argv": ("a",), "ulimits": ("x=1",)}, "--ulimit"),
    ],
)
def test_refused_commands(options, words):
    with pytest.raises(OptionError, match=words):
        command_config(CommandOptions(**options), "host")


def test_a_whole_command():
    made = command_config(CommandOptions(argv=("x",), entrypoint="/bin/e", user="0:0", timeout="1m"), "host", {})
    assert made.argv == ("/bin/e", "x")
    assert made.cwd == "/tmp"
    assert made.timeout == 60
    assert made.env["HOME"] == "/tmp"
