"""Builds images for tests: layers from lists of members, OCI layouts, docker archives, a root file system with busybox."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

BUSYBOX = shutil.which("busybox")
_WORDS = "sh ls id stat cat echo env pwd ln rm mkdir rmdir touch chmod chown mv cp wc find sleep true readlink mknod dd tar kill"
APPLETS = tuple(_WORDS.split())


def member(name, data=None, *, kind=None, mode=0o644, link="", uid=0, gid=0, mtime=1_700_000_000, dev=(0, 0), pax=None):
    """One tar member and its contents: a file if there is data, a folder if the name ends with a slash, else ``kind``."""
    info = tarfile.TarInfo(name.rstrip("/") or ".")
    info.mode, info.uid, info.gid, info.mtime = mode, uid, gid, mtime
    info.type = kind if kind is not None else tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    info.linkname = link
    info.devmajor, info.devminor = dev
    info.pax_headers = pax or {}
    info.size = len(data) if data is not None else 0
    return info, data


def folder(name, mode=0o755, **more):
    return member(name.rstrip("/") + "/", mode=mode, **more)


def symlink(name, target, **more):
    return member(name, kind=tarfile.SYMTYPE, link=target, mode=0o777, **more)


def hardlink(name, target):
    return member(name, kind=tarfile.LNKTYPE, link=target)


def whiteout(name):
    head, slash, tail = name.rpartition("/")
    return member(f"{head}{slash}.wh.{tail}", b"")


def opaque(name):
    return member(f"{name}/.wh..wh..opq", b"")


def layer(*members):
    """A plain tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def image_config(layers, **settings):
    """The JSON of an image's configuration; ``settings`` are keys of its part ``config``."""
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2024-01-02T03:04:05Z",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(data) for data in layers]},
            "history": [{"created": "2024-01-02T03:04:05Z", "created_by": f"layer {number}"} for number in range(len(layers))],
        }
    ).encode()


def pack_gzip(data):
    return gzip.compress(data, 6, mtime=0)


def pack_zstd(data):
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


PACKERS = {"": lambda data: data, "+gzip": pack_gzip, "+zstd": pack_zstd}


class Blobs(dict):
    """Blobs by digest, and the manifest that leads to them."""

    def put(self, data):
        self[digest_of(data)] = data
        return {"digest": digest_of(data), "size": len(data)}


def build(layers, packing="+gzip", **settings):
    """(blobs, descriptor of the manifest) of an OCI image."""
    blobs = Blobs()
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", **blobs.put(image_config(layers, **settings))}
    parts = [
        {"mediaType": f"application/vnd.oci.image.layer.v1.tar{packing}", **blobs.put(PACKERS[packing](data))} for data in layers
    ]
    media = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, "config": config, "layers": parts}).encode()
    return blobs, {"mediaType": media, **blobs.put(manifest)}


def write_layout(path, images):
    """Write an OCI layout folder; ``images`` maps names to what ``build`` returned."""
    path = Path(path)
    (path / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entries = []
    for name, (blobs, descriptor) in images.items():
        for digest, data in blobs.items():
            (path / "blobs/sha256" / digest[7:]).write_bytes(data)
        entries.append({**descriptor, **({"annotations": {"org.opencontainers.image.ref.name": name}} if name else {})})
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    return path


def busybox_layer(*more):
    """A root file system with busybox, account files and ``more``."""
    members = [folder("./"), folder("bin"), folder("etc"), folder("tmp", mode=0o1777)]
    members.append(member("bin/busybox", Path(BUSYBOX).read_bytes(), mode=0o755))
    members += [symlink(f"bin/{name}", "busybox") for name in APPLETS]
    members.append(member("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n"))
    members.append(member("etc/group", b"root:x:0:\nbob:x:1001:\nstaff:x:50:bob\n"))
    return layer(*members, *more)
