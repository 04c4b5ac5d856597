"""NUMA placement: one node, so the calls are absent, as in a kernel without CONFIG_NUMA."""

from syscalls.abi.errno import ENOSYS
from syscalls.registry import refused

for _name in ("mbind", "set_mempolicy", "get_mempolicy", "migrate_pages", "move_pages", "set_mempolicy_home_node"):
    refused(_name, ENOSYS, "one memory node, as in a kernel without CONFIG_NUMA")
refused("map_shadow_stack", ENOSYS, "no shadow stacks, as in a kernel without CONFIG_X86_USER_SHADOW_STACK")
