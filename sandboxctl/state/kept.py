"""What a sandbox has changed in its image, kept from one run to the next as a layer in its folder."""

import contextlib
import os

from sandboxctl.config import SandboxConfig
from sandboxctl.errors import SandboxError
from sandboxctl.session import Session

NAME = "changes.tar"
#: bytes of an archive without a member
EMPTY = 2 * 512


def is_kept(config: SandboxConfig) -> bool:
    """Whether changes go into an overlay, which would vanish with the sandbox."""
    return not (config.rw or config.read_only)


def save(session: Session, folder: str) -> None:
    """Write the changes down in place of the last ones, by rename. Raises SandboxError; the last ones stay then."""
    path = os.path.join(folder, NAME)
    new = f"{path}.new"
    try:
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            session.export_changes(fd)
            is_empty = os.fstat(fd).st_size <= EMPTY
        finally:
            os.close(fd)
        if is_empty:
            os.unlink(new)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        else:
            os.rename(new, path)
    except OSError as error:
        raise SandboxError(f"what the sandbox has changed cannot be kept in {path}: {error.strerror}") from None


def restore(session: Session, folder: str) -> None:
    """Make the changes again that were written down, if there are any. Raises SandboxError."""
    try:
        fd = os.open(os.path.join(folder, NAME), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        session.restore_changes(fd)
    finally:
        os.close(fd)
