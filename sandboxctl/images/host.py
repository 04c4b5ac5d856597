"""The image ``host``: this machine's root file system without what is private to its users and services."""

import os
import pwd

from sandboxctl.images.image import Image

_HIDDEN = ("root", "home", "run", "var/run")
_SHARED = ("/", "/usr", "/bin", "/sbin", "/lib", "/etc", "/var", "/opt", "/srv", "/tmp", "/nonexistent")


def resolve(_rest: str) -> Image:
    """Return the image of the machine that we run on."""
    return Image("host", "/", hidden=_HIDDEN + _caller_homes(), home="/tmp")


def _caller_homes() -> tuple[str, ...]:
    """The caller's home, if it is not under /root or /home anyway: it holds keys and tokens wherever it is."""
    homes = [os.environ.get("HOME", "")]
    try:
        homes.append(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        homes.append("")
    found = []
    for home in homes:
        path = os.path.realpath(home) if home.startswith("/") else "/"
        is_hidden = any(path == f"/{known}" or path.startswith(f"/{known}/") for known in _HIDDEN)
        if path not in _SHARED and not is_hidden and os.path.isdir(path):
            found.append(path[1:])
    return tuple(dict.fromkeys(found))
