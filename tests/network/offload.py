"""``python -m tests.network.offload DEVICE``: the kernel cuts and sums segments itself before this device (ethtool(8) -K)."""

import array
import fcntl
import socket
import struct
import sys

_SIOCETHTOOL = 0x8946
_STXCSUM, _STSO, _SGSO, _SGRO = 0x17, 0x1F, 0x24, 0x2C  # linux/ethtool.h: ETHTOOL_S*


def main() -> None:
    """Switch what can be switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        for command in (_STSO, _SGSO, _SGRO, _STXCSUM):
            value = array.array("I", [command, 0])
            request = struct.pack("16sP", sys.argv[1].encode(), value.buffer_info()[0])
            fcntl.ioctl(door, _SIOCETHTOOL, request)


if __name__ == "__main__":
    main()
