"""From configuration to service: open the published ports, give up every right that serving does not need, pass packets on.

It ends with the link, that is with the sentry; nothing that a guest sends makes it end earlier.
"""

import gc
import json
import os
import sys
from _socket import IPPROTO_IPV6, IPV6_V6ONLY, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, socket
from select import EPOLLIN, EPOLLOUT
from typing import Any

from gofer.net.anywhere import world
from gofer.net.datagrams import Flows, OutsideIcmp, OutsideUdp, PublishedUdp
from gofer.net.guest import Guest
from gofer.net.jail import confine
from gofer.net.loop import Loop
from gofer.net.policy import Destinations, rules_of
from gofer.net.sockets import binary, family_of, open_socket
from gofer.net.tcp import OutsideTcp, PublishedTcp
from sentry.host.link.errors import LinkLost
from sentry.host.link.stream import StreamLink
from sentry.netstack.egress.rules import Network
from sentry.netstack.interface import Limits
from sentry.netstack.wire import icmp, tcp, udp

_MESSAGE_MAX = 1 << 16
_BACKLOG = 128
_MAC = b"\x52\x54\x00\x12\x35\x02"
LIMITS = Limits(connections=1024, time_wait=256, tuned_bytes=64 << 20)


def main(control_fd: int, link_fd: int) -> None:
    """Run until the sentry closes the link. Never returns."""
    control = socket(fileno=control_fd)
    status = 1
    try:
        config = json.loads(control.recv(_MESSAGE_MAX))
        published = [open_published(text) for text in config["published"]]
        resolver = first_resolver()
        confine(config["uid"])
        link = StreamLink(link_fd, "link", _MAC, config["mtu"])
        loop = assemble(config, resolver, published, link)
        control.send(b"\0")
        control.close()
        gc.freeze()
        serve(loop, link)
        status = 0
    except OSError as error:
        _report(control, f"{error.strerror or error}")
    except (KeyError, TypeError, ValueError) as error:
        _report(control, f"bad configuration: {error!r}")
    os._exit(status)


def open_published(text: str) -> tuple[socket, bool, int]:
    """The host's socket for ``IP/HOST:GUEST/PROTOCOL``, whether it is UDP, and the guest's port. Raises OSError."""
    address, ports, protocol = text.split("/")
    outer, inner = ports.split(":")
    is_udp = protocol == "udp"
    host = open_socket(family_of(binary(address)), SOCK_DGRAM if is_udp else SOCK_STREAM)
    try:
        if ":" in address:
            host.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1)
        if not is_udp:
            host.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        host.bind((address, int(outer)))
        if not is_udp:
            host.listen(_BACKLOG)
    except OSError as error:
        host.close()
        raise OSError(error.errno, f"cannot publish {address}:{outer}: {error.strerror}") from None
    return host, is_udp, int(inner)


def first_resolver() -> str:
    """The first name server that the host asks (resolv.conf(5)), or nothing; none with a scope, which is a device of the host."""
    try:
        with open("/etc/resolv.conf", encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ""
    for words in lines:
        if len(words) > 1 and words[0] == "nameserver":
            try:
                binary(words[1])
            except OSError:
                continue
            return words[1]
    return ""


def assemble(config: dict[str, Any], resolver: str, published: list[tuple[socket, bool, int]], link: StreamLink) -> Loop:
    """The stack that stands for the world behind ``link``, with the published ports. Raises KeyError, OSError."""
    server = binary(config["name_server"])
    ends = [(binary(one["address"]), int(one["prefix"]), binary(one["gateway"])) for one in config["ends"]]
    gateways = [gateway for _, _, gateway in ends]
    rules, has_names = rules_of(config["allowed"], config["denied"], config["reserved"])
    destinations = Destinations(rules, has_names=has_names, gateways=gateways, name_server=server, resolver=resolver)
    stack = world(os.urandom, LIMITS, Loop.now(), [Network(address, prefix) for address, prefix, _ in ends])
    index = stack.add_link(link)
    for address, prefix, gateway in ends:
        stack.add_address(index, gateway, prefix)
        if len(address) == len(server):
            stack.add_address(index, server, prefix)
    guest = Guest([(address, gateway) for address, _, gateway in ends])
    flows = Flows()
    transport = OutsideTcp(stack, destinations)
    datagrams = OutsideUdp(stack, destinations, flows)
    stack.tcp, stack.udp = transport, datagrams
    stack.transports[tcp.PROTOCOL], stack.transports[udp.PROTOCOL] = transport, datagrams
    stack.icmp = OutsideIcmp(stack, destinations, flows, (*gateways, server))
    stack.transports.pop(icmp.PROTOCOL6, None)
    loop = Loop(stack)
    transport.door.loop = flows.loop = loop
    for host, is_udp, port in published:
        if is_udp:
            datagrams.published[port] = way = PublishedUdp(host, guest, port)
            way.serve(loop)
        else:
            PublishedTcp(host, guest, port).serve(loop)
    return loop


def serve(loop: Loop, link: StreamLink) -> None:
    """Pass frames until the link is lost."""
    stack, index, is_over = loop.stack, max(loop.stack.devices), False

    def ready(events: int) -> None:
        nonlocal is_over
        if events & EPOLLOUT and link.flush():
            loop.watch(link.fd, EPOLLIN, ready)
        try:
            frames = link.receive()
        except LinkLost:
            is_over = True
            return
        now = loop.now()
        for frame, _ in frames:
            stack.receive(index, frame, now)

    link.on_full = lambda: loop.watch(link.fd, EPOLLIN | EPOLLOUT, ready)
    loop.watch(link.fd, EPOLLIN, ready)
    loop.run(lambda: is_over)


def _report(control: socket, text: str) -> None:
    try:
        control.send(text.encode("utf-8", "replace")[:_MESSAGE_MAX])
    except OSError:
        sys.stderr.write(f"network gofer: {text}\n")
