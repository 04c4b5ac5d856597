"""Our stack against the host kernel's TCP, in a network namespace of its own: `unshare -n python linux_peer.py SCENARIO`.

The link is a tun or tap device. Scenarios print one JSON line. Only the namespace's own addresses are used.
"""

import fcntl
import hashlib
import heapq
import json
import os
import random
import resource
import select
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.getcwd())

from sentry.netstack.stack import Stack

OURS, KERNEL = bytes((10, 9, 0, 2)), "10.9.0.1"
OURS6, KERNEL6 = socket.inet_pton(socket.AF_INET6, "fd09::2"), "fd09::1"
TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000


class Tun:
    """The link of our side."""

    name = "eth0"
    mtu = 1500
    cuts_segments = False

    def __init__(self, is_tap):
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH", b"peer0", (IFF_TAP if is_tap else IFF_TUN) | IFF_NO_PI))
        self.mac = b"\x02\0\0\0\0\x09" if is_tap else b""

    def transmit(self, frame):
        self.fault.pass_on(self.write, frame)

    def write(self, frame):
        try:
            os.write(self.fd, frame)
        except BlockingIOError:
            pass


class Fault:
    """What netem does, in both directions and seeded: loss, duplication, delay with jitter (and so reordering)."""

    def __init__(self, loss=0.0, duplicate=0.0, delay=0, jitter=0):
        self.loss, self.duplicate, self.delay, self.jitter = loss, duplicate, delay * 1_000_000, jitter * 1_000_000
        self.random = random.Random(11)
        self.held = []
        self.count = 0

    def pass_on(self, receiver, frame):
        for _ in range(1 + (self.random.random() < self.duplicate)):
            if self.random.random() < self.loss:
                continue
            if not self.delay:
                receiver(frame)
                continue
            self.count += 1
            at = time.monotonic_ns() + self.delay + self.random.randrange(self.jitter + 1)
            heapq.heappush(self.held, (at, self.count, receiver, frame))

    def release(self):
        while self.held and self.held[0][0] <= time.monotonic_ns():
            _, _, receiver, frame = heapq.heappop(self.held)
            receiver(frame)


class World:
    """The namespace, the stack and its loop."""

    def __init__(self, is_tap, fault):
        run = lambda line: subprocess.run(line.split(), check=True, capture_output=True)  # noqa: E731
        self.link = Tun(is_tap)
        run("ip link set lo up")
        run("ip addr add 10.9.0.1/24 dev peer0")
        run("ip -6 addr add fd09::1/64 dev peer0 nodad")
        run("ip link set peer0 up txqueuelen 5000")
        self.fault = self.link.fault = fault
        self.stack = Stack(os.urandom, now=time.monotonic_ns())
        self.index = self.stack.add_link(self.link)
        self.stack.add_address(self.index, OURS, 24)
        self.stack.add_address(self.index, OURS6, 64)

    def receive(self, frame):
        self.stack.receive(self.index, frame, time.monotonic_ns())

    def turn(self, wait=0.05):
        deadline = self.stack.next_deadline()
        self.fault.release()
        if self.fault.held:
            deadline = min(deadline or 1 << 62, self.fault.held[0][0])
        now = time.monotonic_ns()
        timeout = wait if deadline is None else min(max(deadline - now, 0) / 1e9, wait)
        if select.select([self.link.fd], [], [], timeout)[0]:
            for _ in range(64):
                try:
                    frame = os.read(self.link.fd, 70_000)
                except BlockingIOError:
                    break
                self.fault.pass_on(self.receive, frame)
        self.stack.poll(time.monotonic_ns())


def in_thread(function):
    box = {}
    thread = threading.Thread(target=lambda: box.update(value=function()), daemon=True)
    thread.start()
    return thread, box


def digest(data):
    return hashlib.sha256(data).hexdigest()


def echo(family, protocol, address, data):
    """Ping as the kernel's side: the kernel checks our answer's checksum, or joins its fragments."""
    sock = socket.socket(family, socket.SOCK_RAW, protocol)
    sock.settimeout(5)
    head = struct.pack(">BBHHH", 128 if family == socket.AF_INET6 else 8, 0, 0, 7, 1)
    words = int.from_bytes(head + data, "big") % 0xFFFF
    sock.sendto(head[:2] + (0xFFFF - words).to_bytes(2, "big") + head[4:] + data, (address, 0))
    while True:
        packet = sock.recv(70_000)
        packet = packet if family == socket.AF_INET6 else packet[20:]
        if packet[0] in (0, 129) and packet[4:8] == head[4:]:
            return packet[8:]


def read_all(sock):
    seen = hashlib.sha256()
    size = 0
    while chunk := sock.recv(1 << 16):
        seen.update(chunk)
        size += len(chunk)
    return size, seen.hexdigest()


def transfer(world, c, data, peer):
    """Send data (or receive, if it is None) until the kernel's side is done."""
    thread, box = peer
    sent, got, seen = 0, 0, hashlib.sha256()
    has_shut = False
    stop = time.monotonic() + 100
    while time.monotonic() < stop:
        if data is not None and sent < len(data):
            sent += c.send(data[sent : sent + 65536], time.monotonic_ns())
        if not has_shut and (data is None or sent == len(data)):
            c.shutdown(time.monotonic_ns(), write=True)
            has_shut = True
        while (chunk := c.receive(1 << 16, time.monotonic_ns())) is not None:
            got += len(chunk)
            seen.update(chunk)
            if not chunk:
                break
        if chunk == b"" and has_shut and not c.flight and not thread.is_alive():
            break
        world.turn()
    thread.join(1)
    return {"got": got, "digest": seen.hexdigest(), "peer": box.get("value"), "state": c.state}


def compare_handshakes(world):
    """What the kernel and we send from connect to close, as (flags, kinds of the options in order, payload)."""
    seen = {"kernel": [], "ours": []}
    write, receive = world.link.write, world.receive

    def note(who, frame):
        if frame[0] >> 4 == 4 and frame[9] == 6:
            size = (frame[32] >> 4) * 4
            kinds, at, options = [], 0, frame[40 : 20 + size]
            while at < len(options):
                kinds.append(options[at])
                at += 1 if options[at] < 2 else options[at + 1]
            seen[who].append((frame[33], kinds, len(frame) - 20 - size))

    world.link.write = lambda frame: (note("ours", frame), write(frame))
    world.receive = lambda frame: (note("kernel", frame), receive(frame))
    sides = {}

    def client_of_the_kernel():
        sock = socket.create_connection((socket.inet_ntop(socket.AF_INET, OURS), 8080), 20)
        sock.sendall(b"question")
        sock.recv(100)
        sock.close()

    listener = world.stack.tcp.listen(world.stack.tcp.bind(b"", 8080, 4), 8)
    for name in ("kernel connects", "we connect"):
        if name == "we connect":
            server = socket.create_server((KERNEL, 0))

            def serve(server=server):
                sock = server.accept()[0]
                sock.recv(100)
                sock.sendall(b"answer")
                sock.recv(100)
                sock.close()

            peer = in_thread(serve)
            c = world.stack.tcp.connect(None, socket.inet_aton(KERNEL), server.getsockname()[1], time.monotonic_ns())
            while c.state != 1:
                world.turn(0.01)
            c.send(b"question", time.monotonic_ns())
            while c.receive(100, time.monotonic_ns()) is None:
                world.turn(0.01)
            c.close(time.monotonic_ns())
        else:
            peer = in_thread(client_of_the_kernel)
            while not listener.ready:
                world.turn(0.01)
            c = listener.accept()
            while c.receive(100, time.monotonic_ns()) is None:
                world.turn(0.01)
            c.send(b"answer", time.monotonic_ns())
            while c.receive(100, time.monotonic_ns()) is None:
                world.turn(0.01)
            c.close(time.monotonic_ns())
        end = time.monotonic() + 60
        while (peer[0].is_alive() or c.state not in (6, 7)) and time.monotonic() < end:
            world.turn(0.01)
        for _ in range(5):
            world.turn(0.01)
        sides[name] = {who: list(seen[who]) for who in seen}
        seen["kernel"].clear()
        seen["ours"].clear()
    return sides


def main():
    what, direction, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    fault = Fault(**json.loads(sys.argv[4])) if len(sys.argv) > 4 else Fault()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    world = World("tap" in what, fault)
    is_six = "6" in what
    family, kernel = (socket.AF_INET6, KERNEL6) if is_six else (socket.AF_INET, KERNEL)
    ours = OURS6 if is_six else OURS
    data = random.Random(5).randbytes(size)
    if direction == "ping":
        protocol = socket.IPPROTO_ICMPV6 if is_six else socket.IPPROTO_ICMP
        peer = in_thread(lambda: echo(family, protocol, socket.inet_ntop(family, ours), data))
        while peer[0].is_alive():
            world.turn(0.01)
        print(json.dumps({"is_same": peer[1].get("value") == data}))
        return
    if direction == "udp":
        kernel_sock = socket.socket(family, socket.SOCK_DGRAM)
        kernel_sock.bind((kernel, 0))
        kernel_sock.settimeout(5)
        endpoint = world.stack.udp.create(0)
        endpoint.bind(b"", 5353)
        address = (socket.inet_ntop(family, ours), 5353)
        peer = in_thread(lambda: (kernel_sock.sendto(data, address), kernel_sock.recv(70_000))[1])
        while peer[0].is_alive():
            world.turn(0.01)
            if (datagram := endpoint.receive()) is not None:
                endpoint.send(datagram.payload, time.monotonic_ns(), (datagram.source, datagram.port))
        print(json.dumps({"is_same": peer[1].get("value") == data}))
        return
    if direction == "syn":
        seen = compare_handshakes(world)
        print(json.dumps(seen))
        return
    started = time.monotonic()
    is_sending = direction in ("connect-send", "accept-send")

    def talk(sock):
        sock.settimeout(90)
        if is_sending:
            result = read_all(sock)
            sock.close()
            return result
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        result = read_all(sock)
        sock.close()
        return result

    if direction.startswith("connect"):
        server = socket.create_server((kernel, 0), family=family)
        port = server.getsockname()[1]
        peer = in_thread(lambda: talk(server.accept()[0]))
        c = world.stack.tcp.connect(None, socket.inet_pton(family, kernel), port, time.monotonic_ns())
        while c.state == 2:
            world.turn()
    else:
        listener = world.stack.tcp.listen(world.stack.tcp.bind(b"", 8080, 0), 8)
        address = (socket.inet_ntop(family, ours), 8080)
        peer = in_thread(lambda: talk(socket.create_connection(address, 60)))
        while not listener.ready:
            world.turn()
        c = listener.accept()
    if c.error:
        print(json.dumps({"error": c.error}))
        return
    result = transfer(world, c, data if is_sending else None, peer)
    seconds = time.monotonic() - started
    result.update(wanted=digest(data), seconds=seconds, cpu=time.process_time(), rate=size / seconds / 1e6,
                  tcp=dict(world.stack.counters.tcp), drop=dict(world.stack.counters.drop))  # fmt: skip
    print(json.dumps(result))


main()
