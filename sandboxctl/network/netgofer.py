"""``--network user`` without passt: the network gofer, our own process that opens the host's sockets (ADR 29)."""

from gofer.launch import GoferError
from gofer.net.launch import NetworkGofer
from sandboxctl.config import Network
from sandboxctl.errors import SandboxError, one_line
from sandboxctl.network.passt import (
    ADDRESS,
    ADDRESS6,
    GATEWAY,
    GATEWAY6,
    MTU,
    NAME_SERVER,
    PREFIX,
    PREFIX6,
    host_has_ipv6,
    message,
)


class NetGofer:
    """As ``Passt``: ``link_fd`` is the sentry's end, which ``close_link`` gives up once it has been sent."""

    def __init__(self, network: Network) -> None:
        """Start it and wait until it serves. Raises SandboxError with the remedy."""
        ends = [{"address": ADDRESS, "prefix": PREFIX, "gateway": GATEWAY}]
        if host_has_ipv6():
            ends.append({"address": ADDRESS6, "prefix": PREFIX6, "gateway": GATEWAY6})
        config = {
            "ends": ends,
            "name_server": NAME_SERVER,
            "mtu": MTU,
            "published": list(network.published),
            "allowed": list(network.allowed),
            "denied": list(network.denied),
            "reserved": list(network.reserved),
        }
        try:
            self._gofer = NetworkGofer(config)
            self._gofer.wait_ready()
        except (GoferError, OSError) as error:
            raise SandboxError(f"--network user: {one_line(error)}") from None
        self._gofer.link.setblocking(False)

    @staticmethod
    def message(network: Network) -> dict[str, object]:
        """The part ``network`` of the sentry's configuration."""
        return message(network, has_ipv6=host_has_ipv6())

    @property
    def link_fd(self) -> int:
        """The sentry's end."""
        return self._gofer.link.fileno()

    def close_link(self) -> None:
        """The sentry has it."""
        self._gofer.link.close()

    def stop(self) -> None:
        """End it."""
        self._gofer.stop()
