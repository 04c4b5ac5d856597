"""Calls on mounts that no guest may make, or not yet."""

from syscalls.abi.errno import EPERM
from syscalls.registry import refused

refused("swapon", EPERM, "swap space belongs to the host")
refused("swapoff", EPERM, "swap space belongs to the host", man="swapon(2)")
refused("quotactl", EPERM, "quotas belong to the host")
