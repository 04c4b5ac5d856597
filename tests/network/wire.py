"""A wire that loses, delays, reorders and repeats frames: what `tc netem` does, where the kernel does not have it.

``python -m tests.network.wire SEED LOSS DUPLICATE REORDER DELAY_MS`` in a namespace with the interfaces m0 and m1 carries frames
from one to the other, each probability in percent, the delay for each way. As with netem, a reordered frame is one that does not
wait; without a delay it waits two milliseconds instead. Prints a line when it carries.
"""

import heapq
import random
import select
import socket
import sys
import time

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_SO_RCVBUFFORCE, _RCVBUF = 33, 32 << 20
_REORDER_MS = 2


class Rules:
    """What happens to a frame; the same frames in the same order meet the same fate."""

    def __init__(self, seed: int, loss: float, duplicate: float, reorder: float, delay_ms: float) -> None:
        self._random = random.Random(seed)
        self._loss, self._duplicate, self._reorder = loss / 100, duplicate / 100, reorder / 100
        self._usual = delay_ms / 1000
        self._other = 0.0 if delay_ms else _REORDER_MS / 1000

    def delays(self) -> list[float]:
        """After how many seconds the frame arrives: nothing if it is lost, two if it is repeated."""
        chance = self._random.random
        if chance() < self._loss:
            return []
        delay = self._other if chance() < self._reorder else self._usual
        return [delay, delay] if chance() < self._duplicate else [delay]


def _end(name: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RCVBUF)
    end.bind((name, _ETH_P_ALL))
    end.setblocking(False)
    return end


def carry(one: socket.socket, two: socket.socket, rules: Rules) -> None:
    """Carry frames for ever."""
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    count = 0
    while True:
        timeout = max(waiting[0][0] - time.monotonic(), 0) if waiting else None
        readable, _, _ = select.select([one, two], [], [], timeout)
        for end in readable:
            other = two if end is one else one
            for _ in range(64):
                try:
                    frame = end.recv(1 << 16)
                except BlockingIOError:
                    break
                now = time.monotonic()
                for delay in rules.delays():
                    if delay:
                        count += 1
                        heapq.heappush(waiting, (now + delay, count, other, frame))
                    else:
                        _send(other, frame)
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, other, frame = heapq.heappop(waiting)
            _send(other, frame)


def _send(end: socket.socket, frame: bytes) -> None:
    try:
        end.send(frame)
    except OSError:
        return  # no room: lost, as on any wire


def main() -> None:
    """Carry, by the rules of the command line."""
    seed, *rules = sys.argv[1:]
    ends = _end("m0"), _end("m1")
    print("carrying", flush=True)
    carry(*ends, Rules(int(seed), *map(float, rules)))


if __name__ == "__main__":
    main()
