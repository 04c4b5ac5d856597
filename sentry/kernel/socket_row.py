"""What /proc/net tells of a socket: the bridge between sockets and the file system, which do not know each other."""

from typing import NamedTuple


class InetRow(NamedTuple):
    """A line of /proc/net/{tcp,udp,raw}. Addresses have 16 bytes, IPv4 ones the form ::ffff:a.b.c.d."""

    family: int
    local: tuple[bytes, int]
    remote: tuple[bytes, int]
    state: int
    unsent: int
    unread: int
    uid: int
    ino: int
    references: int
    drops: int


class UnixRow(NamedTuple):
    """A line of /proc/net/unix; an abstract name begins with a NUL byte."""

    references: int
    is_listening: bool
    type: int
    is_connected: bool
    ino: int
    name: bytes


class NetlinkRow(NamedTuple):
    """A line of /proc/net/netlink."""

    protocol: int
    port: int
    groups: int
    unread: int
    ino: int
