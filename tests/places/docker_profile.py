"""Docker's default seccomp profile for x86-64, without capabilities (moby, profiles/seccomp/default.json), as our own data.

The profile is a list of what is allowed, and everything else is answered with EPERM; this is the same list from its other end, so
that what a container lacks can be seen at a glance. ``masked`` are the conditions on arguments.
"""

import errno
from typing import Any, Final

from syscalls.abi.nr_x86_64 import NUMBERS

_PRIVILEGED: Final = """
    acct bpf chroot clock_settime delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick get_mempolicy
    init_module ioperm iopl kcmp lookup_dcookie mbind mount mount_setattr move_mount open_by_handle_at open_tree
    perf_event_open pidfd_getfd process_madvise quotactl quotactl_fd reboot set_mempolicy set_mempolicy_home_node
    setdomainname sethostname setns settimeofday syslog umount2 unshare vhangup
"""
_NEVER: Final = """
    _sysctl add_key afs_syscall create_module get_kernel_syms getpmsg kexec_file_load kexec_load keyctl migrate_pages move_pages
    nfsservctl pivot_root putpmsg query_module request_key security swapoff swapon sysfs tuxcall uselib userfaultfd ustat vserver
"""
#: calls of Linux that a release of docker did not know yet, or took out of its list
_BY_RELEASE: Final = {
    "20.10": """
        cachestat fchmodat2 futex_requeue futex_wait futex_waitv futex_wake landlock_add_rule landlock_create_ruleset
        landlock_restrict_self listmount lsm_get_self_attr lsm_list_modules lsm_set_self_attr map_shadow_stack memfd_secret mseal
        process_mrelease process_vm_readv process_vm_writev statmount
    """,
    "28": """
        io_uring_enter io_uring_register io_uring_setup listmount lsm_get_self_attr lsm_list_modules lsm_set_self_attr statmount
    """,
}
_NAMESPACES: Final = 0x7E020000
_PERSONALITIES: Final = (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)
_AF_VSOCK: Final = 40


def docker(release: str) -> dict[str, Any]:
    """The place that a container of ``release`` is, for ``under.py``."""
    refused = {*(_PRIVILEGED + _NEVER + _BY_RELEASE[release]).split(), "clone", "clone3", "personality", "socket"}
    return {
        "allowed": sorted(set(NUMBERS.values()) - {NUMBERS[name] for name in refused}),
        "allowed_if": [
            ["clone", 0, _NAMESPACES, 0],
            *(["personality", 0, 0xFFFFFFFF, value] for value in _PERSONALITIES),
            *(["socket", 0, 0xFFFFFFFF, family] for family in range(_AF_VSOCK)),
        ],
        "errno": {"clone3": errno.ENOSYS},
    }
