"""/etc/hosts, /etc/hostname and /etc/resolv.conf of a sandbox, each a mount of its own, so that they are no part of the image.

Docker does the same; the image's files stay as they are below, and never tell the caller's names or name servers. What the image
has not is not made.
"""

from typing import Final

HOSTS: Final = (
    b"127.0.0.1\tlocalhost\n"
    b"::1\tlocalhost ip6-localhost ip6-loopback\n"
    b"fe00::0\tip6-localnet\n"
    b"ff00::0\tip6-mcastprefix\n"
    b"ff02::1\tip6-allnodes\n"
    b"ff02::2\tip6-allrouters\n"
)
_NO_SERVER: Final = b"# --network none: there is no name server\n"


def network_files(hostname: bytes) -> dict[bytes, bytes]:
    """The text of each file, by path."""
    return {
        b"/etc/hostname": hostname + b"\n",
        b"/etc/hosts": HOSTS + b"127.0.0.1\t" + hostname + b"\n",
        b"/etc/resolv.conf": _NO_SERVER,
    }
