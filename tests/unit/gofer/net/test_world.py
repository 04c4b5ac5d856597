"""The network gofer's parts in one process: a guest's stack on one end of the link, sockets of this host on the other."""

import errno
import socket
import threading

import pytest

from gofer.net import datagrams, main, tcp
from gofer.net.anywhere import Anywhere
from gofer.net.guest import Guest
from gofer.net.policy import Destinations, rules_of
from gofer.net.sockets import binary, open_socket
from sentry.netstack.egress.rules import Network
from sentry.netstack.iface.route import Route
from sentry.netstack.interface import Limits, NetError
from sentry.netstack.stack import Stack
from sentry.netstack.transport.tcp.state import ESTABLISHED

GUEST, GATEWAY, SERVER = (socket.inet_aton(f"10.0.2.{last}") for last in (15, 2, 3))
WORLD = socket.inet_aton("198.51.100.7")
WORLD6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
GUEST6, GATEWAY6 = (socket.inet_pton(socket.AF_INET6, f"fd9a::{last}") for last in (15, 2))
CONFIG = {
    "ends": [
        {"address": "10.0.2.15", "prefix": 24, "gateway": "10.0.2.2"},
        {"address": "fd9a::15", "prefix": 64, "gateway": "fd9a::2"},
    ],
    "name_server": "10.0.2.3", "mtu": 9000, "allowed": [],
    "denied": ["203.0.113.0/24", "2001:db8:bad::/48"], "reserved": ["169.254.0.0/16"],
}  # fmt: skip
_PATIENCE_NS = 60_000_000_000


class Wire:
    """One end of a link: frames wait until the other end is turned to."""

    cuts_segments = False

    def __init__(self, mac):
        self.name, self.mac, self.mtu = "wire", mac, 9000
        self.frames = []

    def transmit(self, frame):
        self.frames.append(frame)


class Home(Destinations):
    """Every address of the world is this host's loopback."""

    def find(self, address, port):
        if not super().find(address, port):
            return b""
        return binary("127.0.0.1" if len(address) == 4 else "::1")


class Pair:
    """A guest's stack and the world's, in the same thread."""

    def __init__(self, monkeypatch, published=()):
        monkeypatch.setattr(main, "Destinations", Home)
        self.made = [host for host, *_ in published]
        for module in (tcp, datagrams):
            monkeypatch.setattr(module, "open_socket", self._open)
        self.inner, self.outer = Wire(b"\x02" + bytes(5)), Wire(b"\x06" + bytes(5))
        self.loop = main.assemble(CONFIG, "127.0.0.1", list(published), self.outer)
        self.index = max(self.loop.stack.devices)
        self.guest = Stack(lambda size: bytes(range(size % 251)) + bytes(size - size % 251), Limits(), self.loop.now())
        device = self.guest.add_link(self.inner)
        self.guest.add_address(device, GUEST, 24)
        self.guest.add_route(Route(bytes(4), 0, device, GATEWAY))
        self.guest.add_address(device, GUEST6, 64)
        self.guest.add_route(Route(bytes(16), 0, device, GATEWAY6))
        self.device = device

    def until(self, is_true):
        """Let both ends work until something holds."""
        deadline = self.loop.now() + _PATIENCE_NS
        while not is_true():
            now = self.loop.now()
            assert now < deadline, "it never came"
            for frame in self._taken(self.inner):
                self.loop.stack.receive(self.index, frame, now)
            for frame in self._taken(self.outer):
                self.guest.receive(self.device, frame, now)
            self.guest.poll(now)
            self.loop.step(may_wait=False)

    def _open(self, *kind):
        self.made.append(open_socket(*kind))
        return self.made[-1]

    def close(self):
        """What a test has left open."""
        for host in self.made:
            host.close()

    @staticmethod
    def _taken(wire):
        frames, wire.frames = wire.frames, []
        return frames

    def connect(self, port, to=WORLD):
        return self.guest.tcp.connect(None, to, port, self.loop.now())


@pytest.fixture
def pair(monkeypatch):
    made = Pair(monkeypatch)
    yield made
    made.close()


def _host_of(version):
    """This host's loopback address of a version."""
    host, family = ("127.0.0.1", socket.AF_INET) if version == 4 else ("::1", socket.AF_INET6)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError as error:
        pytest.skip(f"this host has no {host}: {error}")
    return host, family


@pytest.fixture(params=[4, 6])
def version(request):
    return request.param


@pytest.fixture
def server(request):
    version = request.getfixturevalue("version") if "version" in request.fixturenames else 4
    host, family = _host_of(version)
    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(60)
        yield listener


@pytest.fixture
def there(version):
    """An address of the world."""
    return WORLD if version == 4 else WORLD6


def received(pair, c):
    """Everything until the end of the stream."""
    parts = []

    def ended():
        while (data := c.receive(1 << 20, pair.loop.now())) is not None:
            if not data:
                return True
            parts.append(data)
        return False

    pair.until(ended)
    return b"".join(parts)


def test_a_stream_both_ways_and_ends_by_halves(pair, server, there):
    def mirror():
        peer, _ = server.accept()
        with peer:
            peer.sendall(peer.makefile("rb").read()[::-1])

    threading.Thread(target=mirror, daemon=True).start()
    c = pair.connect(server.getsockname()[1], there)
    pair.until(lambda: c.state == ESTABLISHED)
    rest = data = bytes(range(256)) * 2000
    while rest:
        sent = c.send(rest, pair.loop.now())
        rest = rest[sent:]
        pair.until(lambda: c.has_room())
    c.shutdown(pair.loop.now(), write=True)
    assert received(pair, c) == data[::-1]


def test_who_is_refused_is_told_at_once(pair, server, there):
    port = server.getsockname()[1]
    server.close()
    c = pair.connect(port, there)
    pair.until(lambda: c.error)
    assert c.error == errno.ECONNREFUSED


def test_a_reset_of_the_host_is_one_of_the_guests(pair, server):
    c = pair.connect(server.getsockname()[1])
    pair.until(lambda: c.state == ESTABLISHED)
    peer, _ = server.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()
    pair.until(lambda: c.error)
    with pytest.raises(NetError) as caught:
        c.receive(1, pair.loop.now())
    assert caught.value.errno == errno.ECONNRESET


def test_a_reset_of_the_guest_is_one_of_the_hosts(pair, server):
    c = pair.connect(server.getsockname()[1])
    pair.until(lambda: c.state == ESTABLISHED)
    peer, _ = server.accept()
    c.abort(pair.loop.now())
    peer.setblocking(False)
    seen = []

    def told():
        try:
            peer.recv(1)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            seen.append("reset")
        return True

    pair.until(told)
    peer.close()
    assert seen == ["reset"]


@pytest.mark.parametrize(
    "address", ["203.0.113.9", "169.254.169.254", "10.0.2.2", "10.0.2.3", "2001:db8:bad::1", "64:ff9b::203.0.113.9", "fd9a::2"]
)
def test_what_is_denied_here_is_refused_whatever_the_sentry_says(pair, server, address):
    c = pair.connect(server.getsockname()[1], binary(address))
    pair.until(lambda: c.error)
    assert c.error == errno.ECONNREFUSED


def test_the_name_server_is_one_of_the_hosts_own(pair, server, monkeypatch):
    monkeypatch.setattr("gofer.net.policy._DNS", server.getsockname()[1])
    c = pair.connect(server.getsockname()[1], SERVER)
    pair.until(lambda: c.state == ESTABLISHED)
    server.accept()[0].close()
    assert received(pair, c) == b""


def test_datagrams_have_one_socket_for_each_flow(pair, version, there):
    host, family = _host_of(version)
    with socket.socket(family, socket.SOCK_DGRAM) as echo:
        echo.bind((host, 0))
        echo.settimeout(60)
        end = pair.guest.udp.create(len(there))
        asked = []
        for text in (b"one", b"two"):
            end.send(text, pair.loop.now(), (there, echo.getsockname()[1]))
            pair.until(lambda: not pair.inner.frames)
            data, peer = echo.recvfrom(100)
            asked.append(peer)
            echo.sendto(data.upper(), peer)
            pair.until(lambda: end.queue)
            answer = end.receive()
            assert (answer.payload, answer.source, answer.port) == (text.upper(), there, echo.getsockname()[1])
        assert asked[0] == asked[1]


def test_nobody_at_a_port_is_told_to_a_connected_endpoint(pair, version, there):
    host, family = _host_of(version)
    with socket.socket(family, socket.SOCK_DGRAM) as nobody:
        nobody.bind((host, 0))
        port = nobody.getsockname()[1]
    end = pair.guest.udp.create(len(there))
    end.connect(there, port)
    end.send(b"x", pair.loop.now())
    pair.until(lambda: end.error)
    assert end.error == errno.ECONNREFUSED


def test_a_published_port_leads_to_the_guest(monkeypatch, version):
    host, is_udp, inner = main.open_published(f"{_host_of(version)[0]}/0:80/tcp")
    pair = Pair(monkeypatch, [(host, is_udp, inner)])
    listener = pair.guest.tcp.listen(pair.guest.tcp.bind(b"", 80, 0), 5)
    with socket.create_connection(host.getsockname()[:2]) as outer:
        pair.until(lambda: listener.ready)
        c = listener.accept()
        assert (c.remote, c.local) == ((GATEWAY, GUEST) if version == 4 else (GATEWAY6, GUEST6))
        outer.sendall(b"hello")
        pair.until(lambda: c.queue.length)
        assert c.receive(100, pair.loop.now()) == b"hello"
    pair.until(lambda: c.has_fin)
    c.close(pair.loop.now())
    pair.until(lambda: not pair.guest.tcp.has(c))
    pair.close()


def test_datagrams_to_a_published_port_are_answered_from_there(monkeypatch, version):
    address, family = _host_of(version)
    host, is_udp, inner = main.open_published(f"{address}/0:80/udp")
    pair = Pair(monkeypatch, [(host, is_udp, inner)])
    end = pair.guest.udp.create(4 if version == 4 else 16)
    end.bind(b"", 80)
    with socket.socket(family, socket.SOCK_DGRAM) as outer:
        outer.settimeout(60)
        outer.sendto(b"hello", host.getsockname())
        pair.until(lambda: end.queue)
        asked = end.receive()
        assert (asked.payload, asked.source) == (b"hello", GATEWAY if version == 4 else GATEWAY6)
        end.send(b"answer", pair.loop.now(), (asked.source, asked.port))
        pair.until(lambda: not pair.inner.frames)
        assert outer.recvfrom(100) == (b"answer", host.getsockname())
    pair.close()


def test_a_guest_without_ipv6_is_reached_from_there_through_its_gateway():
    guest, stack = Guest([(GUEST, GATEWAY)]), Stack(bytes, Limits())
    assert guest.seen_from(stack, binary("::1")) == (GUEST, GATEWAY)
    assert guest.seen_from(stack, binary("127.0.0.1")) == (GUEST, GATEWAY)
    stack.local = Anywhere({}, [Network(GUEST, 24)])
    assert guest.seen_from(stack, WORLD) == (GUEST, WORLD)
    assert guest.seen_from(stack, WORLD6) == (GUEST, GATEWAY)


def test_addresses_of_the_link_and_of_this_host_are_not_the_world():
    world = Anywhere({GATEWAY: 2, GATEWAY6: 2}, [Network(GUEST, 24), Network(GUEST6, 64)])
    for text, is_there in {
        "10.0.2.2": True, "10.0.2.15": False, "10.0.2.77": False, "127.0.0.1": False, "0.0.0.1": False, "224.0.0.1": False,
        "255.255.255.255": False, "10.0.3.1": True, "8.8.8.8": True, "169.254.169.254": True,
        "fd9a::2": True, "fd9a::15": False, "fd9a:0:0:1::15": True, "2001:db8::7": True, "::": False, "::1": False,
        "ff02::1": False, "fe80::1": False, "::ffff:127.0.0.1": False, "::ffff:8.8.8.8": False, "::127.0.0.1": False,
        "2002:7f00:1::": False, "64:ff9b::127.0.0.1": False, "64:ff9b::8.8.8.8": True,
    }.items():  # fmt: skip
        assert (binary(text) in world) is is_there, text


def destinations(allowed=(), denied=(), reserved=()):
    rules, has_names = rules_of(allowed, denied, reserved)
    found = Destinations(rules, has_names=has_names, gateways=[GATEWAY], name_server=SERVER, resolver="192.0.2.53")
    return lambda text, port: bool(found.find(socket.inet_aton(text), port))


def test_rules():
    assert destinations()("8.8.8.8", 80)
    assert not destinations(denied=["8.0.0.0/8"])("8.8.8.8", 80)
    assert not destinations([("8.8.8.8/32", 0)], denied=["8.0.0.0/8"])("8.8.8.8", 80)
    only = destinations([("8.8.8.8/32", 443)])
    assert (only("8.8.8.8", 443), only("8.8.8.8", 80), only("8.8.4.4", 443), only("8.8.8.8", None)) == (True, False, False, False)
    assert destinations([("example.org", 443)])("8.8.4.4", 443)  # the sentry knows whose address that is
    reserved = destinations([("example.org", 0)], reserved=["169.254.0.0/16"])
    assert not reserved("169.254.169.254", 80)
    assert destinations([("169.254.169.254/32", 0)], reserved=["169.254.0.0/16"])("169.254.169.254", 80)
    free = destinations()
    assert (free("10.0.2.3", 53), free("10.0.2.3", 80), free("10.0.2.2", 80)) == (True, False, False)


def test_a_port_that_is_taken_is_named(server):
    with pytest.raises(OSError, match=r"cannot publish 127\.0\.0\.1:"):
        main.open_published(f"127.0.0.1/{server.getsockname()[1]}:80/tcp")
