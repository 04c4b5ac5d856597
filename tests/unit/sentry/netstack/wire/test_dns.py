"""DNS messages: what a plain query is, which addresses answer it, and that no bytes raise."""

import sys
from pathlib import Path
from struct import pack

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "egress"))

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import name, opt, question, record, response

from sentry.netstack.wire import dns

ONE, TWO = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
_NAME = st.lists(_LABEL, min_size=1, max_size=8).map(".".join)


@given(_NAME, st.integers(0, 65535), st.integers(0, 65535))
def test_a_query_is_read_back(text, type, id):
    found = dns.query(question(text.upper(), type, id))
    assert (found.id, dns.text(found.name), found.type) == (id, text, type)


@pytest.mark.parametrize(
    "extra", [opt(), opt(flags=0x8000), opt(pack(">HH", 10, 8) + bytes(8)), opt(pack(">HH", 10, 24) + bytes(24))]
)
def test_a_query_may_have_options_that_say_nothing(extra):
    assert dns.query(question("a.example", extra=extra, additional=1)) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(12),
        question("a.example") + b"secret",
        question("a.example", flags=0x8100),  # an answer
        question("a.example", flags=0x2900),  # UPDATE
        question("a.example", extra=record("b.example", 16, b"secret"), additional=1),
        question("a.example", extra=opt(pack(">HH", 8, 6) + b"secret"), additional=1),  # client subnet
        question("a.example", extra=opt(pack(">HH", 10, 8) + bytes(8) + pack(">HH", 12, 6) + b"secret"), additional=1),
        question("a.example", extra=opt(version=1), additional=1),
        question("a.example", extra=opt() + opt(), additional=2),
        question("a.example")[:-1],
        pack(">HHHHHH", 7, 0x0100, 2, 0, 0, 0) + name("a.example") + pack(">HH", 1, 1) + name("b.example") + pack(">HH", 1, 1),
        pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + name("a.example") + pack(">HH", 1, 3),  # CHAOS
        pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c" + pack(">HH", 1, 1),  # a name that is itself
        pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + (b"\x3f" + b"a" * 63) * 5 + b"\0" + pack(">HH", 1, 1),
    ],
)
def test_what_is_no_plain_query(data):
    assert dns.query(data) is None


def test_addresses_through_aliases_in_any_order_with_the_least_ttl():
    records = [
        record("cdn.example.net", 1, ONE, 500),
        record("www.example.org", 5, name("example.cdn.net"), 400),
        record("other.example", 1, TWO),
        record("example.cdn.net", 5, name("cdn.example.net"), 30),
    ]
    _, found = dns.answer(response("WWW.example.org", records))
    assert found == [(ONE, 30)]


def test_a_circle_of_aliases_ends():
    records = [record("a.example", 5, name("b.example")), record("b.example", 5, name("a.example")), record("b.example", 1, ONE)]
    assert dns.answer(response("a.example", records))[1] == [(ONE, 300)]


def test_pointers_lead_backwards():
    head = response("www.example.org", [])
    data = head[:6] + pack(">H", 1) + head[8:] + b"\xc0\x0c" + pack(">HHIH", 1, 1, 60, 4) + ONE
    assert dns.answer(data)[1] == [(ONE, 60)]
    forward = head[:6] + pack(">H", 1) + head[8:] + b"\xc0\xff" + pack(">HHIH", 1, 1, 60, 4) + ONE
    assert dns.answer(forward)[1] == []


@pytest.mark.parametrize(
    ("records", "rcode"),
    [
        ([record("evil.example", 1, ONE)], 0),  # out of the question
        ([record("a.example", 1, ONE + b"x")], 0),
        ([record("a.example", 28, ONE)], 0),
        ([record("a.example", 1, ONE)], 3),
    ],
)
def test_what_answers_nothing(records, rcode):
    assert dns.answer(response("a.example", records, rcode=rcode))[1] == []


def test_an_enormous_ttl_is_none():
    assert dns.answer(response("a.example", [record("a.example", 1, ONE, 1 << 31)]))[1] == [(ONE, 0)]


def test_our_own_answer():
    asked = question("evil.example", 28, 99, extra=opt(), additional=1)
    found, addresses = dns.answer(dns.no_such_name(asked, dns.query(asked)))
    assert (found.id, found.type, addresses) == (99, 28, [])
    assert dns.no_such_name(asked, dns.query(asked))[3] & 15 == 3


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    dns.query(data)
    dns.answer(data)


@given(st.data())
def test_no_damage_raises(data):
    records = [record("a.example", 5, name("b.example")), record("b.example", 1, ONE), record("b.example", 28, bytes(16))]
    message = bytearray(response("a.example", records))
    for _ in range(data.draw(st.integers(0, 8))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    dns.query(bytes(message))
    said = dns.answer(bytes(message[: data.draw(st.integers(0, len(message)))]))
    assert said is None or all(len(one.address) in (4, 16) for one in said[1])


def test_strange_names_are_shown_safely():
    assert dns.text((b"a\n.", b"\xff")) == "a\\010\\046.\\255"
