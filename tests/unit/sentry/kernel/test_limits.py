"""Bytes that the sentry keeps for its guests are bounded, to the byte."""

import pytest

from sentry.kernel.limits import SandboxLimits
from syscalls.abi.errno import ENOMEM
from syscalls.abi.errors import SyscallError


@pytest.mark.parametrize(("bytes_max", "memory_max", "limit"), [(100, None, 100), (100, 60, 60), (50, 60, 50)])
def test_the_last_byte_fits_and_no_more(bytes_max: int, memory_max: int | None, limit: int) -> None:
    limits = SandboxLimits(bytes_max=bytes_max, memory_max=memory_max)
    limits.charge(limit - 1)
    limits.charge(1)
    with pytest.raises(SyscallError) as caught:
        limits.charge(1)
    assert caught.value.errno == ENOMEM
    assert limits.bytes_used == limit
    limits.uncharge(10)
    limits.charge(10)
    assert limits.bytes_used == limit
