"""Reads files of an image of the store from outside: account files, and what ``diff`` and ``cp`` want."""

import mmap
import os

from sandboxctl.images.image import Image
from sandboxctl.store.errors import ImageError
from sentry.fs.image.index import KIND_FILE, KIND_PACKED, ImageIndex, Record

_S_IFMT, _S_IFREG = 0o170000, 0o100000


class ImageContent:
    """One image's tree and contents."""

    def __init__(self, image: Image) -> None:
        assert image.layers is not None
        self._layers = image.layers
        try:
            with open(os.path.join(image.root, "index"), "rb") as file:
                self.index = ImageIndex(mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ))
        except (OSError, ValueError) as error:
            raise ImageError(f"image {image.name} is damaged: {error}; remove it with rmi and pull it again") from None

    def read_small(self, path: str, limit: int) -> bytes:
        """At most ``limit`` bytes of a regular file, b"" if there is none. No symbolic link is followed."""
        ino = self.index.walk(path.encode("utf-8", "surrogateescape"))
        if not ino:
            return b""
        record = self.index.record(ino)
        return self.read(record, min(limit, record.size)) if record.mode & _S_IFMT == _S_IFREG else b""

    def read(self, record: Record, length: int, offset: int = 0) -> bytes:
        """Bytes of a regular file."""
        folder = self._layers[record.layer]
        if record.kind == KIND_PACKED:
            name, offset = "pack", record.where + offset
        elif record.kind == KIND_FILE:
            name = str(record.where)
        else:
            return b""
        fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(fd, length, offset)
        finally:
            os.close(fd)
