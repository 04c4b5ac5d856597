"""``--add-host``, ``--dns``, ``--dns-search`` and ``--dns-option``: what /etc/hosts and /etc/resolv.conf of the sandbox say."""

from collections.abc import Sequence

from sandboxctl.errors import OptionError

_SERVERS_MAX = 3  # resolv.conf(5), MAXNS
_NAME_MAX = 253


def _address(text: str, option: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise OptionError(f"{option}: {text!r} is not an IP address") from None


def _word(text: str, option: str) -> str:
    if not 0 < len(text) <= _NAME_MAX or not text.isascii() or not text.isprintable() or set(text) & set(" #;"):
        raise OptionError(f"{option}: {text!r} is not one word")
    return text


def add_hosts(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return (name, address) of each ``NAME:ADDRESS`` or ``NAME=ADDRESS``. Raises OptionError."""
    found = []
    for text in texts:
        at = min((place for sign in "=:" if (place := text.find(sign)) > 0), default=-1)
        if at < 0:
            raise OptionError(f"--add-host: {text!r} is not NAME:ADDRESS")
        if text[at + 1 :] == "host-gateway":
            raise OptionError("--add-host: host-gateway is refused: the guest never reaches the host")
        found.append((_word(text[:at], "--add-host"), _address(text[at + 1 :], "--add-host")))
    return tuple(found)


def servers(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of ``--dns``. Raises OptionError."""
    if len(texts) > _SERVERS_MAX:
        raise OptionError(f"--dns: more than {_SERVERS_MAX} servers are never asked; leave the others out")
    return tuple(_address(text, "--dns") for text in texts)


def words(texts: Sequence[str], option: str) -> tuple[str, ...]:
    """Return the checked words of ``--dns-search`` or ``--dns-option``. Raises OptionError."""
    return tuple(_word(text, option) for text in texts)
