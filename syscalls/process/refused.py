"""Calls on other processes' memory and registers that a sandbox does not offer."""

from syscalls.abi.errno import ENOSYS, EPERM
from syscalls.registry import refused

refused("ptrace", EPERM, "the host's tracer slot of every guest thread is the sandbox's own")
refused("process_madvise", ENOSYS, "advice about another process's memory")
refused("process_mrelease", ENOSYS, "only an out-of-memory killer needs it")
refused("acct", EPERM, "process accounting belongs to the host")
