"""The egress policy: names by observed answers with a fake clock, questions that may not leave, and hostile guests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import name, question, record, response

from sandboxctl.options.egress import allowed as allowed_form
from sentry.boot.egress import described, policy
from sentry.netstack.egress import policy as policies
from sentry.netstack.egress.names import ADDRESSES_MAX, NAMES_MAX
from sentry.netstack.egress.stream import QuestionStream
from sentry.netstack.interface import SECOND

RESOLVER = "10.0.2.3"
TCP, UDP, ICMP = 6, 17, 1


def packed(text):
    return ipaddress.ip_address(text).packed


SERVER = packed(RESOLVER)


class Sandbox:
    """A policy with a clock of the test's."""

    def __init__(self, *allowed, denied=(), reserved=("169.254.0.0/16",)):
        self.now = 0
        config = {
            "allowed": [allowed_form(text) for text in allowed],
            "denied": denied,
            "reserved": reserved,
            "resolvers": [RESOLVER],
        }
        self.policy = policy(config, lambda: self.now * SECOND)
        self.told = []
        self.policy.listeners.append(lambda decision: self.told.append(described(decision)))

    def may(self, address, port=443, protocol=TCP, local_port=0):
        return self.policy.permits(protocol, packed(address), port, local_port)

    def look_up(self, host, *addresses, ttl=300, port=5000, id=7, records=None):
        """Ask, and have it answered; whether the question left."""
        left = self.policy.ask(port, SERVER, question(host, id=id)) == b""
        made = [record(host, 1, packed(one), ttl) for one in addresses] if records is None else records
        self.policy.heard(SERVER, 53, port, response(host, made, id=id))
        return left


def test_with_nothing_allowed_all_is_but_what_is_denied_or_reserved():
    box = Sandbox(denied=["10.0.0.0/8"])
    assert box.may("192.0.2.1")
    assert not box.may("10.1.2.3")
    assert not box.may("169.254.169.254")
    assert not box.may("64:ff9b::a9fe:a9fe")
    assert box.policy.ask(5000, SERVER, b"anything") == b""
    assert box.may(RESOLVER, 53, UDP)
    assert not box.may(RESOLVER, 80)


def test_literals_and_networks():
    box = Sandbox("192.0.2.0/24:443", "2001:db8::/32")
    assert box.may("192.0.2.1")
    assert not box.may("192.0.2.1", 80)
    assert not box.may("192.0.3.1")
    assert box.may("2001:db8::1", 80)
    assert box.may("2001:db8::1", None, ICMP)
    assert not box.may("192.0.2.1", None, ICMP)  # a port was named
    assert not box.may("2001:db9::1")


def test_connect_before_resolve_and_after_it():
    box = Sandbox("example.org:443")
    assert not box.may("192.0.2.1")
    assert box.look_up("example.org", "192.0.2.1")
    assert box.may("192.0.2.1")
    assert not box.may("192.0.2.1", 80)
    assert not box.may("192.0.2.2")
    assert box.told[-3] == {
        "verdict": "allowed", "reason": "name", "protocol": "tcp", "address": "192.0.2.1", "port": 443, "name": "example.org",
    }  # fmt: skip


@pytest.mark.parametrize(("ttl", "lasts"), [(0, 60), (59, 60), (300, 300), (1 << 30, 86_400)])
def test_a_ttl_passes(ttl, lasts):
    box = Sandbox("example.org")
    box.look_up("example.org", "192.0.2.1", ttl=ttl)
    box.now = lasts - 1
    assert box.may("192.0.2.1")
    box.now = lasts
    assert not box.may("192.0.2.1")
    box.look_up("example.org", "192.0.2.1", ttl=ttl)
    assert box.may("192.0.2.1")


def test_aliases_are_followed_and_are_no_names_to_ask_for():
    box = Sandbox("www.example.org")
    records = [record("www.example.org", 5, name("x.cdn.net")), record("x.cdn.net", 1, packed("192.0.2.9"))]
    box.look_up("www.example.org", records=records)
    assert box.may("192.0.2.9")
    assert not box.look_up("x.cdn.net", "192.0.2.10")
    assert not box.may("192.0.2.10")


def test_a_question_that_is_not_allowed_is_answered_here():
    box = Sandbox("*.example.org")
    answer = box.policy.ask(5000, SERVER, question("secret.evil.net"))
    assert answer[2:4] == b"\x81\x83"
    assert box.told[-1]["verdict"] == "denied"
    assert box.told[-1]["name"] == "secret.evil.net"
    assert box.policy.ask(5000, SERVER, question("a.example.org")) == b""
    assert box.policy.ask(5000, SERVER, question("a.example.org") + b"secret") is None
    assert box.policy.ask(5000, SERVER, b"") is None


def test_addresses_alone_leave_nothing_to_ask():
    assert Sandbox("192.0.2.1").policy.ask(5000, SERVER, question("example.org"))


@pytest.mark.parametrize(
    ("source", "port", "local_port", "id", "host"),
    [
        ("10.0.2.15", 53, 5000, 7, "example.org"),  # not the name server
        (RESOLVER, 54, 5000, 7, "example.org"),
        (RESOLVER, 53, 5001, 7, "example.org"),  # nobody asked from there
        (RESOLVER, 53, 5000, 8, "example.org"),
        (RESOLVER, 53, 5000, 7, "www.example.org"),  # another question
    ],
)
def test_an_answer_to_no_question_is_not_believed(source, port, local_port, id, host):
    box = Sandbox("*.example.org", "example.org")
    assert box.policy.ask(5000, SERVER, question("example.org")) == b""
    box.policy.heard(packed(source), port, local_port, response(host, [record(host, 1, packed("192.0.2.1"))], id=id))
    assert not box.may("192.0.2.1")


def test_an_answer_is_believed_once_and_in_time():
    box = Sandbox("example.org")
    box.look_up("example.org", "192.0.2.1")
    box.policy.heard(SERVER, 53, 5000, response("example.org", [record("example.org", 1, packed("192.0.2.2"))]))
    assert not box.may("192.0.2.2")
    box.policy.ask(5000, SERVER, question("example.org"))
    box.now = 31
    box.policy.heard(SERVER, 53, 5000, response("example.org", [record("example.org", 1, packed("192.0.2.2"))]))
    assert not box.may("192.0.2.2")


def test_rebinding_to_metadata_and_denied_networks_fails():
    box = Sandbox("example.org", denied=["10.0.0.0/8"])
    box.look_up("example.org", "169.254.169.254", "10.0.0.1", "192.0.2.1")
    assert not box.may("169.254.169.254", 80)
    assert not box.may("10.0.0.1")
    assert box.may("192.0.2.1")
    six = [record("example.org", 28, packed("64:ff9b::a9fe:a9fe"))]
    box.policy.ask(5000, SERVER, question("example.org", 28))
    box.policy.heard(SERVER, 53, 5000, response("example.org", six, 28))
    assert not box.may("64:ff9b::a9fe:a9fe", 80)


def test_who_asks_a_published_udp_server_is_answered_for_a_while():
    box = Sandbox("example.org")
    assert not box.may("203.0.113.5", 9000, UDP, 80)
    box.policy.heard(packed("203.0.113.5"), 9000, 80, b"hello")
    assert box.may("203.0.113.5", 9000, UDP, 80)
    assert not box.may("203.0.113.5", 9001, UDP, 80)
    assert not box.may("203.0.113.5", 9000, UDP, 81)
    assert not box.may("203.0.113.5", 9000, TCP, 80)
    box.now = 120
    assert not box.may("203.0.113.5", 9000, UDP, 80)


def test_packets_of_raw_sockets_are_judged_by_their_own_ports():
    box = Sandbox("192.0.2.1:443", "2001:db8::1")
    segment = (5000).to_bytes(2, "big") + (443).to_bytes(2, "big") + bytes(16)
    other = (443).to_bytes(2, "big") + (80).to_bytes(2, "big") + bytes(16)
    there = packed("192.0.2.1")
    assert box.policy.permits_packet(TCP, there, segment)
    assert not box.policy.permits_packet(TCP, there, other)
    assert not box.policy.permits_packet(TCP, there, segment[:3])
    assert not box.policy.permits_packet(ICMP, there, bytes(8))
    for hiding in (0, 43, 44, 60):
        assert not box.policy.permits_packet(hiding, packed("2001:db8::1"), bytes(40))
    asking = (5000).to_bytes(2, "big") + (53).to_bytes(2, "big") + bytes(4) + question("evil.net")
    assert not box.policy.permits_packet(UDP, SERVER, asking)
    assert not box.policy.permits_packet(TCP, SERVER, asking)


def test_memory_is_bounded():
    box = Sandbox("*.example.org")
    for number in range(ADDRESSES_MAX + 10):
        box.look_up(f"n{number}.example.org", str(ipaddress.ip_address(0x0B000000 + number)))
        box.policy.ask(number, SERVER, question("a.example.org"))
        box.policy.heard(number.to_bytes(4, "big"), 9, 9, b"")
    for number in range(NAMES_MAX + 10):
        box.look_up(f"m{number}.example.org", "192.0.2.1")
    assert len(box.policy.names._addresses) == ADDRESSES_MAX
    assert len(box.policy.names._addresses[packed("192.0.2.1")]) == NAMES_MAX
    assert len(box.policy._pending) <= policies.PENDING_MAX
    assert len(box.policy._peers) == policies.PEERS_MAX
    assert not box.may("11.0.0.0")


# --- over TCP ----------------------------------------------------------------------------------------------------------------


def framed(message):
    return len(message).to_bytes(2, "big") + message


@given(st.lists(st.integers(1, 40), max_size=20))
def test_a_stream_of_questions_in_any_pieces(cuts):
    box = Sandbox("example.org")
    stream = QuestionStream(box.policy, SERVER)
    data = framed(question("example.org", id=1)) + framed(question("example.org", id=2)) + framed(question("evil.net", id=3))
    bad_end, at = len(data), 0
    for cut in [*cuts, len(data)]:
        end = min(at + cut, bad_end)
        may = stream.may_send(data[at:end])
        assert may is (end < bad_end)  # the last byte of the question that is not allowed never leaves
        at = end
        if not may:
            break
    answers = framed(response("example.org", [record("example.org", 1, packed("192.0.2.1"))], id=2))
    for octet in answers:
        stream.has_come(bytes((octet,)))
    assert box.may("192.0.2.1")


@pytest.mark.parametrize("data", [b"\0\0", b"\xff\xff", framed(b"GET / HTTP/1.0\r\n\r\n")])
def test_a_stream_of_something_else_ends(data):
    assert not QuestionStream(Sandbox("example.org").policy, SERVER).may_send(data)


def test_an_answer_that_nobody_asked_for_in_a_stream():
    box = Sandbox("example.org")
    stream = QuestionStream(box.policy, SERVER)
    stream.has_come(framed(response("example.org", [record("example.org", 1, packed("192.0.2.1"))])))
    assert not box.may("192.0.2.1")


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_no_bytes_raise(parts):
    for box in (Sandbox("example.org"), Sandbox()):
        stream = QuestionStream(box.policy, SERVER)
        for part in parts:
            box.policy.ask(1, SERVER, part)
            box.policy.heard(SERVER, 53, 1, part)
            box.policy.permits_packet(17, SERVER, part)
            stream.has_come(part)
            stream.may_send(part)
