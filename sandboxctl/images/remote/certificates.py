"""``--cert-dir``, and where podman and docker keep a registry's certificates (containers-certs.d(5)).

*.crt are authorities to trust beside the system's; NAME.cert and NAME.key are ours, shown to a registry that asks.
"""

import os
import ssl

from sandboxctl.errors import OptionError
from sandboxctl.store.errors import ImageError


def add(context: ssl.SSLContext, host: str, chosen: str | None) -> None:
    """Load what the folder ``chosen`` has, or else the first folder of ``host`` that there is. Raises OptionError, ImageError."""
    if chosen is not None:
        if not os.path.isdir(chosen):
            raise OptionError(f"--cert-dir: {chosen!r} is not a folder")
        _load(context, chosen)
        return
    for folder in _places():
        path = os.path.join(folder, host)
        if os.path.isdir(path):
            _load(context, path)
            return


def _places() -> list[str]:
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    own = os.path.join(config, "containers", "certs.d")
    return [own, "/etc/containers/certs.d", "/etc/docker/certs.d"]


def _load(context: ssl.SSLContext, folder: str) -> None:
    path = folder
    try:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".crt"):
                context.load_verify_locations(cafile=path)
            elif name.endswith(".cert"):
                context.load_cert_chain(path, f"{path.removesuffix('.cert')}.key")
    except ssl.SSLError:
        raise ImageError(f"{path!r} is no certificate, or its key does not fit") from None
    except OSError as error:
        raise ImageError(f"cannot read {path!r} and its key: {error.strerror}") from None
