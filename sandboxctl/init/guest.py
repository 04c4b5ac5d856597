"""Where the guest finds the init of ``--init``, and how it is told what to run."""

import os
from collections.abc import Sequence

from sandboxctl.config import Volume
from sandboxctl.errors import SandboxError
from sandboxctl.init.build import NAME

#: in a file system that every sandbox has and whose mount points are made nowhere else
PLACE = "/dev/shm/.init"


def volume() -> Volume:
    """Return the mount that shows the program. Raises SandboxError if it has not been built."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), NAME)
    if not os.access(path, os.X_OK):
        raise SandboxError("--init: the guest's init is not built; run 'make setup' or install a wheel")
    return Volume(path, PLACE, read_only=True)


def wrap(argv: Sequence[str]) -> list[bytes]:
    """Return the words that run ``argv`` under the init."""
    return [os.fsencode(word) for word in (PLACE, *argv)]
