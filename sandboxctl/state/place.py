"""Where the records of sandboxes lie: one folder a sandbox below a folder of the format's version.

Imports next to nothing: engines start our runtime several times per container.
"""

import os
import stat

from sandboxctl.errors import SandboxError

#: of the records; a change that an older sandboxctl cannot read takes the next number and leaves the old folder alone
VERSION = "v1"


def default_root() -> str:
    """Root's is /run/sandboxctl; a user's is in $XDG_RUNTIME_DIR, else a folder of his own in $TMPDIR."""
    if os.geteuid() == 0 and os.access("/run", os.W_OK):  # not the root of a user namespace
        return "/run/sandboxctl"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and os.access(runtime, os.W_OK | os.X_OK):
        return os.path.join(runtime, "sandboxctl")
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"sandboxctl-{os.geteuid()}")


def prepare(root: str) -> str:
    """Make the folder of the records below ``root`` and return it. Raises SandboxError if it is not ours alone."""
    try:
        os.makedirs(root, 0o700, exist_ok=True)
        found = os.lstat(root)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), 0} or stat.S_IMODE(found.st_mode) & 0o022:
            raise SandboxError(f"{root} must be a folder of yours that nobody else may write to; remove it or chmod go-w it")
        folder = os.path.join(root, VERSION)
        os.makedirs(folder, 0o700, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"cannot make {root} for the state of sandboxes: {error.strerror}") from None
    return folder
