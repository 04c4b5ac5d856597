"""/sys/class/net and /sys/devices/virtual/net: the network devices of the reader's namespace (sysfs(5), netdevice(7))."""

from typing import TYPE_CHECKING

from sentry.fs.synthetic.node import Directory, DynamicDirectory, Link
from sentry.fs.synthetic.tree import File, plant
from syscalls.abi.netlink import IFF_LOOPBACK, IFF_LOWER_UP, IFF_UP

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.net_devices import NetDevice
    from sentry.vfs.inode import Inode

#: Linux: net/core/net-sysfs.c, format_operstate: a loopback device does not know
_STATISTICS = (
    b"collisions", b"multicast", b"rx_bytes", b"rx_compressed", b"rx_crc_errors", b"rx_dropped", b"rx_errors", b"rx_fifo_errors",
    b"rx_frame_errors", b"rx_length_errors", b"rx_missed_errors", b"rx_nohandler", b"rx_over_errors", b"rx_packets",
    b"tx_aborted_errors", b"tx_bytes", b"tx_carrier_errors", b"tx_compressed", b"tx_dropped", b"tx_errors", b"tx_fifo_errors",
    b"tx_heartbeat_errors", b"tx_packets", b"tx_window_errors",
)  # fmt: skip


class _DeviceList(DynamicDirectory):
    """The names of the devices."""

    __slots__ = ()

    def _devices(self) -> "list[NetDevice]":
        viewer = self.fs.viewer
        return viewer.kernel.net.devices.all() if viewer is not None else []

    def names(self) -> list[bytes]:
        return [device.name for device in self._devices()]

    def find(self, name: bytes) -> "Inode | None":
        device = next((device for device in self._devices() if device.name == name), None)
        return None if device is None else self._make(device)

    def _make(self, device: "NetDevice") -> "Inode":
        raise NotImplementedError


class NetClass(_DeviceList):
    """/sys/class/net: links."""

    __slots__ = ()

    def _make(self, device: "NetDevice") -> "Inode":
        return self.fs.intern(("net", device.name), lambda: Link(self.fs, b"../../devices/virtual/net/" + device.name))


class NetDevices(_DeviceList):
    """/sys/devices/virtual/net: what is known of each."""

    __slots__ = ()

    def _make(self, device: "NetDevice") -> "Inode":
        return self.fs.intern(("device", id(device)), lambda: _folder(self.fs, device))


def _folder(fs: "SyntheticFileSystem", device: "NetDevice") -> Directory:
    folder = Directory(fs)
    is_loopback = bool(device.flags & IFF_LOOPBACK)
    address = b":".join(b"%02x" % octet for octet in device.hardware) + b"\n"
    plant(
        folder,
        {
            b"addr_assign_type": File(b"0\n"),
            b"addr_len": File(b"%d\n" % len(device.hardware)),
            b"address": File(address),
            b"broadcast": File(b"00:00:00:00:00:00\n" if is_loopback else b"ff:ff:ff:ff:ff:ff\n"),
            b"carrier": File(lambda task: b"%d\n" % bool(device.flags & IFF_LOWER_UP)),
            b"dev_id": File(b"0x0\n"),
            b"dormant": File(b"0\n"),
            b"flags": File(lambda task: b"0x%x\n" % (device.flags & 0xFFBF)),
            b"ifalias": File(b""),
            b"ifindex": File(b"%d\n" % device.index),
            b"iflink": File(b"%d\n" % device.index),
            b"link_mode": File(b"0\n"),
            b"mtu": File(lambda task: b"%d\n" % device.mtu),
            b"operstate": File(lambda task: _state(device)),
            b"statistics": {name: File(b"0\n") for name in _STATISTICS} | _counters(device),
            b"tx_queue_len": File(lambda task: b"%d\n" % device.queue_length),
            b"type": File(b"%d\n" % device.type),
            b"uevent": File(b"INTERFACE=%b\nIFINDEX=%d\n" % (device.name, device.index)),
        },
    )
    return folder


def _counters(device: "NetDevice") -> dict[bytes, File]:
    """What a device really counts."""
    return {
        b"rx_packets": File(lambda task: b"%d\n" % device.received[0]),
        b"rx_bytes": File(lambda task: b"%d\n" % device.received[1]),
        b"tx_packets": File(lambda task: b"%d\n" % device.sent[0]),
        b"tx_bytes": File(lambda task: b"%d\n" % device.sent[1]),
    }


def _state(device: "NetDevice") -> bytes:
    if device.flags & IFF_LOOPBACK:
        return b"unknown\n" if device.flags & IFF_UP else b"down\n"
    return b"up\n" if device.flags & IFF_LOWER_UP else b"down\n"
