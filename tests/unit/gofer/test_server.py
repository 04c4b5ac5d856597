"""The gofer process against a peer that knows the protocol: what is answered and how."""

import os
import stat
from collections.abc import Iterator
from errno import EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EROFS, ESTALE
from pathlib import Path

import pytest

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR, ATTR_SIZE, STEP_SIZE, STEP_TAIL
from tests.unit.gofer.peer import Peer, Refused, peer_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "sub/file").write_bytes(b"contents")
    (tmp_path / "link").symlink_to("sub/file")
    (tmp_path / "up").symlink_to("../../..")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.fixture
def reader(folder: Path) -> Iterator[Peer]:
    peer = peer_for(folder)
    yield peer
    assert peer.close() == 0


@pytest.fixture
def writer(folder: Path) -> Iterator[Peer]:
    peer = peer_for(folder, is_writable=True)
    yield peer
    assert peer.close() == 0


def steps(body: bytes) -> list[tuple[tuple[int, ...], int, bytes]]:
    found, position = [], 3
    while position < len(body):
        attributes = ATTR.unpack_from(body, position)
        node, _, _, length = STEP_TAIL.unpack_from(body, position + ATTR_SIZE)
        position += STEP_SIZE
        found.append((attributes, node, body[position : position + length]))
        position += length
    return found


def refused(peer: Peer, message: m.Message, *values: object) -> int:
    with pytest.raises(Refused) as caught:
        peer.call(message, *values)
    return caught.value.errno


def test_walk_gives_every_component_and_says_why_it_stopped(reader: Peer, folder: Path) -> None:
    root = reader.attach()
    body = reader.call(m.WALK, (root, (b"sub", b"deep", b"none")))[0][0]
    errno, count, _ = m.WALK.decode_reply(body)
    assert (errno, count) == (ENOENT, 2)
    for (attributes, node, _), path in zip(steps(body), ("sub", "sub/deep"), strict=True):
        assert attributes[0] == (folder / path).stat().st_ino
        assert node
    body = reader.call(m.WALK, (root, (b"link", b"x")))[0][0]
    assert m.WALK.decode_reply(body)[:2] == [ELOOP, 1]
    assert steps(body)[0][2] == b"sub/file"
    assert m.WALK.decode_reply(reader.call(m.WALK, (root, (b"sub", b"file", b"x")))[0][0])[:2] == [ENOTDIR, 2]


def test_attributes_are_the_host_s(reader: Peer, folder: Path) -> None:
    root = reader.attach()
    found = ATTR.unpack(reader.call(m.GETATTR, (root, (b"sub", b"file")), 0)[0][0])
    st = (folder / "sub/file").stat()
    wanted = (st.st_ino, st.st_mode, st.st_nlink, st.st_uid, st.st_gid, st.st_size, st.st_blocks, st.st_blksize)
    assert found[:8] == wanted
    assert found[10:13] == (st.st_atime_ns, st.st_mtime_ns, st.st_ctime_ns)


def test_open_donates_a_read_only_descriptor(reader: Peer) -> None:
    bodies, fds = reader.call(m.OPEN, (reader.attach(), (b"sub", b"file")), os.O_RDONLY)
    assert m.OPEN.decode_reply(bodies[0])[0] == 0
    try:
        assert os.pread(fds[0], 100, 0) == b"contents"
        with pytest.raises(OSError, match="Bad file"):
            os.pwrite(fds[0], b"x", 0)
    finally:
        os.close(fds[0])


def test_only_regular_files_are_opened(reader: Peer) -> None:
    root = reader.attach()
    assert refused(reader, m.OPEN, (root, (b"fifo",)), 0) == ENXIO
    assert refused(reader, m.OPEN, (root, (b"sub",)), 0) == EISDIR
    assert refused(reader, m.OPEN, (root, (b"link",)), 0) == ELOOP
    assert refused(reader, m.OPEN, (root, ()), 0) == EISDIR
    assert refused(reader, m.OPEN, (root, (b"sub", b"file")), os.O_RDONLY | os.O_CREAT) == EINVAL
    assert refused(reader, m.OPEN, (root, (b"sub", b"file")), 3) == EINVAL


def test_a_read_only_tree_refuses_every_change(reader: Peer, folder: Path) -> None:
    root = reader.attach()
    place = (root, (b"sub", b"file"))
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    assert refused(reader, m.OPEN, place, os.O_RDWR) == EROFS
    assert refused(reader, m.OPEN, place, os.O_RDONLY | os.O_TRUNC) == EROFS
    for message in m.MESSAGES.values():
        if message.is_write:
            samples = {"place": place, "name": b"n", "text": b"t", "data": b"d", "ids": ()}
            assert refused(reader, message, *(samples.get(kind.name, 1) for kind in message.request)) != 0
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
    assert (folder / "sub/file").read_bytes() == b"contents"


def test_unknown_numbers_are_stale(reader: Peer) -> None:
    root = reader.attach()
    for number in (0, root + 1, 0xFFFFFFFF):
        assert refused(reader, m.GETATTR, (number, ()), 0) == ESTALE
    for number in (1, 0xFFFFFFFF):
        assert refused(reader, m.GETATTR, (root, ()), number) == ESTALE
        assert refused(reader, m.READ, number, 0, 10) == ESTALE


def test_forgotten_nodes_are_stale(reader: Peer) -> None:
    root = reader.attach()
    node = steps(reader.call(m.WALK, (root, (b"sub",)))[0][0])[0][1]
    reader.raw(m_frame(m.FORGET, (node,)))
    assert refused(reader, m.GETATTR, (node, ()), 0) == ESTALE


def m_frame(message: m.Message, *values: object) -> bytes:
    from gofer.protocol.wire import REQUEST, VERSION

    return REQUEST.pack(0, message.op, VERSION, 0) + message.encode(*values)


def test_many_requests_may_be_under_way(reader: Peer) -> None:
    from gofer.protocol.wire import REQUEST, VERSION

    root = reader.attach()
    for number in range(100, 150):
        reader.raw(REQUEST.pack(number, m.GETATTR.op, VERSION, 0) + m.GETATTR.encode((root, (b"sub",)), 0))
    assert [reader.receive()[0] for _ in range(50)] == list(range(100, 150))


def test_a_writable_tree(writer: Peer, folder: Path) -> None:
    root = writer.attach()
    me = (os.geteuid(), os.getegid())
    bodies, fds = writer.call(m.CREATE, (root, (b"sub",)), b"new", 0o440, *me)
    number = m.CREATE.decode_reply(bodies[0])[0]
    os.pwrite(fds[0], b"hello", 0)
    os.close(fds[0])
    assert (folder / "sub/new").read_bytes() == b"hello"
    assert stat.S_IMODE((folder / "sub/new").stat().st_mode) == 0o440
    assert writer.call(m.READ, number, 1, 3)[0] == [b"ell"]
    assert m.WRITE.decode_reply(writer.call(m.WRITE, number, -1, b"!")[0][0]) == [1]
    writer.call(m.ALLOCATE, number, 0, 0, 100)
    writer.call(m.FSYNC, number, 0)
    assert refused(writer, m.CREATE, (root, (b"sub",)), b"new", 0o600, *me) == EEXIST
    writer.call(m.SETATTR, (0, ()), number, m.SET_MODE | m.SET_SIZE, 0o640, 0, 0, 3, 0, 0)
    assert (folder / "sub/new").read_bytes() == b"hel"
    writer.call(m.SETATTR, (root, (b"link",)), 0, m.SET_MTIME, 0, 0, 0, 0, 0, 7_000_000_001)
    assert (folder / "link").lstat().st_mtime_ns == 7_000_000_001
    writer.call(m.MKDIR, (root, ()), b"made", 0o750, *me)
    writer.call(m.SYMLINK, (root, (b"made",)), b"s", b"/target", *me)
    writer.call(m.LINK, (root, (b"sub", b"new")), (root, (b"made",)), b"hard")
    writer.call(m.MKNOD, (root, (b"made",)), b"pipe", stat.S_IFIFO | 0o600, *me)
    assert refused(writer, m.MKNOD, (root, ()), b"dev", stat.S_IFCHR | 0o600, *me) != 0
    assert (folder / "made/hard").stat().st_nlink == 2
    assert os.readlink(folder / "made/s") == "/target"
    writer.call(m.RENAME, (root, (b"made",)), b"hard", (root, ()), b"moved", 0, 0)
    writer.call(m.UNLINK, (root, ()), b"moved")
    writer.call(m.UNLINK, (root, (b"made",)), b"s")
    writer.call(m.UNLINK, (root, (b"made",)), b"pipe")
    writer.call(m.RMDIR, (root, ()), b"made")
    assert not (folder / "made").exists()
    bodies, fds = writer.call(m.TMPFILE, (root, ()), 0o600, *me)
    os.close(fds[0])


def test_a_moved_folder_is_found_again(writer: Peer, folder: Path) -> None:
    root = writer.attach()
    node = steps(writer.call(m.WALK, (root, (b"sub",)))[0][0])[0][1]
    writer.call(m.RENAME, (root, ()), b"sub", (root, ()), b"other", 0, node)
    assert steps(writer.call(m.WALK, (node, (b"deep",)))[0][0])[0][0][0] == (folder / "other/deep").stat().st_ino


def test_extended_attributes_of_user_only(writer: Peer, folder: Path) -> None:
    root = writer.attach()
    place = (root, (b"sub", b"file"))
    try:
        os.setxattr(folder / "sub/file", "user.probe", b"1")
    except OSError:
        pytest.skip("no user attributes on this file system")
    writer.call(m.SETXATTR, place, b"user.mine", b"value", 0)
    assert writer.call(m.GETXATTR, place, b"user.mine")[0] == [b"value"]
    assert sorted(writer.call(m.LISTXATTR, place)[0][0].split(b"\0")) == [b"", b"user.mine", b"user.probe"]
    writer.call(m.REMOVEXATTR, place, b"user.mine")
    for name in (b"security.selinux", b"trusted.x", b"system.posix_acl_access", b"user.\0x"):
        assert refused(writer, m.GETXATTR, place, name) != 0


def test_statfs(reader: Peer, folder: Path) -> None:
    values = m.STATFS.decode_reply(reader.call(m.STATFS, (reader.attach(), ()))[0][0])
    assert values[1] == os.statvfs(folder).f_bsize


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    from gofer.launch import GoferError

    with pytest.raises(GoferError, match="No such file"):
        peer_for(tmp_path / "none")


def test_ten_thousand_entries_come_in_bounded_frames(tmp_path: Path) -> None:
    for index in range(10_000):
        (tmp_path / f"entry-{index:05}").touch()
    peer = peer_for(tmp_path)
    bodies, _ = peer.call(m.READDIR, (peer.attach(), ()))
    assert peer.close() == 0
    assert sum(len(body) for body in bodies) == 8 + ATTR_SIZE + 10_000 * (ATTR_SIZE + 4 + 11)
    assert len(bodies) > 10


def test_permission_is_the_gofer_s_own(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything; see tests/security")
    (folder / "sub/file").chmod(0)
    peer = peer_for(folder)
    assert refused(peer, m.OPEN, (peer.attach(), (b"sub", b"file")), 0) == EACCES
    peer.close()
