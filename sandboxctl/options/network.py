"""``--network`` and ``--publish``: what a sandbox reaches and what reaches it."""

import ipaddress
from collections.abc import Sequence

from sandboxctl.config import Network
from sandboxctl.errors import OptionError
from sandboxctl.options import egress

_PORT_MAX = 65535


def network(name: str, published: Sequence[str], denied: Sequence[str], allowed: Sequence[str] = ()) -> Network | None:
    """None for loopback only. Raises OptionError."""
    if name == "host":
        raise OptionError("--network host is refused: the guest never uses the host's network; use --network none or user")
    if name == "none":
        if published or denied or allowed:
            raise OptionError("--publish, --allow and --deny need --network user or ns:PATH")
        return None
    kind, _, way = name.partition(":")
    is_user = kind == "user" and way in ("", "passt", "netgofer")
    if not is_user and (kind != "ns" or not way.startswith("/")):
        raise OptionError(f"--network {name!r} is not available; use --network none, user or ns:/run/netns/NAME")
    if not is_user and published:
        raise OptionError("--publish needs --network user: in a namespace of its own the sandbox has addresses of its own")
    networks, reserved = egress.denied(denied)
    targets = tuple(map(egress.allowed, allowed))
    ports = tuple(map(_published, published))
    return Network(ports, networks, targets, reserved, **{"way" if is_user else "namespace": way})


def _published(text: str) -> str:
    """``[IP:]HOST:GUEST[/tcp|udp]`` of podman as ``IP/HOST:GUEST/PROTOCOL`` of passt; without IP on the loopback device only."""
    ports, _, protocol = text.partition("/")
    bracketed, found, rest = ports[1:].partition("]:") if ports.startswith("[") else ("", "", ports)
    words = rest.split(":")
    if len(words) not in ((2,) if found else (2, 3)) or protocol not in ("", "tcp", "udp"):
        raise OptionError(f"--publish: {text!r} is not [IP:]HOST:GUEST[/tcp|udp]")
    address = bracketed if found else words[0] if len(words) == 3 else "127.0.0.1"
    try:
        (ipaddress.IPv6Address if found else ipaddress.IPv4Address)(address)
        numbers = [int(word) for word in words[-2:]]
    except ValueError:
        form = "an IPv4 address (or [one of IPv6]) and numbers"
        raise OptionError(f"--publish: {text!r} is not [IP:]HOST:GUEST[/tcp|udp] with {form}") from None
    if not all(0 < number <= _PORT_MAX for number in numbers):
        raise OptionError(f"--publish: {text!r}: ports are 1 to {_PORT_MAX}")
    return f"{address}/{numbers[0]}:{numbers[1]}/{protocol or 'tcp'}"
