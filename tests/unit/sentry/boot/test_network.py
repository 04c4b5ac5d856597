"""A sandbox's link: attached by its configuration, driven by readiness and timers, and what happens when it is lost."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sentry.boot import network
from sentry.fs.proc.net import tables
from sentry.host.link.packet import complete
from sentry.kernel.net_namespace import NetNamespace
from sentry.netstack.wire.checksum import residue
from sentry.platform.interface import PlatformError
from sentry.sched.runner import Runner
from sentry.vfs.readiness import POLLIN, POLLOUT
from syscalls.abi.netlink import IFF_LOWER_UP

ROOT = Path(__file__).resolve().parents[4]
CONFIG = {
    "kind": "passt",
    "mac": "02:00:00:00:00:09",
    "mtu": 1500,
    "addresses": ["10.0.2.15/24", "fd00::15/64"],
    "routes": [{"to": "0.0.0.0/0", "via": "10.0.2.2"}, {"to": "::/0", "via": "fd00::2", "metric": 7}],
}


class Watcher:
    """The part of a platform that a link needs."""

    def __init__(self):
        self.events = {}
        self.ready = {}

    def watch(self, fd, events, ready):
        assert fd not in self.events
        self.events[fd], self.ready[fd] = events, ready

        def stop():
            self.events.pop(fd, None)

        return stop


class Attached:
    made = []  # closed after each test

    def __init__(self, **changes):
        self.now = 5_000_000_000
        self.net = NetNamespace()
        self.watcher = Watcher()
        self.runner = Runner(lambda: self.now)
        self.host, theirs = socket.socketpair()
        self.host.setblocking(False)
        self.fd = theirs.detach()
        try:
            self.driver = network.attach(self.net, self.watcher, self.runner, CONFIG | changes, self.fd)
        except PlatformError:
            self.host.close()
            raise
        self.made.append(self)

    def close(self):
        self.host.close()
        self.driver.link.close()

    def frames(self):
        data, frames = self.host.recv(1 << 20), []
        while data:
            length = int.from_bytes(data[:4], "big")
            frames.append(data[4 : 4 + length])
            data = data[4 + length :]
        return frames

    def send(self, frame):
        self.host.send(len(frame).to_bytes(4, "big") + frame)
        self.watcher.ready[self.fd](POLLIN)


@pytest.fixture(autouse=True)
def _closed():
    yield
    while Attached.made:
        Attached.made.pop().close()


ARP_REQUEST = bytes.fromhex("ffffffffffff 0a0000000002 0806 0001 0800 06 04 0001 0a0000000002 0a000202 000000000000 0a00020f")


def test_a_device_with_addresses_and_routes_is_there_and_seen():
    net = Attached().net
    device = net.devices.by_name(b"eth0")
    assert device.index == 2
    assert [(one.address[-1], one.prefix) for one in device.addresses][:2] == [(15, 24), (0x15, 64)]
    assert device.addresses[2].address.hex() == "fe80000000000000000000fffe000009"
    assert (bytes(4), bytes((10, 0, 2, 2))) in [(one.destination, one.gateway) for one in net.devices.routes]


def test_a_frame_that_comes_is_answered_and_counted():
    attached = Attached()
    attached.frames()  # its own announcement
    attached.send(ARP_REQUEST)
    (answer,) = attached.frames()
    assert answer[:6] == ARP_REQUEST[6:12]
    assert answer[20:22] == b"\0\2"
    assert attached.net.devices.by_name(b"eth0").received == [1, len(ARP_REQUEST)]


def test_half_a_frame_waits_for_the_rest():
    attached = Attached()
    attached.frames()
    data = len(ARP_REQUEST).to_bytes(4, "big") + ARP_REQUEST
    for part in (data[:3], data[3:20], data[20:] + data):
        attached.host.send(part)
        attached.watcher.ready[attached.fd](POLLIN)
    assert len(attached.frames()) == 2


@pytest.mark.parametrize("length", [0, 13, 70_000, 0xFFFFFFFF])
def test_a_length_that_no_frame_has_ends_the_link(length):
    attached = Attached()
    attached.host.send(length.to_bytes(4, "big") + bytes(100))
    attached.watcher.ready[attached.fd](POLLIN)
    assert attached.driver.is_lost
    assert not attached.watcher.events


def test_a_lost_link_takes_the_device_down():
    attached = Attached()
    attached.host.close()
    attached.watcher.ready[attached.fd](POLLIN)
    assert attached.driver.is_lost
    assert not attached.net.devices.by_name(b"eth0").flags & IFF_LOWER_UP
    assert attached.net.stack.ip.route(bytes((10, 0, 2, 2))) is None


def test_what_does_not_fit_is_sent_when_there_is_room_and_bounded():
    attached = Attached()
    link = attached.driver.link
    for _ in range(2000):
        link.transmit(bytes(1500))
    assert attached.watcher.events[attached.fd] == POLLIN | POLLOUT
    assert link.dropped
    taken = 0
    while attached.watcher.events[attached.fd] & POLLOUT:
        taken += len(attached.host.recv(1 << 20))
        attached.watcher.ready[attached.fd](POLLOUT)
    try:
        while True:
            taken += len(attached.host.recv(1 << 20))
    except BlockingIOError:
        pass
    assert (taken - 46) % 1504 == 0  # whole frames, behind the announcement


def test_the_stacks_timers_run_through_the_runner():
    attached = Attached()
    stack = attached.net.stack
    endpoint = stack.udp.create(4)
    endpoint.send(b"x", attached.now, (bytes((10, 0, 2, 77)), 9))
    attached.frames()
    assert attached.runner.next_deadline_ns() == attached.now + 1_000_000_000
    attached.now += 1_000_000_000
    attached.runner.run_ready()
    (again,) = attached.frames()
    assert again[12:14] == b"\x08\x06"


@pytest.mark.parametrize(
    "changes",
    [{"mac": "1"}, {"mac": "01:00:00:00:00:00"}, {"mtu": 99}, {"addresses": ["x"]}, {"routes": [{}]}, {"kind": "tap"}],
)
def test_a_bad_configuration_is_one_clear_error(changes):
    with pytest.raises(PlatformError, match="network cannot be set up"):
        Attached(**changes)


@pytest.mark.parametrize("size", [20, 21, 1460])
def test_a_checksum_that_the_kernel_left_is_completed(size):
    data = bytes(range(256)) * 6
    frame = bytes(14) + data[:size]
    done = complete(frame, 14, 16)
    assert len(done) == len(frame)
    assert (residue(done[14:]) + residue(frame[30:32])) % 0xFFFF == 0
    assert complete(frame, 14, size) == frame


def test_without_a_link_nothing_of_the_stack_is_imported():
    code = (
        "import sentry.boot.main, sentry.socket.inet.create, sys; "
        "print(*[name for name in sys.modules if 'netstack' in name or 'outside' in name or name.startswith('sentry.host.link')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "\n"


def test_proc_and_sysfs_show_the_device():
    attached = Attached()
    viewer = SimpleNamespace(kernel=SimpleNamespace(net=attached.net))
    assert b"eth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000" in tables.route(viewer)
    assert b"eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF" in tables.route(viewer)
    routes = tables.ipv6_route(viewer).splitlines()
    default = (
        b"0" * 32 + b" 00 " + b"0" * 32 + b" 00 fd000000000000000000000000000002 00000007 00000001 00000000 00000003     eth0"
    )
    assert default in routes
    assert b"fd000000000000000000000000000015 02 40 00 80     eth0" in tables.if_inet6(viewer)
    assert b"fe80000000000000000000fffe000009 02 40 20 80     eth0" in tables.if_inet6(viewer)
    sent = attached.net.devices.by_name(b"eth0").sent
    assert b"  eth0:       0       0" in tables.dev(viewer)
    assert sent[0] == attached.net.stack.devices[2].sent[0] > 0
