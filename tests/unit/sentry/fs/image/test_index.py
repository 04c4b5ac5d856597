"""The index: found in place, refused when it is not ours; small files never show what lies beside them."""

import os

import pytest

from sandboxctl.store import index_file
from sandboxctl.store.entry import S_IFDIR, S_IFLNK, S_IFREG, Entry
from sandboxctl.store.tree import Tree
from sentry.fs.image.file import PackedFile
from sentry.fs.image.filesystem import COPIES_MAX, ImageFileSystem
from sentry.fs.image.index import HEADER, ROOT, BadIndex, ImageIndex
from sentry.fs.image.inode import ImageInode
from sentry.fs.tmpfs.storage import StoragePool
from sentry.mm.usermem import BytesSink
from syscalls.abi.errno import EACCES, EINVAL, ENODATA, ENOTDIR, ENXIO
from syscalls.abi.errors import SyscallError

CONTENTS = b"first" + b"second!" + b"third"


def encoded():
    tree = Tree()
    tree.add_layer(
        [
            Entry(b"", S_IFDIR | 0o711, uid=4),
            Entry(b"d/one", S_IFREG | 0o644, size=5, kind=1, where=0),
            Entry(b"d/two", S_IFREG | 0o600, size=7, kind=1, where=5, xattrs=((b"user.a", b"1"), (b"user.b", b""))),
            Entry(b"d/three", S_IFREG | 0o600, size=5, kind=1, where=12),
            Entry(b"link", S_IFLNK | 0o777, size=3, link=b"d/x"),
            Entry(b"e", 0, link=b"d/two"),
        ]
    )
    return index_file.encode(tree, 1)


def run(coro):
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("must not wait")


@pytest.fixture
def image(tmp_path):
    (tmp_path / "pack").write_bytes(CONTENTS)
    fs = ImageFileSystem(1, ImageIndex(encoded()), [], StoragePool())
    fs._packs[0] = os.open(tmp_path / "pack", os.O_RDONLY)
    yield fs
    fs.release()


def find(image, *names):
    found = run(image.root.lookup_many(list(names)))
    return found[-1]


def test_lookups(image):
    assert image.root.attr.ino == ROOT
    assert (image.root.attr.mode, image.root.attr.uid, image.root.attr.nlink) == (S_IFDIR | 0o711, 4, 3)
    one, two = find(image, b"d", b"one"), find(image, b"d", b"two")
    assert (one.attr.size, one.attr.nlink, two.attr.nlink) == (5, 1, 2)
    assert find(image, b"e").attr.ino == two.attr.ino
    assert [entry.name for entry in run(image.root.read_children())] == [b"d", b"e", b"link"]
    assert find(image, b"link").link_text == b"d/x"
    assert run(image.root.lookup(b"zzz")) is None
    assert run(image.root.lookup_many([b"d", b"none", b"x"]))[1:] == [None]
    assert len(run(image.root.lookup_many([b"e", b"x"]))) == 1
    for act, errno in ((one.lookup(b"x"), ENOTDIR), (one.read_children(), ENOTDIR), (one.readlink(), EINVAL)):
        with pytest.raises(SyscallError) as caught:
            run(act)
        assert caught.value.errno == errno


def test_attributes(image):
    two = find(image, b"d", b"two")
    assert run(two.listxattr()) == [b"user.a", b"user.b"]
    assert (run(two.getxattr(b"user.a")), run(two.getxattr(b"user.b"))) == (b"1", b"")
    for inode, name in ((two, b"user.c"), (image.root, b"user.a")):
        with pytest.raises(SyscallError) as caught:
            run(inode.getxattr(name))
        assert caught.value.errno == ENODATA


def read(file, offset, length):
    sink = BytesSink(length)
    assert file.try_read(sink, offset) == len(sink.data)
    return bytes(sink.data)


def test_reads_end_with_the_file(image):
    inode = find(image, b"d", b"two")
    assert isinstance(inode, ImageInode)
    file = PackedFile(inode, 0, image._packs[0])
    assert [read(file, at, 100) for at in (0, 3, 7, 50)] == [b"second!", b"ond!", b"", b""]
    assert read(file, 0, 3) == b"sec"
    assert (run(file.size()), run(file.seek_data(2, hole=False)), run(file.seek_data(2, hole=True))) == (7, 2, 7)
    with pytest.raises(SyscallError) as caught:
        run(file.seek_data(7, hole=False))
    assert caught.value.errno == ENXIO


def test_a_mapping_is_a_copy_of_this_file_only(image):
    file = PackedFile(find(image, b"d", b"two"), 0, image._packs[0])
    fd = run(file.mapping_fd(writable=False, shared=True))
    assert (os.pread(fd, 100, 0), os.fstat(fd).st_size) == (b"second!", 7)
    with pytest.raises(OSError):
        os.pwrite(fd, b"x", 0)
    assert run(PackedFile(find(image, b"e"), 0, image._packs[0]).mapping_fd(writable=True, shared=False)) == fd
    with pytest.raises(SyscallError) as caught:
        run(file.mapping_fd(writable=True, shared=True))
    assert caught.value.errno == EACCES


def test_copies_are_bounded(image):
    for ino in range(100, 100 + 2 * COPIES_MAX):
        image.mapped_copy(ino, image._packs[0], 0, 5)
    assert len(image._copies) == COPIES_MAX


@pytest.mark.parametrize("data", [b"", b"x" * 10, bytes(HEADER.size), encoded()[:-1], b"X" + encoded()[1:], encoded() + b"x"])
def test_what_is_no_index_is_refused(data):
    with pytest.raises(BadIndex):
        ImageIndex(data)
