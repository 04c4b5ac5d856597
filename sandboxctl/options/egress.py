"""``--allow`` and ``--deny``: where a sandbox may go."""

import ipaddress
from collections.abc import Sequence

from sandboxctl.errors import OptionError

#: where clouds answer with credentials, and what is only of the local wire; denied unless named in --allow, or with --deny none
RESERVED = (
    "169.254.0.0/16",  # link-local (RFC 3927), and most clouds' metadata
    "100.100.100.200/32",  # Alibaba Cloud
    "168.63.129.16/32",  # Azure
    "192.0.0.192/32",  # Oracle Cloud
    "fe80::/10",
    "fd00:ec2::/32",  # Amazon
    "fd20:ce::/32",  # Google Cloud
)
_PORT_MAX = 65535
_NAME_MAX, _LABEL_MAX = 253, 63
_FORM = "HOST[:PORT] with a name, *.NAME, an address, [IPv6] or a network like 10.0.0.0/8"


def denied(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The networks of ``--deny``, and those that are reserved. Raises OptionError."""
    return tuple(_network(text) for text in texts if text != "none"), () if "none" in texts else RESERVED


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise OptionError(f"--deny: {text!r} is not a network like 10.0.0.0/8, an address, or none") from None


def allowed(text: str) -> tuple[str, int]:
    """A network, or a name that may begin with ``*.``, and the port; 0 for all and what has no ports. Raises OptionError."""
    host, port = _split(text)
    try:
        return str(ipaddress.ip_network(host, strict=False)), port
    except ValueError:
        pass
    return _name(host, text), port


def _split(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")) or ":" not in host:
            raise OptionError(f"--allow: {text!r} is not {_FORM}")
        port = rest[1:] if rest else None
    elif text.count(":") > 1:
        host, port = text, None
    else:
        host, colon, number = text.partition(":")
        port = number if colon else None
    if port is None:
        return host, 0
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= _PORT_MAX):
        raise OptionError(f"--allow: {text!r}: ports are 1 to {_PORT_MAX}")
    return host, int(port)


def _name(host: str, text: str) -> str:
    is_wildcard = host.startswith("*.")
    plain = host.removeprefix("*.").rstrip(".")
    if host == "*":
        raise OptionError("--allow '*' would allow everything: leave --allow out, or name networks like 0.0.0.0/0")
    if not plain.isascii():
        try:
            plain = plain.encode("idna").decode()
        except UnicodeError:
            plain = ""
    plain = plain.lower()
    labels = plain.split(".")
    is_name = len(plain) <= _NAME_MAX and all(
        0 < len(label) <= _LABEL_MAX and label.replace("-", "a").replace("_", "a").isalnum() for label in labels
    )
    if not is_name or labels[-1].isdigit():
        raise OptionError(f"--allow: {text!r} is not {_FORM}")
    return f"*.{plain}" if is_wildcard else plain
