"""``--network user``: passt(1) as the way to the outside for an ordinary user, one process per sandbox.

It speaks Ethernet frames over a socket pair; the sentry's own stack is the other end. The addresses are fixed, there is no DHCP.
It ends with the last copy of our end of the pair (``--one-off``), so nothing is left whichever process dies first.
"""

import shutil
import socket
import subprocess
import time
from typing import Final

from sandboxctl.config import Network
from sandboxctl.errors import SandboxError, one_line

ADDRESS, PREFIX, GATEWAY, NAME_SERVER = "10.0.2.15", 24, "10.0.2.2", "10.0.2.3"
MTU: Final = 65_520
#: unique local addresses (RFC 4193); passt answers for the gateway, as for every other address
ADDRESS6, PREFIX6, GATEWAY6 = "fd9a:559a:559a::15", 64, "fd9a:559a:559a::2"
_MAC: Final = "9a:55:9a:55:9a:55"
METRIC6: Final = 1024  # IP6_RT_PRIO_USER
_RTF_GATEWAY: Final = 2
_PATIENCE_S: Final = 30.0
_TOLD_MAX: Final = 4096
#: an ARP request for the gateway: passt answers as soon as it serves, and says nothing before
_WHO_IS_THERE: Final = bytes.fromhex("ffffffffffff9a559a559a5508060001080006040001") + bytes.fromhex(
    "9a559a559a55" + socket.inet_aton(ADDRESS).hex() + "000000000000" + socket.inet_aton(GATEWAY).hex()
)


def message(network: Network, *, has_ipv6: bool) -> dict[str, object]:
    """The part ``network`` of the sentry's configuration."""
    addresses = [f"{ADDRESS}/{PREFIX}"]
    routes: list[dict[str, object]] = [{"to": "0.0.0.0/0", "via": GATEWAY}]
    if has_ipv6:
        addresses.append(f"{ADDRESS6}/{PREFIX6}")
        routes.append({"to": "::/0", "via": GATEWAY6, "metric": METRIC6})
    return {
        "kind": "passt",
        "mac": _MAC,
        "mtu": MTU,
        "addresses": addresses,
        "routes": routes,
        **network.policy_message(),
    }


class Passt:
    """A running passt; ``link_fd`` is the sentry's end, which ``close_link`` gives up once it has been sent."""

    def __init__(self, network: Network) -> None:
        """Start it and wait until it serves. Raises SandboxError with the remedy."""
        program = shutil.which("passt")
        if program is None:
            raise SandboxError("--network user needs passt: apt-get install passt")
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [program, *_arguments(network, theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            except OSError as error:
                ours.close()
                raise SandboxError(f"--network user: passt cannot start: {error.strerror}") from None
        self._link = ours
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def message(network: Network) -> dict[str, object]:
        """The part ``network`` of the sentry's configuration."""
        return message(network, has_ipv6=host_has_ipv6())

    @property
    def link_fd(self) -> int:
        """The sentry's end."""
        return self._link.fileno()

    def close_link(self) -> None:
        """The sentry has it."""
        self._link.close()

    def stop(self) -> None:
        """End it."""
        self._link.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _wait(self) -> None:
        link = self._link
        link.settimeout(_PATIENCE_S)
        deadline = time.monotonic() + _PATIENCE_S
        try:
            link.sendall(len(_WHO_IS_THERE).to_bytes(4, "big") + _WHO_IS_THERE)
            size = link.recv(4, socket.MSG_WAITALL)
            if len(size) == 4 and time.monotonic() < deadline:
                link.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
                link.setblocking(False)
                return
        except OSError:
            pass
        self._process.kill()
        assert self._process.stderr is not None
        lines = self._process.stderr.read(_TOLD_MAX).decode(errors="replace").strip().splitlines() or ["it does not answer"]
        raise SandboxError(f"--network user: passt cannot work here: {one_line(lines[-1])}")


def host_has_ipv6() -> bool:
    """Whether the host has a way to all of IPv6; without one a sandbox has no such address, and nobody waits for it in vain."""
    try:
        with open("/proc/net/ipv6_route", encoding="ascii") as routes:
            rows = [row.split() for row in routes]
    except OSError:
        return False
    return any(row[0] == "0" * 32 and row[1] == "00" and int(row[8], 16) & _RTF_GATEWAY for row in rows)


def _arguments(network: Network, fd: int) -> list[str]:
    tcp = [port.removesuffix("/tcp") for port in network.published if not port.endswith("/udp")]
    udp = [port.removesuffix("/udp") for port in network.published if port.endswith("/udp")]
    made = ["--foreground", "--quiet", "--one-off", "--fd", str(fd), "--mtu", str(MTU), "--no-map-gw"]
    made += ["--address", ADDRESS, "--netmask", str(PREFIX), "--gateway", GATEWAY, "--dns-forward", NAME_SERVER]
    made += [word for port in tcp for word in ("--tcp-ports", port)] or ["--tcp-ports", "none"]
    made += ["--address", ADDRESS6, "--gateway", GATEWAY6] if host_has_ipv6() else ["--ipv4-only"]
    return made + ([word for port in udp for word in ("--udp-ports", port)] or ["--udp-ports", "none"])
