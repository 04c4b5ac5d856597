"""Networks and names of an egress policy, against the library's own arithmetic."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.netstack.egress.rules import NameRule, Network, Rules, has_any

_V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
_V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


def network(text, port=0):
    made = ipaddress.ip_network(text)
    return Network(made.network_address.packed, made.prefixlen, port)


def packed(text):
    return ipaddress.ip_address(text).packed


@given(st.one_of(_V4, _V6), st.integers(0, 128), st.one_of(_V4, _V6), st.integers(0, 128))
def test_as_the_library_says(base, prefix, address, near):
    prefix = min(prefix, base.max_prefixlen)
    library = ipaddress.ip_network((str(base), prefix), strict=False)
    if base.version == address.version:  # often inside, or next to it
        address = type(base)(int(base) ^ int(address) >> min(near, base.max_prefixlen))
    ours = Network(base.packed, prefix)
    assert ours.has(address.packed) is (address in library)
    if base.version == address.version:
        other = ipaddress.ip_network((str(address), prefix), strict=False)
        assert Network(address.packed, prefix).is_within(ours) is other.subnet_of(library)


@pytest.mark.parametrize(
    "address", ["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:169.254.169.254", "::169.254.169.254", "169.254.1.1"]
)
def test_a_denied_address_stays_denied_in_another_dress(address):
    assert has_any([network("169.254.0.0/16")], packed(address))
    assert not has_any([network("10.0.0.0/8")], packed(address))


@pytest.mark.parametrize(
    ("rule", "name", "matches"),
    [
        ("example.org", "example.org", True),
        ("example.org", "www.example.org", False),
        ("*.example.org", "www.example.org", True),
        ("*.example.org", "a.b.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "evilexample.org", False),
        ("*.example.org", "example.org.evil.net", False),
    ],
)
def test_names(rule, name, matches):
    labels = tuple(rule.removeprefix("*.").encode().split(b"."))
    assert NameRule(labels, rule.startswith("*."), 0).matches(tuple(name.encode().split(b"."))) is matches


def test_a_label_with_a_dot_in_it_is_one_label():
    assert not NameRule((b"example", b"org"), True, 0).matches((b"evil.example", b"org"))
    assert not NameRule((b"example", b"org"), True, 0).matches((b"www.example.org",))


def test_a_reserved_network_is_opened_by_its_own_name_only():
    reserved = (network("169.254.0.0/16"),)
    wide = Rules((network("0.0.0.0/0"),), (), (), reserved)
    assert wide.allows(packed("192.0.2.1"), 80)
    assert not wide.allows(packed("169.254.169.254"), 80)
    named = Rules((network("169.254.169.254/32", 80),), (), (), reserved)
    assert named.allows(packed("169.254.169.254"), 80)
    assert not named.allows(packed("169.254.169.254"), 81)
    assert not named.allows(packed("169.254.169.254"), None)
