"""What has come in: bytes in order for the reader, and parts that wait for what is missing before them (RFC 9293 3.10.7.4)."""

from bisect import bisect_left
from collections import deque


class ReceiveQueue:
    """``length`` are the bytes in order, ``waiting`` those of ``parts`` (seq, data), which never overlap."""

    __slots__ = ("chunks", "length", "newest", "parts", "start", "waiting")

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.start = 0  # what has been read of the first chunk
        self.length = 0
        self.parts: list[tuple[int, bytes]] = []
        self.waiting = 0
        self.newest = 0  # where the newest part begins: its block is told first (RFC 2018 section 4)

    def append(self, data: bytes) -> None:
        """Bytes in order."""
        self.chunks.append(data)
        self.length += len(data)

    def read(self, size: int, *, is_peek: bool = False) -> bytes:
        """Up to ``size`` bytes; a peek leaves them."""
        if is_peek:
            return self._peek(size)
        chunks = self.chunks
        if chunks and not self.start and len(chunks[0]) <= size and (len(chunks) == 1 or len(chunks[0]) == size):
            self.length -= len(chunks[0])
            return chunks.popleft()
        size = min(size, self.length)
        self.length -= size
        taken: list[bytes] = []
        while size:
            chunk = chunks[0]
            rest = len(chunk) - self.start
            if rest <= size:
                taken.append(chunk[self.start :] if self.start else chunk)
                chunks.popleft()
                self.start = 0
                size -= rest
            else:
                taken.append(chunk[self.start : self.start + size])
                self.start += size
                size = 0
        return b"".join(taken)

    def _peek(self, size: int) -> bytes:
        taken: list[bytes] = []
        start = self.start
        for chunk in self.chunks:
            if size <= 0:
                break
            taken.append(chunk[start : start + size])
            size -= len(taken[-1])
            start = 0
        return b"".join(taken)

    def hold(self, seq: int, data: bytes) -> bool:
        """Keep a part that came too early, without what is there already. False: nothing of it was new."""
        parts, end, is_new = self.parts, seq + len(data), False
        self.newest = seq
        at = bisect_left(parts, (seq,))
        if at and (reach := parts[at - 1][0] + len(parts[at - 1][1])) > seq:
            if reach >= end:
                return False
            data, seq = data[reach - seq :], reach
        while data:
            room_end = parts[at][0] if at < len(parts) else end
            if room_end > seq:
                piece = data[: room_end - seq]
                parts.insert(at, (seq, piece))
                self.waiting += len(piece)
                is_new = True
                at += 1
                seq += len(piece)
                data = data[len(piece) :]
            if data:
                skip = min(parts[at][0] + len(parts[at][1]) - seq, len(data))
                data, seq = data[skip:], seq + skip
                at += 1
        return is_new

    def release(self, seq: int) -> int:
        """Move what continues at ``seq`` to the bytes in order; returns the number that is expected next."""
        count = 0
        for start, data in self.parts:
            if start > seq:
                break
            count += 1
            self.waiting -= len(data)
            if start + len(data) > seq:
                self.append(data[seq - start :])
                seq = start + len(data)
        del self.parts[:count]
        return seq

    def blocks(self, limit: int) -> list[tuple[int, int]]:
        """The blocks of the SACK option, the newest first (RFC 2018 section 4)."""
        joined: list[tuple[int, int]] = []
        for start, data in self.parts:
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], start + len(data))
            else:
                joined.append((start, start + len(data)))
        first = [block for block in joined if block[0] <= self.newest < block[1]]
        return (first + [block for block in joined if block not in first][::-1])[:limit]
