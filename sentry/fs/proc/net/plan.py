"""/proc/PID/net: the tables of the network namespace (proc_pid_net(5)). They are empty: there is no network stack yet."""

from typing import TYPE_CHECKING, Final

from sentry.fs.synthetic.node import Directory
from sentry.fs.synthetic.tree import File, plant

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.vfs.stat import Attr

_TCP: Final = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    b"                                                     \n"
)
_TCP6: Final = (
    b"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when"
    b" retrnsmt   uid  timeout inode\n"
)
_UDP: Final = (
    b"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
    b"             \n"
)
_UDP6: Final = (
    b"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when"
    b" retrnsmt   uid  timeout inode ref pointer drops\n"
)
_DEV: Final = (
    b"Inter-|   Receive                                                |  Transmit\n"
    b" face |bytes    packets errs drop fifo frame compressed multicast"
    b"|bytes    packets errs drop fifo colls carrier compressed\n"
    b"    lo:       0       0    0    0    0     0          0         0"
    b"        0       0    0    0    0     0       0          0\n"
)
_ROUTE: Final = b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
_UNIX: Final = b"Num       RefCount Protocol Flags    Type St Inode Path\n"

TABLES: Final = {
    b"arp": b"IP address       HW type     Flags       HW address            Mask     Device\n",
    b"dev": _DEV,
    b"if_inet6": b"",
    b"ipv6_route": b"",
    b"netlink": b"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n",
    b"packet": b"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n",
    b"protocols": (
        b"protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em\n"
    ),
    b"raw": _UDP,
    b"raw6": _UDP6,
    b"route": _ROUTE.ljust(127) + b"\n",
    b"tcp": _TCP,
    b"tcp6": _TCP6,
    b"udp": _UDP,
    b"udp6": _UDP6,
    b"unix": _UNIX,
}


def make_net(fs: "SyntheticFileSystem", target: "Target", attr: "Attr") -> Directory:
    """The directory of a process's network namespace."""
    directory = Directory(fs, attr)
    plant(directory, {name: File(text) for name, text in TABLES.items()})
    return directory
