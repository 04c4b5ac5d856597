"""Denied networks, against the library's own arithmetic."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from sentry.boot.network import policy
from sentry.netstack.policy import DeniedNetworks

_V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
_V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


@given(st.one_of(_V4, _V6), st.integers(0, 128), st.one_of(_V4, _V6), st.integers(0, 128))
def test_as_the_library_says(base, prefix, address, near):
    prefix = min(prefix, base.max_prefixlen)
    network = ipaddress.ip_network((str(base), prefix), strict=False)
    if base.version == address.version:  # often inside, or next to it
        address = type(base)(int(base) ^ int(address) >> min(near, base.max_prefixlen))
    rule = DeniedNetworks([(base.packed, prefix)])
    assert rule.may_connect(6, address.packed, 80) is (address not in network)


def test_the_configurations_form():
    rule = policy(["169.254.0.0/16", "fe80::/10", "192.0.2.1/32"])
    answers = {"169.254.169.254": False, "169.255.0.1": True, "fe80::1": False, "fec0::1": True, "192.0.2.1": False}
    for text, may in answers.items():
        assert rule.may_connect(17, ipaddress.ip_address(text).packed, 53) is may
