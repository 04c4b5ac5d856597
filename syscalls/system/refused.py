"""System administration that no guest may do, and numbers that Linux itself has retired."""

from syscalls.abi.errno import EINVAL, ENOSYS, EPERM
from syscalls.registry import refused

_HOST = "concerns the host's kernel, which is not the guest's"
_RETIRED = "not implemented by Linux either"

for _name in ("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"):
    refused(_name, EPERM, _HOST)
for _name in ("reboot", "iopl", "ioperm", "vhangup", "quotactl_fd", "syslog"):
    refused(_name, EPERM, _HOST)
refused("modify_ldt", ENOSYS, "16-bit and 32-bit segments are not offered")
refused("sysfs", EINVAL, "obsolete; /proc/filesystems tells the same")
for _name in ("_sysctl", "create_module", "get_kernel_syms", "query_module", "nfsservctl", "getpmsg", "putpmsg"):
    refused(_name, ENOSYS, _RETIRED, man="unimplemented(2)")
for _name in ("afs_syscall", "tuxcall", "security", "vserver", "uselib", "epoll_ctl_old", "epoll_wait_old"):
    refused(_name, ENOSYS, _RETIRED, man="unimplemented(2)")
for _name in ("set_thread_area", "get_thread_area", "lookup_dcookie", "ustat"):
    refused(_name, ENOSYS, "for other architectures or obsolete on this one")
