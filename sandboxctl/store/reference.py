"""Names of images: HOST[:PORT]/NAME[:TAG|@DIGEST], as registries and engines have them."""

import re
from dataclasses import dataclass

from sandboxctl.store.errors import ImageError

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
LOCAL = "localhost"


@dataclass(frozen=True, slots=True)
class Reference:
    """``host`` with port, ``name`` of the repository, and a tag, a digest, or both."""

    host: str
    name: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """Without tag and digest."""
        return f"{self.host}/{self.name}"

    @property
    def target(self) -> str:
        """What a registry is asked for: the digest if there is one."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse(text: str, default_host: str = "") -> Reference:
    """Read a name; without tag and digest it is ``latest``, without a host it gets ``default_host``. Raises ImageError."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ImageError(f"{text!r}: what follows @ must be sha256: and 64 hexadecimal digits")
    head, slash, path = rest.partition("/")
    has_host = bool(slash) and ("." in head or ":" in head or head == LOCAL)
    host, name = (head, path) if has_host else (default_host, rest)
    name, colon, tag = name.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise ImageError(f"{text!r}: {tag!r} is not a tag")
    if not host:
        raise ImageError(f"{text!r} names no registry; write HOST/{rest}, for example registry.example/{rest}")
    if not _HOST.fullmatch(host) or not name or not all(_PART.fullmatch(part) for part in name.split("/")) or len(text) > 512:
        raise ImageError(f"{text!r} is not an image name: [HOST[:PORT]/]NAME[:TAG][@DIGEST], the name in lower case")
    if host == "docker.io" and "/" not in name:
        name = f"library/{name}"
    return Reference(host, name, tag if colon else "" if digest else "latest", digest)


def local(text: str) -> Reference:
    """A name for the store: ``localhost/`` is put before one without a host. Raises ImageError."""
    return parse(text, LOCAL)
