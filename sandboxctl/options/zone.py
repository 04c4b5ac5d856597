"""``--tz``: the time zone, as podman sets it: /etc/localtime is the host's file of that zone."""

import os

from sandboxctl.config import Volume
from sandboxctl.errors import OptionError

_ZONES = "/usr/share/zoneinfo"
_PLACE = "/etc/localtime"


def localtime(text: str) -> Volume:
    """The mount for ``Europe/Berlin`` or ``local``. Raises OptionError."""
    if text == "local":
        path = os.path.realpath(_PLACE)
    else:
        path = os.path.realpath(os.path.join(_ZONES, text))
        if text.startswith("/") or ".." in text.split("/") or not path.startswith(f"{_ZONES}/"):
            raise OptionError(f"--tz: {text!r} is no zone like Europe/Berlin, or local")
    if not os.path.isfile(path):
        raise OptionError(f"--tz: the host has no zone {text!r}; install tzdata, or see {_ZONES}")
    return Volume(path, _PLACE, read_only=True)
