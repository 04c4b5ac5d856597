"""When ``run`` asks a registry: ``--pull always|missing|never|newer``, docker's ``--platform``, and the ways to reach it."""

from dataclasses import dataclass
from typing import Final

from sandboxctl.errors import OptionError

POLICIES: Final = ("always", "missing", "never", "newer")
_REMOTE: Final = "docker://"


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What a caller wrote; ``platform`` is OS/ARCH."""

    pull: str = "missing"
    platform: str | None = None
    tls_verify: bool = True
    creds: str | None = None
    authfile: str | None = None
    ca_file: str | None = None
    cert_dir: str | None = None


def prepare(image: str, options: FetchOptions) -> None:
    """Fetch the image if the policy says so; afterwards the store has what there is to have. Raises OptionError, ImageError."""
    name = image.removeprefix(_REMOTE)
    is_remote = image.startswith(_REMOTE)
    has_host = "/" in name and ("." in name.partition("/")[0] or ":" in name.partition("/")[0])
    if options.platform is not None:
        _check_platform(options.platform)
    if not (is_remote or (has_host and options.pull in {"always", "newer"})):
        return
    if options.pull == "missing" and _has(name):
        return
    if options.pull == "never":
        if not _has(name):
            raise OptionError(f"{name} is not in the store, and --pull=never forbids asking the registry")
        return
    from sandboxctl.images.platform import parse
    from sandboxctl.images.remote.client import RegistryError
    from sandboxctl.images.remote.progress import choose
    from sandboxctl.images.remote.pull import PullOptions, pull

    platform = parse(options.platform) if options.platform is not None else None
    try:
        # newer: a manifest that is known costs one request, and no blob is fetched twice
        reach = (options.tls_verify, options.creds, options.authfile, options.ca_file)
        pull(name, PullOptions(*reach, platform, choose(quiet=False), options.cert_dir))
    except RegistryError:
        if options.pull == "newer" and _has(name):
            return
        raise


def _has(name: str) -> bool:
    from sandboxctl.images.stored import find
    from sandboxctl.store.place import Place

    return find(Place(), name) is not None


def _check_platform(text: str) -> None:
    """Only this machine's programs can run. Raises OptionError."""
    if text not in {"linux/amd64", "linux/amd64/v1", "linux/x86_64"}:
        raise OptionError(f"--platform {text!r}: only linux/amd64 runs here (--platform before run chooses how calls are caught)")
