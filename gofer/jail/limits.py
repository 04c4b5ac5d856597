"""Resource limits of the gofer: it starts nothing, dumps nothing and stays small."""

import resource

_DESCRIPTORS = 8192
_ADDRESS_SPACE = 1 << 30


def _lower(which: int, soft: int) -> int:
    hard = resource.getrlimit(which)[1]
    value = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(which, (value, value))
    return value


def apply() -> int:
    """Set the limits; returns how many descriptors there may be. RLIMIT_CORE 1: core(5) makes 0 no bar to a piped handler."""
    descriptors = _lower(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _lower(resource.RLIMIT_NPROC, 0)
    _lower(resource.RLIMIT_CORE, 1)
    _lower(resource.RLIMIT_AS, _ADDRESS_SPACE)
    _lower(resource.RLIMIT_MEMLOCK, 0)
    return descriptors
