"""Layers become an index: random trees against a reference application, and everything that must be refused."""

import io
import os
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandboxctl.images.content import ImageContent
from sandboxctl.images.stored import image_of
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place
from sandboxctl.store.store import Store
from tests.guestlib import images
from tests.unit.sandboxctl.store import reference_tree


def load(tmp_path, layers, packing="+gzip", **config):
    """An image of these layers (plain archives) in a store below ``tmp_path``."""
    store = Store(Place(str(tmp_path / "store")))
    blobs, descriptor = images.build(layers, packing, **config)
    with store.adding():
        for data in blobs.values():
            store.put_blob(io.BytesIO(data), images.digest_of(data), len(data))
        record = store.add_image(descriptor["digest"])
    return store, record


def content(tmp_path, *layers, packing="+gzip"):
    store, record = load(tmp_path, [images.layer(*members) for members in layers], packing)
    return ImageContent(image_of(store.place, "x", record))


NAMES = st.sampled_from(["a", "b", "c", "dd"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def layer_members(draw, below):
    """Members of one layer over the paths that exist ``below``; only folders have something beneath them."""
    members, made = [], {}
    for path in draw(st.lists(PATHS, max_size=8)):
        parents = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if any(made.get(parent, below.get(parent, "dir")) != "dir" for parent in parents) or path in made:
            continue
        kind = draw(st.sampled_from(["file", "file", "dir", "link", "fifo", "hard", "white", "opaque"]))
        attributes = {"mode": draw(st.integers(0, 0o7777)), "uid": draw(st.integers(0, 70000)), "gid": draw(st.integers(0, 9))}
        if kind == "white":
            if below and not any(name == path or name.startswith(path + "/") for name in made):
                members.insert(0, images.whiteout(path))
                for name in [name for name in below if name == path or name.startswith(path + "/")]:
                    del below[name]
            continue
        if kind == "opaque":
            if below.get(path) == "dir" and not any(name.startswith(path + "/") for name in made):
                members.append(images.opaque(path))
                for name in [name for name in below if name.startswith(path + "/")]:
                    del below[name]
            continue
        if kind == "hard":
            targets = [name for name, what in made.items() if what in {"file", "fifo"}]
            if not targets or any(name.startswith(path + "/") for name in {**below, **made}):
                continue
            members.append(images.hardlink(path, draw(st.sampled_from(sorted(targets)))))
            made[path] = "other"
            continue
        for parent in parents:
            made.setdefault(parent, "dir")
        if kind != "dir" and any(name.startswith(path + "/") for name in made):
            continue
        if kind == "file":
            size = draw(st.sampled_from([0, 1, 100, 16384, 16385, 40000]))
            members.append(images.member(path, draw(st.binary(min_size=1, max_size=1)) * size, **attributes))
        elif kind == "dir":
            members.append(images.folder(path, **attributes))
        elif kind == "link":
            members.append(images.symlink(path, draw(st.sampled_from(["a", "/b", "../x"]))))
        else:
            members.append(images.member(path, kind=tarfile.FIFOTYPE, **attributes))
        made[path] = kind
    for name in [name for name in below if any(made.get(up) not in {None, "dir"} and name.startswith(up + "/") for up in made)]:
        del below[name]
    below |= made
    return members


@st.composite
def stacks(draw):
    below = {}
    return [draw(layer_members(below)) for _ in range(draw(st.integers(1, 3)))]


@given(stacks(), st.sampled_from(["", "+gzip", "+zstd"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_layers_like_the_reference(tmp_path_factory, stack, packing):
    ours = reference_tree.read(content(tmp_path_factory.mktemp("store"), *stack, packing=packing))
    assert ours == reference_tree.apply(stack)


def test_attributes_are_exact(tmp_path):
    pax = {"mtime": "1234567890.123456789", "SCHILY.xattr.user.one": "é\x00\udcff"}
    pax |= {"SCHILY.xattr.security.capability": "\x01", "SCHILY.xattr.system.x": "no"}
    image = content(
        tmp_path,
        [
            images.member("big", b"x", uid=4_000_000_000, gid=3_000_000_000, mode=0o6755, pax=pax),
            images.member("null", kind=tarfile.CHRTYPE, dev=(1, 3), mode=0o666),
            images.member("disk", kind=tarfile.BLKTYPE, dev=(259, 70000), mode=0o660),
            images.member("old", b"", pax={"mtime": "-1.5"}),
        ],
    )
    index = image.index
    big = index.record(index.walk(b"big"))
    assert (big.mode, big.uid, big.gid, big.mtime_ns) == (0o106755, 4_000_000_000, 3_000_000_000, 1_234_567_890_123_456_789)
    assert index.xattrs(big) == {b"security.capability": b"\x01", b"user.one": b"\xc3\xa9\x00\xff"}
    null, disk = (index.record(index.walk(name)) for name in (b"null", b"disk"))
    assert (null.mode, null.rdev) == (0o020666, os.makedev(1, 3))
    assert (disk.mode, disk.rdev) == (0o060660, os.makedev(259, 70000))
    assert index.record(index.walk(b"old")).mtime_ns == -1_500_000_000


def test_a_later_member_of_the_same_name_wins(tmp_path):
    members = [images.member("a", b"1"), images.folder("a"), images.member("a/b", b"2"), images.member("a", b"3")]
    image = content(tmp_path, members)
    assert reference_tree.read(image)["a"][5] == b"3"


def test_leading_slashes_and_dots_mean_the_root(tmp_path):
    image = content(tmp_path, [images.member("/etc/x", b"1"), images.member("./etc//y", b"2"), images.hardlink("z", "/etc/x")])
    assert {path for path, entry in reference_tree.read(image).items() if entry[0] == "file"} == {"etc/x", "etc/y", "z"}


def test_a_link_of_a_lower_layer_is_followed_inside_the_image(tmp_path):
    lower = [images.folder("usr/lib"), images.symlink("lib", "usr/lib"), images.symlink("up", "../../../usr")]
    image = content(tmp_path, lower, [images.member("lib/x", b"1"), images.member("up/y", b"2")])
    assert {"usr/lib/x", "usr/y", "lib", "up"} <= set(reference_tree.read(image))


REFUSED = {
    "dots": ([images.member("a/../../etc/passwd", b"x")], "leads out of the image"),
    "hard link with dots": ([images.hardlink("a", "../../etc/passwd")], "leads out of the image"),
    "hard link to nothing": ([images.hardlink("a", "b")], "no such file"),
    "hard link to a folder": ([images.folder("b"), images.hardlink("a", "b")], "no such file"),
    "through an own link": ([images.symlink("a", "/tmp"), images.member("a/b", b"x")], "its own symbolic link"),
    "hard link through an own link": (
        [images.folder("d"), images.member("d/f", b""), images.symlink("a", "d"), images.hardlink("b", "a/f")],
        "its own symbolic link",
    ),
    "below a file": ([images.member("a", b"x"), images.member("a/b", b"x")], "no folder"),
    "root is no folder": ([images.member("./", kind=tarfile.REGTYPE)], "no folder"),
    "device number": ([images.member("d", kind=tarfile.CHRTYPE, dev=(5000, 1))], "device number"),
    "long name": ([images.member("n" * 256, b"x")], "too long"),
    "long path": ([images.member("n/" * 3000 + "x", b"x")], "too long"),
    "link to nothing": ([images.symlink("a", "")], "bad path"),
    "whiteout of dots": ([images.member(".wh...", b"")], "whiteout"),
    "unknown type": ([images.member("a", kind=b"Z")], "unknown type"),
    "large attribute": ([images.member("a", b"", pax={"SCHILY.xattr.user.a": "x" * 70000})], "too large extended"),
    "large header": ([images.member("a", b"", pax={"comment": "x" * (2 << 20)})], "extended header"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_tricks_are_refused(tmp_path, name):
    members, words = REFUSED[name]
    with pytest.raises(ImageError, match=words):
        content(tmp_path, members)
    assert not list((tmp_path / "store/images").iterdir())
    assert not list((tmp_path / "store/tmp").iterdir())


def huge(size):
    """The header of a file of ``size`` bytes without its contents."""
    info, _ = images.member("huge", b"")
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


@pytest.mark.parametrize("size", [1 << 39, 1 << 41, 1 << 62])
def test_a_size_that_no_disk_has_is_refused(tmp_path, size):
    with pytest.raises(ImageError, match=r"refused|free space"):
        load(tmp_path, [huge(size)])


@pytest.mark.parametrize("packing", ["", "+gzip", "+zstd"])
@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_cut_or_damaged_archive_is_refused(tmp_path, packing, cut):
    whole = images.layer(*[images.member(f"f{number}", os.urandom(3000)) for number in range(20)])
    data = images.PACKERS[packing](whole)
    data = data[: int(len(data) * cut)]
    store = Store(Place(str(tmp_path / "store")))
    with store.adding(), pytest.raises(ImageError):
        store.apply_layer(io.BytesIO(data), images.digest_of(whole))
    damaged = bytearray(whole)
    damaged[3584 * 4 + 20] ^= 0xFF
    with store.adding(), pytest.raises(ImageError, match="damaged at byte"):
        store.apply_layer(io.BytesIO(images.PACKERS[packing](bytes(damaged))))


def test_wrong_plain_digest_is_refused(tmp_path):
    store = Store(Place(str(tmp_path / "store")))
    with store.adding(), pytest.raises(ImageError, match="wrong content"):
        store.apply_layer(io.BytesIO(images.layer()), "sha256:" + "0" * 64)
    assert not os.listdir(tmp_path / "store/layers")


def test_several_gzip_members_and_zstd_frames(tmp_path):
    data = images.layer(images.member("a", b"x" * 100_000))
    for pack in (images.pack_gzip, images.pack_zstd):
        store = Store(Place(str(tmp_path / pack.__name__)))
        with store.adding():
            assert store.apply_layer(io.BytesIO(pack(data[:70_000]) + pack(data[70_000:]))) == images.digest_of(data)
