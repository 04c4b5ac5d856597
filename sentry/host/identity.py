"""Who the sentry is on the host: an ordinary user, without capabilities, not to be traced by others."""

import ctypes
import os
import resource

from syscalls.abi.capability import CAP_LAST_CAP
from syscalls.abi.prctl import PR_CAPBSET_DROP, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS


def drop_privileges(uid: int, gid: int) -> None:
    """As root, become ``uid``/``gid`` with no supplementary groups; the kernel drops all capabilities with the ids.

    The bounding set goes first: afterwards nothing could bring a capability back, not even a set-id program.
    """
    if os.getuid() == 0:
        for capability in range(CAP_LAST_CAP + 1):
            _prctl(PR_CAPBSET_DROP, capability)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def harden() -> None:
    """No new privileges, and no ptrace by other processes of the same uid (kernel-facts.md 21)."""
    for option, value in ((PR_SET_NO_NEW_PRIVS, 1), (PR_SET_DUMPABLE, 0)):
        if not _prctl(option, value):
            raise OSError(ctypes.get_errno(), f"prctl({option})")


def _prctl(option: int, value: int) -> bool:
    """prctl(2); False if the host refuses (a capability that this kernel does not have, no right to drop it)."""
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def descriptors_granted() -> int:
    """How many descriptors the host grants to each process of ours, the guests' too."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def raise_descriptor_limit() -> None:
    """Use all descriptors that the host grants: donated files, memfds and the guest's reserved numbers need them."""
    hard = descriptors_granted()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
