"""/etc/hosts, /etc/hostname and /etc/resolv.conf of a sandbox, each a mount of its own, so that they are no part of the image.

Docker does the same; the image's files stay as they are below, and never tell the caller's names or name servers. What the image
has not is not made.
"""

from collections.abc import Sequence
from typing import Final

HOSTS: Final = (
    b"127.0.0.1\tlocalhost\n"
    b"::1\tlocalhost ip6-localhost ip6-loopback\n"
    b"fe00::0\tip6-localnet\n"
    b"ff00::0\tip6-mcastprefix\n"
    b"ff02::1\tip6-allnodes\n"
    b"ff02::2\tip6-allrouters\n"
)
_NO_SERVER: Final = b"# --network none: there is no name server"


def network_files(
    hostname: bytes,
    hosts: Sequence[tuple[bytes, bytes]] = (),
    servers: Sequence[bytes] = (),
    search: Sequence[bytes] = (),
    options: Sequence[bytes] = (),
) -> dict[bytes, bytes]:
    """The text of each file, by path. ``hosts`` are further names with their addresses; the rest is that of resolv.conf(5)."""
    lines = [b"nameserver " + server for server in servers] or [_NO_SERVER]
    lines += [b" ".join((word, *words)) for word, words in ((b"search", search), (b"options", options)) if words]
    return {
        b"/etc/hostname": hostname + b"\n",
        b"/etc/hosts": HOSTS + b"127.0.0.1\t" + hostname + b"\n" + b"".join(b"%b\t%b\n" % (ip, name) for name, ip in hosts),
        b"/etc/resolv.conf": b"\n".join(lines) + b"\n",
    }
