"""Under ``unshare -n``: a veth pair, the host kernel's TCP on one end, a sandbox with a packet socket on the other.

``python -m tests.network.veth`` prints what the guest said, and at last whether its server answered.
"""

import socket
import subprocess
import sys

from tests.network.exchange import exchange

ETH_P_ALL = 3


def main():
    for line in (
        "link set lo up",
        "link add v0 type veth peer name v1",
        "addr add 10.9.1.1/24 dev v0",
        "link set v0 up",
        "link set v1 up",
    ):
        subprocess.run(["ip", *line.split()], check=True)
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.bind(("v1", ETH_P_ALL))
    link.setblocking(False)
    mac = ":".join(f"{octet:02x}" for octet in link.getsockname()[4])
    config = {"kind": "packet", "mac": mac, "mtu": 1500, "addresses": ["10.9.1.15/24"], "routes": []}
    lines, served = exchange(config, link.fileno(), "10.9.1.1", ("10.9.1.15", 8080), "10.9.1.1", refuses=True)
    print(*lines, served, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
