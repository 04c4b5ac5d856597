"""What the network gofer gives up before it sees a frame: its identity, capabilities, every file, and all calls but a few."""

import os

from gofer._sys._native import lib
from gofer.filter.install import install, load_network
from gofer.jail import limits

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_NAME = 4, 38, 15
_FILES_BY_ABI = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_SCOPES = 3  # abstract UNIX sockets and signals (Landlock ABI 6)


def confine(uid: int) -> None:
    """For good; ``uid`` is whom root becomes, -1: nobody else. Raises OSError."""
    program = load_network()
    limits.apply()
    lib.gofer_prctl(_PR_SET_NO_NEW_PRIVS, 1)
    lib.gofer_empty_bounding_set()
    if os.geteuid() == 0 and uid > 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    error = lib.gofer_set_capabilities(0)
    if error < 0:
        raise OSError(-error, "capabilities cannot be dropped")
    lib.gofer_prctl(_PR_SET_DUMPABLE, 0)
    _give_up_files()
    install(program)


def _give_up_files() -> None:
    """Landlock: handled and never granted; where the kernel has none the filter stands alone."""
    abi = lib.gofer_landlock_abi()
    if abi < 1:
        return
    ruleset = lib.gofer_landlock_create(_FILES_BY_ABI[min(abi, 5)], 0, _SCOPES if abi >= 6 else 0)
    if ruleset < 0:
        return
    try:
        error = lib.gofer_landlock_enforce(ruleset)
        if error < 0:
            raise OSError(-error, "landlock")
    finally:
        os.close(ruleset)
