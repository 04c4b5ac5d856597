"""Whatever a guest writes into netlink, control and ICMP messages: an errno or an answer, never another exception."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sentry.kernel.net_devices import NetDevices
from sentry.socket.inet import control, icmp, raw
from sentry.socket.inet.address import LOOPBACK4, LOOPBACK6, Endpoint
from sentry.socket.inet.control import Datagram
from sentry.socket.netlink import route
from sentry.socket.netlink.message import Request, acknowledge, attribute, attributes, split
from sentry.socket.socket import Envelope
from syscalls.abi import netlink as nl
from syscalls.abi import socket as abi
from syscalls.abi.errors import SyscallError

_ENDS = st.sampled_from([Endpoint(LOOPBACK4, 0), Endpoint(LOOPBACK6, 0)])


@given(st.binary(max_size=200))
def test_any_bytes_split_into_requests(data: bytes) -> None:
    taken = 0
    for request in split(data):
        taken += len(request.raw)
        attributes(request.body)
        assert len(acknowledge(request, 1, 1, is_capped=False)) >= nl.NLMSGHDR.size
    assert taken <= len(data)


@given(st.sampled_from([18, 22, 26, 30, 34, 38, 90]), st.booleans(), st.booleans(), st.binary(max_size=80))
def test_any_route_request_is_answered_or_refused(kind: int, is_dump: bool, is_strict: bool, body: bytes) -> None:
    request = Request(kind, nl.NLM_F_DUMP if is_dump else 0, 1, body, bytes(16) + body)
    devices = NetDevices()
    try:
        found = route.dump(devices, request, is_strict=is_strict) if is_dump else [route.get(devices, request, 0)]
    except SyscallError:
        return
    assert all(kind in (16, 20, 24, 32) and content for kind, content in found)


@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_attributes_are_read_back(kind: int, value: bytes) -> None:
    assert attributes(attribute(kind, value)) == {kind: value}


@given(
    st.sampled_from([abi.AF_INET, abi.AF_INET6]),
    st.sampled_from([abi.IPPROTO_IP, abi.IPPROTO_IPV6, abi.IPPROTO_UDP, abi.IPPROTO_TCP, 999]),
    st.integers(-(1 << 31), (1 << 31) - 1) | st.sampled_from([1, 2, 8, 50, 52, 67]),
    st.binary(max_size=32),
)
def test_any_control_message_is_taken_or_refused(family: int, level: int, kind: int, data: bytes) -> None:
    socket: Any = SimpleNamespace(family=family)
    try:
        header = control.read_header(socket, Envelope(control=[(level, kind, data)]))
    except SyscallError:
        return
    assert header.ttl is None or 0 <= header.ttl <= 255
    assert header.tos is None or 0 <= header.tos <= 255


@given(st.binary(max_size=100), _ENDS, st.integers(0, 255))
def test_any_icmp_message_has_a_reply_or_none_and_never_a_chain(data: bytes, end: Endpoint, protocol: int) -> None:
    net: Any = SimpleNamespace(raw_sockets=set(), ping_ports=None)
    message = Datagram(data, end, end)
    reply = icmp.reply_to(message)
    if reply is not None:
        assert icmp.reply_to(reply) is None
        assert reply.data[4:] == data[4:]
    raw.transmit(net, protocol, message)


@given(st.binary(max_size=100))
def test_the_checksum_of_a_sealed_message_is_right(data: bytes) -> None:
    end = Endpoint(LOOPBACK4, 0)
    message = icmp.seal(data.ljust(8, b"\0"), end, end)
    assert icmp.checksum(message) == 0
