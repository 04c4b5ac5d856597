"""A guest of a sandbox with a link, and a second stack at its other end; the clock is the test's."""

import hashlib
import random
from collections import deque

from guest_world import World

from sentry.boot import network
from sentry.netstack.iface.route import Route
from sentry.netstack.stack import Stack
from sentry.vfs.readiness import POLLIN

OURS, PEER, FAR = bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2)), bytes((192, 0, 2, 7))
OURS6, PEER6 = b"\xfd" + bytes(14) + b"\x0f", b"\xfd" + bytes(14) + b"\x02"
AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, NONBLOCK = 2, 10, 1, 2, 3, 0o4000
CONFIG = {
    "mac": "02:00:00:00:00:01",
    "mtu": 1500,
    "addresses": ["10.0.2.15/24", "fd00::f/64"],
    "routes": [{"to": "0.0.0.0/0", "via": "10.0.2.2"}],
}


def sockaddr(address, port):
    """sockaddr_in or sockaddr_in6."""
    if len(address) == 4:
        return AF_INET.to_bytes(2, "little") + port.to_bytes(2, "big") + address + bytes(8)
    return AF_INET6.to_bytes(2, "little") + port.to_bytes(2, "big") + bytes(4) + address + bytes(4)


class OurLink:
    fd = 99
    name, mac, mtu = "eth0", b"\x02\0\0\0\0\x01", 1500
    on_full = tap = None
    cuts_segments = False

    def __init__(self):
        self.out = deque()
        self.inbox = []

    def transmit(self, frame):
        self.out.append(frame)

    def receive(self):
        frames, self.inbox = self.inbox, []
        return [(frame, False) for frame in frames]


class PeerLink:
    name, mac, mtu = "peer", b"\x02\0\0\0\0\x02", 1500
    cuts_segments = False

    def __init__(self):
        self.out = deque()

    def transmit(self, frame):
        self.out.append(frame)


class Platform:
    def watch(self, fd, events, ready):
        self.ready = ready
        return lambda: None


class Town:
    """``guest`` is the sandbox's, ``peer`` the other end's stack; ``run`` lets everything happen that needs no time to pass."""

    def __init__(self):
        self.world = World()
        self.kernel = self.world.kernel
        self.net = self.kernel.net
        self.link, self.peer_link, self.platform = OurLink(), PeerLink(), Platform()
        self.driver = network.attach_link(self.net, self.platform, self.world.runner, CONFIG, self.link)
        self.peer = Stack(random.Random(7).randbytes, None, self.now)
        self.index = self.peer.add_link(self.peer_link)
        self.peer.add_address(self.index, PEER, 24)
        self.peer.add_address(self.index, PEER6, 64)
        self.peer.add_route(Route(FAR, 32, self.index))
        self.guest = self.world.guest()
        self.losing = 0
        self.run()

    @property
    def now(self):
        return self.world.now_ns

    def run(self):
        self.world.run()
        while self.link.out or self.peer_link.out:
            while self.link.out:
                frame = self.link.out.popleft()
                if self.losing:
                    self.losing -= 1
                    continue
                self.peer.receive(self.index, frame, self.now)
            if self.peer_link.out:
                self.link.inbox += self.peer_link.out
                self.peer_link.out.clear()
                self.platform.ready(POLLIN)
            self.world.run()

    def wait(self, until, steps=20_000):
        """Let time pass, from one deadline to the next, until the condition holds."""
        self.run()
        for _ in range(steps):
            if until():
                return
            deadlines = [self.world.runner.next_deadline_ns(), self.peer.next_deadline()]
            at = min((one for one in deadlines if one is not None), default=None)
            assert at is not None, "nothing will ever happen"
            self.world.now_ns = max(self.now, at)
            self.peer.poll(self.now)
            self.run()
        raise AssertionError("it does not happen")

    # --- what a guest does ---------------------------------------------------------------------------------------------------

    def socket(self, family, kind, protocol=0):
        return self.guest.socket(family, kind, protocol)

    def call_address(self, name, fd, address, port):
        data = sockaddr(address, port)
        return getattr(self.guest, name)(fd, self.guest.alloc(data), len(data))

    def name_of(self, call, fd):
        addr = self.guest.alloc(bytes(28))
        size = self.guest.alloc((28).to_bytes(4, "little"))
        result = getattr(self.guest, call)(fd, addr, size)
        if result:
            return result
        data = self.guest.peek(addr, 28)
        port = int.from_bytes(data[2:4], "big")
        return (data[4:8] if data[0] == AF_INET else data[8:24]), port

    def option(self, fd, level, name, size=4):
        value, length = self.guest.alloc(bytes(size)), self.guest.alloc(size.to_bytes(4, "little"))
        result = self.guest.getsockopt(fd, level, name, value, length)
        return result if result else self.guest.peek(value, size)

    def set_option(self, fd, level, name, value):
        data = value if isinstance(value, bytes) else value.to_bytes(4, "little")
        return self.guest.setsockopt(fd, level, name, self.guest.alloc(data), len(data))

    def send_to(self, fd, data, address, port):
        name = sockaddr(address, port)
        return self.guest.sendto(fd, self.guest.alloc(data), len(data), 0, self.guest.alloc(name), len(name))

    def poll(self, fd, events=0x2017):
        addr = self.guest.alloc(fd.to_bytes(4, "little") + events.to_bytes(2, "little") + bytes(2))
        assert self.guest.poll(addr, 1, 0) in (0, 1)
        return int.from_bytes(self.guest.peek(addr + 6, 2), "little")

    # --- connections ---------------------------------------------------------------------------------------------------------

    def listening(self, port=80):
        return self.peer.tcp.listen(self.peer.tcp.bind(b"", port, 4), 16)

    def connected(self, port=80):
        """A guest's connected socket and the peer's end of the connection."""
        listener = self.listening(port)
        fd = self.socket(AF_INET, SOCK_STREAM | NONBLOCK)
        assert self.call_address("connect", fd, PEER, port) == -115
        self.run()
        far = listener.accept()
        assert far is not None
        return fd, far


def digest(data):
    return hashlib.sha256(data).hexdigest()
