"""The store's folder: what lies where, and the locks that make it safe to share (docs/adr, 20).

    blobs/sha256/HEX    manifests, configurations and layers as they came, by their digest
    layers/HEX/         applied layers, by the digest of the plain archive
    images/HEX/         image.json and index, by the digest of the configuration (the image's id)
    sources/HEX         which image came out of an archive file, so that it is not read again
    names.json          names and what they stand for
    partial/HEX         downloads that were cut off
    tmp/                what is being made

Everything is made under tmp/ and renamed, so that a SIGKILL at any point leaves nothing half-done but rubbish in tmp/. ``lock``
is held shared by whoever adds, exclusively by whoever removes; a running sandbox holds its image's index.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from sandboxctl.store.errors import ImageError

FOLDERS = ("blobs", "blobs/sha256", "layers", "images", "sources", "partial", "tmp")


def default_root() -> str:
    """SANDBOXCTL_STORE, else /var/lib for root, else the user's data folder."""
    chosen = os.environ.get("SANDBOXCTL_STORE")
    if chosen:
        return os.path.abspath(chosen)
    if os.geteuid() == 0:
        return "/var/lib/sandboxctl/store"
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local/share")
    return os.path.join(data, "sandboxctl", "store")


class Place:
    """Paths below the store's root. Nothing is made until ``prepare``."""

    def __init__(self, root: str | None = None) -> None:
        self.root = root if root is not None else default_root()

    def prepare(self) -> None:
        """Make the folders. Raises ImageError."""
        try:
            os.makedirs(self.root, mode=0o700, exist_ok=True)
            for name in FOLDERS:
                os.makedirs(os.path.join(self.root, name), mode=0o700, exist_ok=True)
        except OSError as error:
            raise ImageError(
                f"cannot make the image store {self.root!r}: {error.strerror}; choose another with SANDBOXCTL_STORE"
            ) from None

    def path(self, *names: str) -> str:
        """A path below the root."""
        return os.path.join(self.root, *names)

    def blob(self, digest: str) -> str:
        """Where the blob ``sha256:...`` is, or would be."""
        return self.path("blobs", "sha256", hex_of(digest))

    def layer(self, diff_id: str) -> str:
        """The folder of an applied layer."""
        return self.path("layers", hex_of(diff_id))

    def image(self, image_id: str) -> str:
        """The folder of an image."""
        return self.path("images", hex_of(image_id))

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """While things are added: nothing that is not yet referred to is removed."""
        self.prepare()
        with self._locked("lock", fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def removing(self) -> Iterator[bool]:
        """While things are removed: False, and then nothing may be, if somebody is adding just now."""
        self.prepare()
        fd = os.open(self.path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def naming(self) -> Iterator[None]:
        """While names.json is read and written again."""
        self.prepare()
        with self._locked("names.lock", fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def _locked(self, name: str, kind: int) -> Iterator[None]:
        fd = os.open(self.path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, kind)
            yield
        finally:
            os.close(fd)

    def new_folder(self) -> str:
        """An empty folder in tmp/."""
        from tempfile import mkdtemp

        return mkdtemp(dir=self.path("tmp"))

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a small file in one step."""
        from tempfile import mkstemp

        fd, name = mkstemp(dir=self.path("tmp"))
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
            os.chmod(name, 0o644)
            os.rename(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


def move_in(folder: str, target: str) -> None:
    """Give a finished folder its name; if somebody was faster theirs stays."""
    try:
        os.rename(folder, target)
    except OSError:
        from shutil import rmtree

        rmtree(folder, ignore_errors=True)
        if not os.path.isdir(target):
            raise


def hex_of(digest: str) -> str:
    """The hexadecimal part of ``sha256:...``. Raises ImageError for anything else: it becomes a file name."""
    kind, _, text = digest.partition(":")
    if kind != "sha256" or len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ImageError(f"{digest[:90]!r} is not a sha256 digest")
    return text
