"""struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)).

An endpoint is (address, port) with 16 address bytes; an IPv4 address has the form ::ffff:a.b.c.d, so that both families share one
port table (RFC 4291, section 2.5.5.2).
"""

from typing import Final, NamedTuple

from syscalls.abi.errno import EAFNOSUPPORT, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_INET, AF_INET6, AF_UNSPEC

MAPPED: Final = bytes(10) + b"\xff\xff"
ANY4: Final = MAPPED + bytes(4)
ANY6: Final = bytes(16)
LOOPBACK4: Final = MAPPED + bytes((127, 0, 0, 1))
LOOPBACK6: Final = bytes(15) + b"\x01"
_IN_SIZE, _IN6_LEAST, _IN6_SIZE = 16, 24, 28


class Endpoint(NamedTuple):
    """An address of a host and a port of TCP or UDP."""

    address: bytes
    port: int

    @property
    def is_any(self) -> bool:
        """0.0.0.0 or ::."""
        return self.address in (ANY4, ANY6)

    @property
    def is_v4(self) -> bool:
        """Whether the address is an IPv4 one."""
        return self.address.startswith(MAPPED)


UNBOUND4: Final = Endpoint(ANY4, 0)
UNBOUND6: Final = Endpoint(ANY6, 0)


def family_of(raw: bytes) -> int:
    """sa_family. Errors: EINVAL too short for one."""
    if len(raw) < 2:
        raise SyscallError(EINVAL)
    return int.from_bytes(raw[:2], "little")


def parse(raw: bytes, family: int) -> Endpoint:
    """The endpoint in a raw sockaddr for a socket of ``family``. Errors: EINVAL too short, EAFNOSUPPORT another family."""
    if family == AF_INET:
        if len(raw) < _IN_SIZE:
            raise SyscallError(EINVAL)
        if family_of(raw) not in (AF_INET, AF_UNSPEC):
            raise SyscallError(EAFNOSUPPORT)
        return Endpoint(MAPPED + raw[4:8], int.from_bytes(raw[2:4], "big"))
    if family_of(raw) != AF_INET6:
        raise SyscallError(EAFNOSUPPORT if len(raw) >= _IN6_LEAST else EINVAL)
    if len(raw) < _IN6_LEAST:
        raise SyscallError(EINVAL)
    return Endpoint(raw[8:24], int.from_bytes(raw[2:4], "big"))


def encode(endpoint: Endpoint, family: int) -> bytes:
    """The raw sockaddr of an endpoint as a socket of ``family`` shows it."""
    port = endpoint.port.to_bytes(2, "big")
    if family == AF_INET:
        return AF_INET.to_bytes(2, "little") + port + endpoint.address[12:] + bytes(8)
    address = ANY6 if endpoint.address == ANY4 and not endpoint.port else endpoint.address
    return AF_INET6.to_bytes(2, "little") + port + bytes(4) + address + bytes(4)


def is_loopback(address: bytes) -> bool:
    """127.0.0.0/8 and ::1: what the device lo has, and all that is local."""
    return address == LOOPBACK6 or address[:13] == MAPPED + b"\x7f"
