"""Fetches one blob, resuming where an earlier attempt was cut off, and checks it while it comes."""

import fcntl
import hashlib
import os
import threading
from collections.abc import Callable
from typing import Final

from urllib3.exceptions import HTTPError

from sandboxctl.images.remote.client import RegistryClient, RegistryError, Response
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import Descriptor
from sandboxctl.store.place import hex_of
from sandboxctl.store.store import Store
from sandboxctl.store.stream import BLOB_MAX, CHUNK

ATTEMPTS: Final = 5  # in a row, without a byte of progress
FIRST_DELAY: Final = 0.2
Report = Callable[[int], None]


class Cancelled(ImageError):
    """Another part of the pull has failed."""

    def __init__(self) -> None:
        super().__init__("the pull was cancelled")


class Download:
    """One blob on its way. ``report`` is told how many bytes there are; ``cancel`` ends it."""

    def __init__(self, store: Store, client: RegistryClient, blob: Descriptor, report: Report, cancel: threading.Event) -> None:
        self._store = store
        self._client = client
        self._blob = blob
        self._report = report
        self._cancel = cancel
        self._sum = hashlib.sha256()
        self._done = 0
        if not 0 <= blob.size <= BLOB_MAX:
            raise ImageError(f"blob {blob.digest[:90]} claims {blob.size} bytes: refused")

    def run(self) -> None:
        """Fetch it into the store. Raises ImageError."""
        store, digest = self._store, self._blob.digest
        if store.has_blob(digest):
            self._report(self._blob.size)
            return
        path = store.place.path("partial", hex_of(digest))
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # another pull may be fetching the same: it will be there then
            if store.has_blob(digest):
                self._report(self._blob.size)
                return
            self._take_up(fd)
            self._fetch(fd)
            try:
                store.check_digest(f"sha256:{self._sum.hexdigest()}", self._done, digest, self._blob.size)
            except ImageError:
                os.unlink(path)
                raise
            os.fchmod(fd, 0o644)
            os.rename(path, store.place.blob(digest))
        finally:
            os.close(fd)

    def _take_up(self, fd: int) -> None:
        """What is there already counts."""
        if os.fstat(fd).st_size > self._blob.size:
            os.ftruncate(fd, 0)
        while data := os.read(fd, CHUNK):
            self._sum.update(data)
            self._done += len(data)
        self._report(self._done)

    def _start_again(self, fd: int) -> None:
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        self._sum = hashlib.sha256()
        self._done = 0

    def _fetch(self, fd: int) -> None:
        failures = 0
        while self._done < self._blob.size:
            before = self._done
            try:
                self._attempt(fd)
            except RegistryError as error:
                failures = failures + 1 if self._done <= before else 1
                if not error.is_passing or failures >= ATTEMPTS:
                    raise
                if self._cancel.wait(FIRST_DELAY * 2 ** (failures - 1)):
                    raise Cancelled from None

    def _attempt(self, fd: int) -> None:
        headers = {"Accept-Encoding": "identity"}
        if self._done:
            headers["Range"] = f"bytes={self._done}-"
        url = self._client.url("blobs", self._blob.digest)
        response = self._client.request("GET", url, headers, good=(200, 206, 416))
        try:
            if response.status == 416 or (response.status == 206 and not _starts_at(response, self._done)):
                self._start_again(fd)
                raise RegistryError("the registry cannot resume", is_passing=True)
            if response.status == 200 and self._done:
                self._start_again(fd)
            self._receive(fd, response)
        finally:
            response.close()

    def _receive(self, fd: int, response: Response) -> None:
        try:
            while data := response.read(CHUNK):
                if self._cancel.is_set():
                    raise Cancelled
                if self._done + len(data) > self._blob.size:
                    self._start_again(fd)
                    raise ImageError(f"blob {self._blob.digest} has more than its {self._blob.size} bytes: refused")
                _write(fd, data)
                self._sum.update(data)
                self._done += len(data)
                self._report(self._done)
        except (HTTPError, OSError) as error:
            raise RegistryError(f"the connection broke: {error}", is_passing=True) from None
        if self._done < self._blob.size:
            raise RegistryError("the connection ended early", is_passing=True)


def _starts_at(response: Response, offset: int) -> bool:
    return response.headers.get("Content-Range", "").replace(" ", "").startswith(f"bytes{offset}-")


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
