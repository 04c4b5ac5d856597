"""Random calls on connections of two stacks over a bad link: nothing but NetError is raised, and everything ends."""

import random

import netstack_pair as pair
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.netstack.interface import NetError
from sentry.netstack.transport.tcp.options import TcpOptions

ADDRESSES = (pair.ONE4, pair.TWO4)
BUFFERS = (2304, 5000, 131_072)
SECOND = 10**9
pytestmark = pytest.mark.slow


class Chaos:
    """One run; ``r`` decides everything."""

    def __init__(self, seed):
        self.r = r = random.Random(seed)
        self.world = pair.World(
            seed, loss=r.choice([0, 0.05, 0.2]), duplicate=r.choice([0, 0.1]), jitter=r.choice([0, 5_000_000])
        )
        self.stacks = (self.world.one, self.world.two)
        layers = [stack.tcp for stack in self.stacks]
        self.listeners = [one.listen(one.bind(b"", 80, 4), r.choice([0, 1, 4]), self.options()) for one in layers]
        self.connections = []

    def options(self):
        r = self.r
        return TcpOptions(
            linger=r.choice([None, 0]), keepalive=r.random() < 0.3, keep_idle=SECOND, keep_interval=SECOND,
            no_delay=r.random() < 0.5, congestion=r.choice(["reno", "cubic"]), rcvbuf=r.choice(BUFFERS),
        )  # fmt: skip

    def connect(self, now):
        side = self.r.randrange(2)
        target = self.r.choice([ADDRESSES[1 - side], ADDRESSES[side], b"\x7f\0\0\x01"])
        self.connections.append(self.stacks[side].tcp.connect(None, target, self.r.choice([80, 80, 81]), now, self.options()))

    def call(self):
        r, now = self.r, self.world.now
        what = r.randrange(12)
        if what == 0:
            self.connect(now)
        elif what == 1:
            self.connections.extend(filter(None, [r.choice(self.listeners).accept()]))
        elif what > 10 or not self.connections:
            for _ in range(r.randrange(20)):
                self.world.step()
        elif what < 5:
            r.choice(self.connections).send(bytes(r.choice([1, 500, 5000, 50_000])), now)
        elif what < 8:
            r.choice(self.connections).receive(r.choice([1, 1000, 65_536]), now)
        elif what == 8:
            r.choice(self.connections).shutdown(now, read=r.random() < 0.3, write=r.random() < 0.6)
        elif r.random() < 0.4:
            c = self.connections.pop(r.randrange(len(self.connections)))
            c.abort(now) if r.random() < 0.2 else c.close(now)

    def run(self):
        for _ in range(200):
            try:
                self.call()
            except NetError:
                pass
            for c in self.connections:
                c.readiness()
        for one in (*self.connections, *self.listeners):
            one.close(self.world.now)
        self.world.run(seconds=4000)
        for stack in self.stacks:
            assert not stack.tcp.connections
            assert not stack.tcp.waiting
            assert not stack.tcp.ports.bindings
            assert stack.tcp.tuned == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_everything_ends_and_is_given_back(seed):
    Chaos(seed).run()
