"""What a log of connections tells, with a clock of the test's."""

import sys
from errno import EAGAIN, ECONNREFUSED, EPERM
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from town import AF_INET, FAR, NONBLOCK, OURS, PEER, SOCK_DGRAM, SOCK_STREAM, Town

from sentry.boot.egress import policy
from sentry.netstack.interface import SECOND
from sentry.socket.inet.outside import journal

EPOCH = 1_700_000_000 * SECOND


@pytest.fixture
def town():
    town = Town()
    town.entries = []
    town.net.policy = policy({"denied": ["192.0.2.0/24"]}, lambda: town.now)
    town.journal = journal.Journal(town.entries.append, town.net.policy, town.world.runner, lambda: EPOCH + town.now)
    town.net.outside.journal = town.net.stack.tcp.observer = town.journal
    town.net.policy.listeners.append(town.journal.decided)
    town.began = EPOCH + town.now
    return town


def test_a_connection_is_told_when_its_last_byte_is(town):
    fd, far = town.connected()
    town.guest.put(fd, b"question")
    town.run()
    assert far.receive(100, town.now) == b"question"
    far.send(b"the answer", town.now)
    town.run()
    assert town.guest.get(fd, 100) == b"the answer"
    assert town.entries == []
    town.guest.close(fd)
    town.run()
    far.close(town.now)
    town.run()
    (entry,) = town.entries  # though TIME_WAIT goes on
    local_port = entry.pop("local_port")
    assert local_port
    assert entry == {
        "start": town.began, "end": EPOCH + town.now, "verdict": "allowed", "protocol": 6, "direction": "out",
        "address": PEER, "port": 80, "local_address": OURS, "sent": 8, "received": 10,
    }  # fmt: skip
    town.journal.close()
    assert len(town.entries) == 1


def test_a_refused_one_and_a_denied_one(town):
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    town.call_address("connect", fd, PEER, 81)
    town.run()
    assert town.call_address("connect", town.socket(AF_INET, SOCK_STREAM | NONBLOCK), FAR, 80) == -ECONNREFUSED
    refused, denied = town.entries
    assert (refused["verdict"], refused["errno"], refused["sent"], refused["received"]) == ("allowed", ECONNREFUSED, 0, 0)
    assert denied == {
        "start": EPOCH + town.now, "end": EPOCH + town.now, "verdict": "denied", "reason": "deny", "protocol": 6,
        "direction": "out", "address": FAR, "port": 80,
    }  # fmt: skip


def test_one_from_outside(town):
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    town.call_address("bind", fd, OURS, 8080)
    town.guest.listen(fd, 4)
    far = town.peer.tcp.connect(None, OURS, 8080, town.now)
    town.run()
    far.send(b"hello", town.now)
    town.run()
    assert town.entries == []
    town.journal.close()
    (entry,) = town.entries
    assert (entry["direction"], entry["local_port"], entry["received"]) == ("in", 8080, 5)


def test_a_knock_is_no_connection(town):
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    town.call_address("bind", fd, OURS, 8080)
    town.guest.listen(fd, 4)
    far = town.peer.tcp.connect(None, OURS, 8080, town.now)
    far.finish(0)  # whoever knocks does not answer
    town.journal.close()
    assert town.entries == []


def test_datagrams_between_the_same_ends_are_one_entry(town):
    server = town.peer.udp.create(4)
    server.bind(b"", 53)
    fd = town.socket(AF_INET, SOCK_DGRAM | NONBLOCK)
    for _ in range(3):
        assert town.send_to(fd, b"who?", PEER, 53) == 4
    town.run()
    question = server.receive()
    server.send(b"answer", town.now, (question.source, question.port))
    town.run()
    assert town.guest.get(fd, 100) == b"answer"
    for _ in range(5):
        assert town.send_to(fd, b"x", FAR, 9) == -EPERM
    last = EPOCH + town.now
    town.wait(lambda: len(town.entries) == 2)
    asked, denied = town.entries
    assert (asked["packets_sent"], asked["sent"], asked["packets_received"], asked["received"]) == (3, 12, 1, 6)
    assert (asked["end"], asked["direction"], asked["local_port"]) == (last, "out", question.port)
    assert (denied["verdict"], denied["packets_denied"], denied["address"]) == ("denied", 5, FAR)
    assert EPOCH + town.now >= last + journal.IDLE
    assert town.guest.get(fd, 100) == -EAGAIN


def test_memory_is_bounded(town, monkeypatch):
    monkeypatch.setattr(journal, "FLOWS_MAX", 16)
    fd = town.socket(AF_INET, SOCK_DGRAM | NONBLOCK)
    for port in range(1, 101):
        town.send_to(fd, b"x", FAR, port)
    assert len(town.entries) == 84
    town.journal.close()
    assert sorted(entry["port"] for entry in town.entries) == list(range(1, 101))
