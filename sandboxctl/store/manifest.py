"""The JSON shapes of images: OCI image-spec 1.1 and Docker's image manifest version 2, schema 2."""

from typing import Any, Final, TypeVar

import msgspec

from sandboxctl.store.errors import ImageError

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
ACCEPTED: Final = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
REF_NAME: Final = "org.opencontainers.image.ref.name"
MANIFEST_MAX: Final = 4 << 20
CONFIG_MAX: Final = 8 << 20
LAYERS_MAX: Final = 128

T = TypeVar("T")


class Platform(msgspec.Struct, omit_defaults=True):
    """What machine an image is for."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, rename="camel", omit_defaults=True):
    """A blob by digest and size."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] | None = None
    platform: Platform | None = None
    urls: list[str] | None = None


class Manifest(msgspec.Struct, rename="camel", omit_defaults=True):
    """An image's configuration and layers."""

    schema_version: int
    config: Descriptor
    layers: list[Descriptor]
    media_type: str = ""
    annotations: dict[str, str] | None = None


class Index(msgspec.Struct, rename="camel", omit_defaults=True):
    """Several manifests, one a platform."""

    schema_version: int
    manifests: list[Descriptor]
    media_type: str = ""
    annotations: dict[str, str] | None = None


class RootFs(msgspec.Struct):
    """The digests of the plain layers."""

    type: str = "layers"
    diff_ids: list[str] = msgspec.field(default_factory=list)


class History(msgspec.Struct, omit_defaults=True):
    """How a layer came to be."""

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool = False


class Settings(msgspec.Struct, rename="pascal", omit_defaults=True):
    """The part ``config``: how to run the image."""

    user: str | None = None
    exposed_ports: dict[str, Any] | None = None
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    volumes: dict[str, Any] | None = None
    working_dir: str | None = None
    labels: dict[str, str] | None = None
    stop_signal: str | None = None
    healthcheck: dict[str, Any] | None = None


class Config(msgspec.Struct, omit_defaults=True):
    """An image's configuration."""

    architecture: str = ""
    os: str = ""
    created: str | None = None
    author: str | None = None
    variant: str | None = None
    config: Settings | None = None
    rootfs: RootFs = msgspec.field(default_factory=RootFs)
    history: list[History] | None = None


class _Kind(msgspec.Struct, rename="camel"):
    media_type: str = ""
    schema_version: int = 0
    manifests: Any = None
    layers: Any = None


def decode(data: bytes, kind: type[T], what: str) -> T:
    """Decode JSON of a known shape. Raises ImageError that says what is wrong."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ImageError(f"{what} is not what the image specification says: {error}") from None


def is_index(data: bytes) -> bool:
    """Whether this is a list of manifests, not a manifest. Raises ImageError for neither."""
    kind = decode(data, _Kind, "the manifest")
    if kind.manifests is not None:
        return True
    if kind.layers is None or kind.schema_version != 2:
        raise ImageError("the image has an old manifest (schema 1); push it again with a tool of this decade")
    return False


def choose(index: Index, platform: Platform) -> Descriptor:
    """The manifest for ``platform``. Raises ImageError that lists what there is."""
    for wanted in index.manifests:
        own = wanted.platform
        if own is None:
            continue
        is_variant = not platform.variant or platform.variant == own.variant
        if own.os == platform.os and own.architecture == platform.architecture and is_variant:
            return wanted
    if len(index.manifests) == 1 and index.manifests[0].platform is None:
        return index.manifests[0]
    names = {f"{entry.platform.os}/{entry.platform.architecture}" for entry in index.manifests if entry.platform}
    offered = ", ".join(sorted(names)) or "none named"
    raise ImageError(f"the image is not there for {platform.os}/{platform.architecture}; there are: {offered}")


def encode(value: object) -> bytes:
    """Write a shape as JSON."""
    return msgspec.json.encode(value)


def builtins(value: object) -> dict[str, Any]:
    """A shape as a dictionary with its JSON names."""
    made: dict[str, Any] = msgspec.to_builtins(value)
    return made
