"""Who the gofer is once it serves: an unprivileged user, or root with the few capabilities that files need."""

import os

from gofer._sys._native import lib
from gofer.protocol.config import Config

# CAP_FSETID: a set-group-id folder of a group that the gofer is not in keeps its bit; who may set it the sentry has checked.
_CHOWN, _DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER, _FSETID = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4


def drop(config: Config) -> None:
    """Take on the configured identity for good. Raises OSError."""
    lib.gofer_empty_bounding_set()
    if os.geteuid() == 0 and config.uid > 0:
        try:
            os.setgroups([])
            os.setresgid(config.gid, config.gid, config.gid)
            os.setresuid(config.uid, config.uid, config.uid)
        except OSError as refusal:
            text = f"root cannot become user {config.uid} here (CAP_SETUID or CAP_SETGID is missing)"
            raise OSError(refusal.errno, text) from refusal
    kept = 0
    if os.geteuid() == 0 and config.keeps_privileges:
        kept = _DAC_READ_SEARCH
        if any(tree.is_writable for tree in config.trees):
            kept |= _CHOWN | _DAC_OVERRIDE | _FOWNER | _FSETID
    error = lib.gofer_set_capabilities(kept)
    if error < 0:
        raise OSError(-error, "capabilities cannot be dropped")
