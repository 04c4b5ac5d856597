"""struct sockaddr_un (unix(7), "Address format").

A name is kept as bytes: a path, or NUL and the abstract name; b"" means unnamed.
"""

from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_UNIX, SOCKADDR_UN_HEAD, UNIX_PATH_MAX

_HEAD = SOCKADDR_UN_HEAD.size
UNNAMED = b""


def family_of(address: bytes) -> int:
    """sa_family. Errors: EINVAL too short for one."""
    if len(address) < _HEAD:
        raise SyscallError(EINVAL)
    return int(SOCKADDR_UN_HEAD.unpack_from(address)[0])


def parse(address: bytes) -> bytes:
    """Return the name in a raw sockaddr. Errors: EINVAL wrong family, no name, too long."""
    if not _HEAD < len(address) <= _HEAD + UNIX_PATH_MAX or family_of(address) != AF_UNIX:
        raise SyscallError(EINVAL)
    name = address[_HEAD:]
    return name if name[0] == 0 else name.split(b"\0", 1)[0]


def encode(name: bytes) -> bytes:
    """The raw sockaddr of a name, as getsockname(2) gives it: a path with its NUL."""
    head = SOCKADDR_UN_HEAD.pack(AF_UNIX)
    return head + name + b"\0" if name and name[0] else head + name
