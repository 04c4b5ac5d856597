"""The egress policy of ``config["network"]``: ``allowed`` (network or name, port), ``denied``, ``reserved``, ``resolvers``."""

from _socket import AF_INET, AF_INET6, inet_ntop
from collections.abc import Callable
from typing import Any, Final

from sentry.boot.address import binary, prefixed
from sentry.netstack.egress.policy import Decision, EgressPolicy
from sentry.netstack.egress.rules import NameRule, Network, Rules
from sentry.netstack.wire import dns

PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


def policy(config: dict[str, Any], now: Callable[[], int]) -> EgressPolicy:
    """What was asked for. Raises ValueError, OSError."""
    networks, names = [], []
    for host, port in config.get("allowed") or ():
        if "/" in host:
            networks.append(Network(*prefixed(host), int(port)))
        else:
            plain = host.removeprefix("*.")
            names.append(NameRule(tuple(plain.encode("ascii").split(b".")), plain != host, int(port)))
    denied, reserved = ([Network(*prefixed(text)) for text in config.get(key) or ()] for key in ("denied", "reserved"))
    rules = Rules(tuple(networks), tuple(names), tuple(denied), tuple(reserved))
    return EgressPolicy(rules, frozenset(map(binary, config.get("resolvers") or ())), now)


def described(decision: Decision) -> dict[str, Any]:
    """A decision in the words of a trace event."""
    told: dict[str, Any] = {
        "verdict": "allowed" if decision.is_allowed else "denied",
        "reason": decision.reason,
        "protocol": PROTOCOLS.get(decision.protocol, decision.protocol),
        "address": inet_ntop(AF_INET if len(decision.address) == 4 else AF_INET6, decision.address),
    }
    if decision.port >= 0:
        told["port"] = decision.port
    if decision.name is not None:
        told["name"] = dns.text(decision.name)
    return told
