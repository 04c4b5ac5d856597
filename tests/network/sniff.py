"""``python -m tests.network.sniff DEVICE``: one line for each IPv4 packet on a device, until standard input ends.

TCP: who (the last octet of the source), flags but PSH, kinds of the options in order, MSS, payload; ICMP: type, code, size.
Only what has a meaning of its own is told: no bare acknowledgements, whose number depends on time, and no sequence numbers.
"""

import select
import socket
import sys

_ETH_P_ALL = 3
_TCP, _ICMP = 6, 1
_NAMES = ((2, "S"), (1, "F"), (4, "R"), (16, "."), (32, "U"))


def told(frame: bytes) -> str:
    """The line of a frame, or nothing."""
    if frame[12:14] != b"\x08\0" or frame[14] >> 4 != 4:
        return ""
    size = (frame[14] & 0xF) * 4
    packet, who, protocol = frame[14 + size : 14 + int.from_bytes(frame[16:18], "big")], frame[29], frame[23]
    if protocol == _ICMP:
        return f"{who} icmp {packet[0]} {packet[1]} {len(packet)}"
    if protocol != _TCP:
        return ""
    head = (packet[12] >> 4) * 4
    flags = "".join(letter for bit, letter in _NAMES if packet[13] & bit)
    payload = len(packet) - head
    if flags == "." and not payload:
        return ""
    words = [str(who), flags, f"{payload} bytes"]
    if "S" in flags or "R" in flags:
        kinds, mss = _options(packet[20:head])
        words += [f"options {kinds}", f"mss {mss}"]
    if "R" in flags:
        words.append("window" if any(packet[14:16]) else "no window")  # its number depends on the scale
    return " ".join(words)


def _options(options: bytes) -> tuple[list[int], int]:
    kinds, at, mss = [], 0, 0
    while at < len(options):
        kinds.append(options[at])
        if options[at] == 2:
            mss = int.from_bytes(options[at + 2 : at + 4], "big")
        at += 1 if options[at] < 2 else options[at + 1]
    return kinds, mss


def main() -> None:
    """Sniff."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)) as tap:
        tap.bind((sys.argv[1], _ETH_P_ALL))
        tap.setblocking(False)
        print("ready", flush=True)
        is_over = False
        while not is_over:
            is_over = sys.stdin in select.select([tap, sys.stdin], [], [])[0]
            while True:
                try:
                    line = told(tap.recv(1 << 17))
                except BlockingIOError:
                    break
                if line:
                    print(line, flush=True)


if __name__ == "__main__":
    main()
