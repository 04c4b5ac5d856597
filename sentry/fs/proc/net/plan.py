"""/proc/PID/net: the tables of the network namespace (proc_pid_net(5))."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc.net import inet, tables
from sentry.fs.synthetic.node import Directory
from sentry.fs.synthetic.tree import File, plant
from syscalls.abi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.vfs.stat import Attr

_PROTOCOLS: Final = (
    b"protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em\n"
)

TABLES: Final = {
    b"arp": File(tables.arp),
    b"dev": File(tables.dev),
    b"if_inet6": File(tables.if_inet6),
    b"ipv6_route": File(tables.ipv6_route),
    b"netlink": File(tables.netlink),
    b"packet": File(b"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"),
    b"protocols": File(_PROTOCOLS),
    b"raw": File(inet.datagrams("raw_sockets", AF_INET)),
    b"raw6": File(inet.datagrams("raw_sockets", AF_INET6)),
    b"route": File(tables.route),
    b"snmp": File(tables.snmp),
    b"sockstat": File(tables.sockstat),
    b"sockstat6": File(tables.sockstat6),
    b"tcp": File(inet.tcp(AF_INET)),
    b"tcp6": File(inet.tcp(AF_INET6)),
    b"udp": File(inet.datagrams("udp_ports", AF_INET)),
    b"udp6": File(inet.datagrams("udp_ports", AF_INET6)),
    b"unix": File(tables.unix),
}


def make_net(fs: "SyntheticFileSystem", target: "Target", attr: "Attr") -> Directory:
    """The directory of a process's network namespace."""
    directory = Directory(fs, attr)
    plant(directory, TABLES)
    return directory
