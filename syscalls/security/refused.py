"""Kernel interfaces with a large attack surface that no guest gets."""

from syscalls.abi.errno import ENOSYS, EOPNOTSUPP, EPERM
from syscalls.registry import refused

refused("bpf", EPERM, "programs for the host's kernel")
refused("perf_event_open", EPERM, "counters of the host's kernel and processors")
refused("userfaultfd", EPERM, "page faults are the host kernel's")
refused("fanotify_init", EPERM, "needs CAP_SYS_ADMIN over the host's file systems")
refused("fanotify_mark", EPERM, "needs CAP_SYS_ADMIN over the host's file systems")
for _name in ("keyctl", "add_key", "request_key"):
    refused(_name, ENOSYS, "no key retention service, as in a kernel without CONFIG_KEYS")
for _name in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
    refused(_name, ENOSYS, "its rings lie in memory that can change after a check; programs fall back to plain calls")
refused("memfd_secret", ENOSYS, "off by default in Linux too")
for _name in ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"):
    refused(_name, EOPNOTSUPP, "not offered, as in a kernel whose Landlock is switched off at boot; the gofer is the boundary")
for _name in ("lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules"):
    refused(_name, ENOSYS, "no security modules inside")
