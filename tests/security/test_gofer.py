"""Promises of the gofer: what a hostile sentry can get out of it, and what the process itself may do."""

import os
import random
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from errno import EACCES, ELOOP, ENFILE, ENOENT, ENOTDIR, ENXIO, ESTALE
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gofer import launch
from gofer.filter import rules
from gofer.protocol import message as m
from gofer.protocol.attr import ATTR, ATTR_SIZE, ENTRY_SIZE, ENTRY_TAIL
from gofer.protocol.config import Config, Tree
from gofer.protocol.wire import FRAME_MAX, REQUEST, VERSION
from tests.unit.gofer.peer import Gone, Peer, Refused, peer_for

pytestmark = pytest.mark.security

CANARY = b"canary-7c1d"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An exported folder beside a secret one."""
    exported = tmp_path / "exported"
    (exported / "visible").mkdir(parents=True)
    (exported / "visible/file").write_bytes(b"plain")
    (exported / "hidden/below").mkdir(parents=True)
    (exported / "hidden/secret").write_bytes(CANARY)
    (exported / "hidden/below/secret").write_bytes(CANARY)
    (exported / "hidden-file").write_bytes(CANARY)
    (exported / "to-secret").symlink_to("../secret")
    (exported / "to-hidden").symlink_to("hidden")
    (exported / "absolute").symlink_to(tmp_path / "secret")
    os.mkfifo(exported / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(exported / "socket"))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_bytes(CANARY)
    return exported


@pytest.fixture
def peer(tree: Path) -> Iterator[Peer]:
    made = peer_for(tree, hidden=(b"hidden", b"hidden-file"), hide_sockets=True)
    yield made
    made.close()


def refused(peer: Peer, message: m.Message, *values: object) -> int:
    with pytest.raises(Refused) as caught:
        peer.call(message, *values)
    return caught.value.errno


def entries(peer: Peer, place: object) -> dict[bytes, int]:
    found = {}
    skip = 8 + ATTR_SIZE
    for body in peer.call(m.READDIR, place)[0]:
        position, skip = skip, 0
        while position < len(body):
            link, name, _ = ENTRY_TAIL.unpack_from(body, position + ATTR_SIZE)
            start = position + ENTRY_SIZE
            found[body[start : start + name]] = ATTR.unpack_from(body, position)[1]
            position = start + name + link
    return found


def ends(peer: Peer) -> bool:
    """Whether the gofer closes the connection, with a status that says so."""
    try:
        while True:
            peer.receive()
    except Gone:
        return peer.process.process.wait(10) == 1


# --- frames ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        b"x",
        b"\0" * REQUEST.size,
        REQUEST.pack(1, m.GETATTR.op, VERSION + 1, 0) + m.GETATTR.encode((1, ()), 0),
        REQUEST.pack(1, m.GETATTR.op, VERSION, 7) + m.GETATTR.encode((1, ()), 0),
        REQUEST.pack(1, 255, VERSION, 0),
        REQUEST.pack(1, m.WALK.op, VERSION, 0) + b"\1\0\0\0\1\2..",
        REQUEST.pack(1, m.WALK.op, VERSION, 0) + b"\1\0\0\0\1\1/",
        REQUEST.pack(1, m.WALK.op, VERSION, 0) + b"\1\0\0\0\1\3a\0b",
        REQUEST.pack(1, m.WALK.op, VERSION, 0) + b"\1\0\0\0\1\0",
        REQUEST.pack(1, m.WALK.op, VERSION, 0) + b"\1\0\0\0\1\xffshort",
        REQUEST.pack(1, m.FORGET.op, VERSION, 0) + b"\xff\xff\1\0\0\0",
        REQUEST.pack(1, m.GETATTR.op, VERSION, 0) + m.GETATTR.encode((1, ()), 0) + b"more",
        b"\0" * (FRAME_MAX + 1),
    ],
)
def test_a_malformed_frame_ends_the_connection(peer: Peer, frame: bytes) -> None:
    peer.attach()
    peer.raw(frame)
    assert ends(peer)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into the gofer")
def test_descriptors_from_the_sentry_are_not_taken(peer: Peer) -> None:
    root = peer.attach()
    before = len(os.listdir(f"/proc/{peer.process.pid}/fd"))
    with open("/dev/null", "rb") as null:
        for number in range(20):
            frame = REQUEST.pack(number, m.GETATTR.op, VERSION, 0) + m.GETATTR.encode((root, ()), 0)
            socket.send_fds(peer.socket, [frame], [null.fileno()] * 10)
            peer.receive()
    assert len(os.listdir(f"/proc/{peer.process.pid}/fd")) == before


_FUZZED: list[Peer] = []


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "d").mkdir()
    (folder / "f").write_bytes(b"data")
    yield folder
    while _FUZZED:
        _FUZZED.pop().close()


NAMES = st.sampled_from([b"d", b"f", b"n", b"m"])
VALUES = {
    "u8": st.integers(0, 255),
    "u16": st.sampled_from([0, 1, 0xFFFF]),
    "u32": st.one_of(st.integers(0, 8), st.integers(0, 0xFFFFFFFF)),
    "u64": st.one_of(st.integers(0, 100), st.integers(0, (1 << 64) - 1)),
    "i64": st.one_of(st.integers(-2, 100), st.integers(-(1 << 63), (1 << 63) - 1)),
    "text": st.sampled_from([b"", b"user.x", b"security.x", b"a\0b", b"../../x", b"/etc"]),
    "data": st.binary(max_size=20),
    "name": NAMES,
    "names": st.lists(NAMES, max_size=5).map(tuple),
    "place": st.tuples(st.integers(0, 6), st.lists(NAMES, max_size=3).map(tuple)),
    "ids": st.lists(st.integers(0, 0xFFFFFFFF), max_size=5).map(tuple),
}
CALLS = st.sampled_from(list(m.MESSAGES.values())).flatmap(
    lambda message: st.tuples(st.just(message), st.tuples(*(VALUES[kind.name] for kind in message.request)))
)


def would_fill_the_disk(message: m.Message, values: tuple) -> bool:
    if message is m.SETATTR:
        return bool(values[2] & m.SET_SIZE) and values[6] > 1 << 20
    return message is m.ALLOCATE or (message is m.WRITE and values[1] > 1 << 20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CALLS, min_size=1, max_size=25))
def test_no_sequence_of_well_formed_requests_brings_it_down(fuzzed: Path, calls: list) -> None:
    """Its filter kills it for any call that the rules forget, so this also tests the rules."""
    if not _FUZZED:
        _FUZZED.append(peer_for(fuzzed, is_writable=True))
        _FUZZED[0].attach()
    peer = _FUZZED[0]
    for message, values in calls:
        if would_fill_the_disk(message, values):
            continue
        if message.is_oneway:
            peer.raw(REQUEST.pack(0, message.op, VERSION, 0) + message.encode(*values))
            continue
        try:
            _, fds = peer.call(message, *values)
        except Refused:
            continue
        for fd in fds:
            os.close(fd)


# --- escapes --------------------------------------------------------------------------------------------------------------


def test_symlinks_lead_nowhere(peer: Peer) -> None:
    root = peer.attach()
    for link in (b"to-secret", b"absolute", b"to-hidden"):
        assert m.WALK.decode_reply(peer.call(m.WALK, (root, (link, b"key")))[0][0])[:2] == [ELOOP, 1]
        assert refused(peer, m.OPEN, (root, (link, b"key")), 0) == ELOOP
        assert refused(peer, m.OPEN, (root, (link,)), 0) == ELOOP
        assert refused(peer, m.READDIR, (root, (link,))) in (ELOOP, ENOTDIR)


def test_only_regular_files_are_opened(peer: Peer, tree: Path) -> None:
    root = peer.attach()
    assert refused(peer, m.OPEN, (root, (b"fifo",)), 0) == ENXIO
    if os.geteuid() == 0:
        os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        assert refused(peer, m.OPEN, (root, (b"null",)), 0) == ENXIO


def test_a_race_with_the_host_never_reaches_outside(peer: Peer, tree: Path) -> None:
    """``visible`` is swapped for a symbolic link to the secret folder as fast as possible."""
    root = peer.attach()
    (tree / "visible/key").write_bytes(b"harmless")
    link = tree / "swap"
    link.symlink_to("../secret")
    done = Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(tree / "visible", tree / "aside")
            os.rename(link, tree / "visible")
            os.rename(tree / "visible", link)
            os.rename(tree / "aside", tree / "visible")

    thread = Thread(target=swap)
    thread.start()
    seen, refusals = set(), set()
    try:
        for _ in range(1500):
            try:
                _, fds = peer.call(m.OPEN, (root, (b"visible", b"key")), 0)
            except Refused as error:
                refusals.add(error.errno)
                continue
            seen.add(os.pread(fds[0], 100, 0))
            os.close(fds[0])
    finally:
        done.set()
        thread.join()
    assert seen <= {b"harmless"}
    assert refusals <= {ELOOP, ENOENT, ENOTDIR, ESTALE}


def test_dot_dot_through_a_moved_folder(tree: Path) -> None:
    """A node keeps meaning its own folder after the host has moved it out of the tree; nothing above it can be named."""
    peer = peer_for(tree)
    root = peer.attach()
    body = peer.call(m.WALK, (root, (b"visible",)))[0][0]
    node = int.from_bytes(body[3 + ATTR_SIZE : 7 + ATTR_SIZE], "little")
    (tree / "visible").rename(tree.parent / "moved")
    peer.raw(REQUEST.pack(9, m.WALK.op, VERSION, 0) + b"%c\0\0\0\1\2.." % node)
    assert ends(peer)
    peer.close()


# --- hidden ---------------------------------------------------------------------------------------------------------------


def test_hidden_names_look_empty_or_absent(peer: Peer) -> None:
    root = peer.attach()
    listed = entries(peer, (root, ()))
    assert stat.S_ISDIR(listed[b"hidden"])
    assert b"hidden-file" not in listed
    assert b"socket" not in listed
    assert entries(peer, (root, (b"hidden",))) == {}
    assert m.WALK.decode_reply(peer.call(m.WALK, (root, (b"hidden", b"secret")))[0][0])[0] == ENOENT
    assert refused(peer, m.OPEN, (root, (b"hidden", b"secret")), 0) == ENOENT
    assert refused(peer, m.OPEN, (root, (b"hidden", b"below", b"secret")), 0) == ENOENT
    assert refused(peer, m.OPEN, (root, (b"hidden-file",)), 0) == EACCES
    assert m.WALK.decode_reply(peer.call(m.WALK, (root, (b"socket",)))[0][0])[0] == ENOENT
    assert refused(peer, m.GETATTR, (root, (b"socket",)), 0) == ENOENT
    body = peer.call(m.WALK, (root, (b"hidden",)))[0][0]
    node = int.from_bytes(body[3 + ATTR_SIZE : 7 + ATTR_SIZE], "little")
    assert entries(peer, (node, ())) == {}
    assert refused(peer, m.OPEN, (node, (b"secret",)), 0) == ENOENT
    assert refused(peer, m.READDIR, (node, (b"below",))) == ENOENT
    for message in (m.GETXATTR, m.LISTXATTR):
        place = (root, (b"hidden", b"secret"))
        assert refused(peer, message, place, *((b"user.x",) if message is m.GETXATTR else ())) == ENOENT


def test_a_hidden_folder_cannot_be_changed(tree: Path) -> None:
    peer = peer_for(tree, hidden=(b"hidden",), is_writable=True)
    root = peer.attach()
    me = (os.geteuid(), os.getegid())
    assert refused(peer, m.CREATE, (root, (b"hidden",)), b"x", 0o600, *me) != 0
    assert refused(peer, m.RENAME, (root, ()), b"hidden", (root, ()), b"shown", 0, 0) == EACCES
    assert refused(peer, m.RENAME, (root, ()), b"visible", (root, ()), b"hidden", 0, 0) == EACCES
    assert refused(peer, m.RMDIR, (root, ()), b"hidden") == EACCES
    assert refused(peer, m.LINK, (root, (b"hidden", b"secret")), (root, ()), b"out") == ENOENT
    peer.close()


def test_a_hidden_folder_by_another_name(tree: Path) -> None:
    """A bind mount, or a rename by the host, shows the same folder elsewhere: its identity is hidden too."""
    peer = peer_for(tree, hidden=(b"hidden",))
    root = peer.attach()
    (tree / "hidden").rename(tree / "visible/elsewhere")
    assert entries(peer, (root, (b"visible", b"elsewhere"))) == {}
    assert refused(peer, m.OPEN, (root, (b"visible", b"elsewhere", b"secret")), 0) == ENOENT
    peer.close()


def test_a_volume_of_one_file_shows_no_other(tree: Path) -> None:
    peer = peer_for(tree, only=b"hidden-file", is_writable=True)
    root = peer.attach()
    me = (os.geteuid(), os.getegid())
    _, fds = peer.call(m.OPEN, (root, (b"hidden-file",)), os.O_RDWR)
    os.close(fds[0])
    assert m.WALK.decode_reply(peer.call(m.WALK, (root, (b"hidden-file",)))[0][0])[:2] == [0, 1]
    assert entries(peer, (root, ())) == {}
    assert refused(peer, m.WALK, (root, (b"visible",))) == ENOENT
    assert refused(peer, m.OPEN, (root, (b"visible", b"file")), 0) == ENOENT
    assert refused(peer, m.READDIR, (root, (b"visible",))) == ENOENT
    assert refused(peer, m.GETATTR, (root, (b"fifo",)), 0) == ENOENT
    assert refused(peer, m.CREATE, (root, ()), b"new", 0o600, *me) == EACCES
    assert refused(peer, m.MKDIR, (root, ()), b"new", 0o700, *me) == EACCES
    assert refused(peer, m.UNLINK, (root, ()), b"fifo") == EACCES
    assert refused(peer, m.RENAME, (root, ()), b"hidden-file", (root, ()), b"x", 0, 0) == EACCES
    assert refused(peer, m.LINK, (root, (b"hidden-file",)), (root, ()), b"x") == EACCES
    assert refused(peer, m.LINK, (root, (b"fifo",)), (root, ()), b"x") == ENOENT
    assert refused(peer, m.TMPFILE, (root, ()), 0o600, *me) == EACCES
    peer.close()


def test_a_hidden_name_that_appears_later(tree: Path) -> None:
    peer = peer_for(tree, hidden=(b"later",))
    root = peer.attach()
    (tree / "later").mkdir()
    (tree / "later/secret").write_bytes(CANARY)
    assert entries(peer, (root, (b"later",))) == {}
    assert refused(peer, m.OPEN, (root, (b"later", b"secret")), 0) == ENOENT
    peer.close()


def test_kernel_file_systems_look_empty() -> None:
    peer = peer_for("/", hidden=(b"root", b"home", b"run", b"var/run"), hide_sockets=True)
    root = peer.attach()
    assert entries(peer, (root, (b"proc",))) == {}
    assert entries(peer, (root, (b"sys",))) == {}
    assert refused(peer, m.OPEN, (root, (b"proc", b"self", b"environ")), 0) == ENOENT
    assert refused(peer, m.OPEN, (root, (b"sys", b"kernel", b"notes")), 0) == ENOENT
    peer.close()


# --- limits ---------------------------------------------------------------------------------------------------------------


def test_open_files_are_bounded(tree: Path) -> None:
    peer = peer_for(tree, is_writable=True)
    root = peer.attach()
    try:
        assert refusal_of_many_opens(peer, root) == ENFILE
        peer.raw(REQUEST.pack(0, m.CLOSE.op, VERSION, 0) + m.CLOSE.encode((1, 2, 3)))
        for fd in peer.call(m.OPEN, (root, (b"visible", b"file")), os.O_RDWR)[1]:
            os.close(fd)
    finally:
        peer.close()


def refusal_of_many_opens(peer: Peer, root: int) -> int:
    for _ in range(5000):
        try:
            fds = peer.call(m.OPEN, (root, (b"visible", b"file")), os.O_RDWR)[1]
        except Refused as error:
            return error.errno
        os.close(fds[0])
    return 0


def test_guessing_numbers_finds_nothing(peer: Peer) -> None:
    root = peer.attach()
    rng = random.Random(7)
    for _ in range(300):
        number = rng.randrange(root + 1, 1 << 32)
        assert refused(peer, m.GETATTR, (number, ()), 0) == ESTALE
        assert refused(peer, m.GETATTR, (0, ()), rng.randrange(1, 1 << 32)) == ESTALE


# --- the process ----------------------------------------------------------------------------------------------------------


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_posture(peer: Peer) -> None:
    peer.attach()
    found = status(peer.process.pid)
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"
    assert found["Threads"] == "1"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(found[kind], 16) == 0
    if os.geteuid() == 0:
        assert int(found["CapBnd"], 16) == 0
    limits = Path(f"/proc/{peer.process.pid}/limits").read_text()
    assert "Max processes             0                    0" in limits
    assert "Max core file size        1                    1" in limits
    if "root" in peer.layers:
        assert os.listdir(f"/proc/{peer.process.pid}/root") == []
    if os.geteuid() != 0:  # PR_SET_DUMPABLE 0: not even its own user may look
        with pytest.raises(PermissionError):
            os.listdir(f"/proc/{peer.process.pid}/fd")
        return
    fds = {os.readlink(f"/proc/{peer.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{peer.process.pid}/fd")}
    assert not [name for name in fds if name.startswith(("/proc/", "anon_inode:")) and not name.endswith("/fd")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_root_it_becomes_nobody_and_reads_no_secret(tree: Path) -> None:
    (tree / "shadow").write_bytes(CANARY)
    (tree / "shadow").chmod(0o600)
    (tree / "private").mkdir(mode=0o700)
    (tree / "private/key").write_bytes(CANARY)
    peer = Peer(Config((Tree(os.fsencode(tree)),), uid=launch.NOBODY, gid=launch.NOBODY))
    found = status(peer.process.pid)
    assert found["Uid"].split() == [str(launch.NOBODY)] * 4
    assert found["Gid"].split() == [str(launch.NOBODY)] * 4
    assert found["Groups"] == ""
    root = peer.attach()
    assert refused(peer, m.OPEN, (root, (b"shadow",)), 0) == EACCES
    assert refused(peer, m.OPEN, (root, (b"private", b"key")), 0) == EACCES
    assert refused(peer, m.READDIR, (root, (b"private",))) == EACCES
    _, fds = peer.call(m.OPEN, (root, (b"visible", b"file")), 0)
    os.close(fds[0])
    peer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to keep")
def test_kept_privileges_are_few(tree: Path) -> None:
    (tree / "shadow").write_bytes(b"x")
    os.chown(tree / "shadow", 1234, 1234)
    (tree / "shadow").chmod(0o600)
    peer = Peer(Config((Tree(os.fsencode(tree)),), keeps_privileges=True))
    assert int(status(peer.process.pid)["CapEff"], 16) == 1 << 2  # CAP_DAC_READ_SEARCH
    _, fds = peer.call(m.OPEN, (peer.attach(), (b"shadow",)), 0)
    os.close(fds[0])
    peer.close()
    peer = Peer(Config((Tree(os.fsencode(tree), is_writable=True),), keeps_privileges=True))
    assert int(status(peer.process.pid)["CapEff"], 16) == 0b11111
    root = peer.attach()
    peer.call(m.MKDIR, (root, ()), b"theirs", 0o755, 1234, 1235)
    peer.close()
    assert ((tree / "theirs").stat().st_uid, (tree / "theirs").stat().st_gid) == (1234, 1235)


def test_a_terminal_s_signals_do_not_reach_it(peer: Peer) -> None:
    peer.attach()
    assert os.getsid(peer.process.pid) == peer.process.pid != os.getsid(0)


def test_it_ends_with_its_socket(tree: Path) -> None:
    peer = peer_for(tree)
    peer.socket.close()
    assert peer.process.process.wait(10) == 0


LANDLOCKED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from gofer._sys._native import lib
from gofer.jail import landlock
from gofer.protocol.config import Tree
from gofer.server.policy import TreePolicy

tree = sys.argv[2]
policy = TreePolicy(os.open(tree, os.O_PATH), Tree(tree.encode(), hidden=(b"hidden", b"hidden-file")))
lib.gofer_prctl(38, 1)
abi = landlock.enforce([policy])
for name in ("visible/file", "hidden/secret", "hidden-file", "../secret/key", "hidden", "visible"):
    try:
        fd = os.open(f"{tree}/{name}", os.O_RDONLY)
        print(name, "read", abi)
    except PermissionError:
        print(name, "refused", abi)
try:
    os.open(f"{tree}/visible/file", os.O_RDWR)
    print("write allowed", abi)
except PermissionError:
    print("write refused", abi)
"""


def test_landlock_alone_holds_the_tree_and_its_hidden_places(tree: Path) -> None:
    """What a gofer that was taken over could still open, were its own checks gone."""
    project = Path(launch.__file__).parents[1]
    command = [sys.executable, "-c", LANDLOCKED, str(project), str(tree)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if answer[0].endswith(" 0"):
        pytest.skip("this kernel has no Landlock")
    assert [line.rsplit(" ", 1)[0] for line in answer] == [
        "visible/file read",
        "hidden/secret refused",
        "hidden-file refused",
        "../secret/key refused",
        "hidden read",  # its names may be listed (the gofer does not), no file below it can be read
        "visible read",
        "write refused",
    ]


def test_no_rule_lets_it_start_programs_or_reach_the_network() -> None:
    calls = {rule.call for rule in rules.READING + rules.WRITING}
    network = {"socket", "connect", "bind", "listen", "accept", "accept4"}
    programs = {"execve", "execveat", "clone", "clone3", "fork", "vfork", "ptrace", "kill", "tkill", "tgkill"}
    assert not calls & (network | programs | {"mount", "umount2", "mprotect", "ioctl", "open", "creat"})
