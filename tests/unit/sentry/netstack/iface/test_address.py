"""Kinds of addresses at the edges of their ranges (RFC 6890, RFC 4291)."""

from ipaddress import IPv4Network, ip_address

import pytest

from sentry.netstack.iface import address

EDGES = [
    "0.0.0.0", "0.0.0.1", "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", "169.253.255.255", "169.254.0.0",
    "169.254.255.255", "169.255.0.0", "168.254.0.1", "223.255.255.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
    "255.255.255.255", "::", "::1", "::2", "fe7f:ffff::", "fe80::", "fe80::1", "febf:ffff::1", "fec0::", "ff00::", "ff02::1",
    "fd00::1", "1::1", "7f00::1", "ef00::1",
]  # fmt: skip


@pytest.mark.parametrize("text", EDGES)
def test_the_kind(text: str) -> None:
    value = ip_address(text)
    assert address.is_loopback(value.packed) == value.is_loopback
    assert address.is_multicast(value.packed) == value.is_multicast
    assert address.is_link_local(value.packed) == value.is_link_local
    assert address.is_any(value.packed) == value.is_unspecified


def test_the_group_of_a_node() -> None:
    node = ip_address("4037::1:800:200e:8c6c").packed  # the example of RFC 4291 section 2.7.1
    assert address.solicited_node(node) == ip_address("ff02::1:ff0e:8c6c").packed


@pytest.mark.parametrize(
    ("one", "other", "bits"),
    [("10.0.0.0", "10.0.0.0", 32), ("10.0.0.0", "10.0.0.1", 31), ("10.0.0.0", "10.0.1.0", 23), ("0.0.0.0", "128.0.0.0", 0),
     ("fd00::1", "fd00::1", 128), ("fd00::", "fd00:0:0:1::", 63), ("::", "8000::", 0)],
)  # fmt: skip
def test_the_common_prefix(one: str, other: str, bits: int) -> None:
    assert address.common_prefix(ip_address(one).packed, ip_address(other).packed) == bits


@pytest.mark.parametrize("prefix", [8, 16, 23, 24, 29, 30])
def test_the_directed_broadcast(prefix: int) -> None:
    network = IPv4Network(f"10.1.2.3/{prefix}", strict=False)
    assert address.broadcast_of(ip_address("10.1.2.3").packed, prefix) == network.broadcast_address.packed


@pytest.mark.parametrize(("text", "prefix"), [("10.1.2.3", 31), ("10.1.2.3", 32), ("fd00::1", 24)])
def test_what_has_no_directed_broadcast(text: str, prefix: int) -> None:
    assert address.broadcast_of(ip_address(text).packed, prefix) == b""
