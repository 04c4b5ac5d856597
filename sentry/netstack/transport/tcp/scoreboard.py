"""What is in flight: one record for each segment sent, what of it was selectively acknowledged, lost, sent again (RFC 6675)."""

from bisect import bisect_left

DUPLICATES = 3  # DupThresh


class Record:
    """A segment in flight. ``resent_at`` is 0 until it is sent a second time."""

    __slots__ = ("end", "is_lost", "is_sacked", "resent_at", "sent_at", "seq")

    def __init__(self, seq: int, end: int, sent_at: int) -> None:
        self.seq = seq
        self.end = end
        self.sent_at = sent_at
        self.resent_at = 0
        self.is_sacked = False
        self.is_lost = False


def _end_of(record: Record) -> int:
    return record.end


class Scoreboard:
    """Records in order; ``sacked`` and ``lost`` (and not sent again) count sequence numbers."""

    __slots__ = ("hint", "latest_delivered", "lost", "records", "sacked")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.sacked = 0
        self.lost = 0
        self.hint = 0  # no record before this index is lost
        self.latest_delivered = 0  # when the newest segment that arrived was sent (RFC 8985 section 6.2)

    def acknowledge(self, ack: int) -> int:
        """Forget what lies before ``ack``; returns when the newest of it was sent that was sent once, 0 if none."""
        newest = count = 0
        for record in self.records:
            if record.end > ack:
                if record.seq < ack:
                    self._cut(record, ack)
                break
            count += 1
            if record.is_sacked:
                self.sacked -= record.end - record.seq
            else:
                if record.is_lost:
                    self.lost -= record.end - record.seq
                self._delivered(record)
                if not record.resent_at:
                    newest = record.sent_at
        del self.records[:count]
        self.hint = max(self.hint - count, 0)
        return newest

    def _cut(self, record: Record, ack: int) -> None:
        if record.is_sacked:
            self.sacked -= ack - record.seq
        elif record.is_lost:
            self.lost -= ack - record.seq
        record.seq = ack

    def _delivered(self, record: Record) -> None:
        self.latest_delivered = max(self.latest_delivered, record.resent_at or record.sent_at)

    def mark(self, left: int, right: int) -> int:
        """A block was selectively acknowledged; returns how much of it is news."""
        at = bisect_left(self.records, left + 1, key=_end_of)
        news = 0
        while at < len(self.records):
            record = self.records[at]
            if record.end > right:
                break
            if record.seq >= left and not record.is_sacked:
                size = record.end - record.seq
                record.is_sacked = True
                news += size
                if record.is_lost:
                    record.is_lost = False
                    self.lost -= size
                self._delivered(record)
            at += 1
        self.sacked += news
        return news

    def lose(self, record: Record) -> None:
        """Note a record as lost."""
        if not record.is_lost and not record.is_sacked:
            record.is_lost = True
            self.lost += record.end - record.seq

    def detect(self, mss: int, reordering: int) -> bool:
        """Find losses: enough was acknowledged above (RFC 6675 section 4, IsLost), or a repetition was overtaken (RFC 8985).

        ``reordering`` is the time by which a segment may be overtaken. True: something is lost that was not.
        """
        before, seen, size = self.lost, 0, 0
        at = len(self.records)
        while at and seen < DUPLICATES and size <= (DUPLICATES - 1) * mss:
            at -= 1
            if self.records[at].is_sacked:
                seen += 1
                size += self.records[at].end - self.records[at].seq
        if seen < DUPLICATES and size <= (DUPLICATES - 1) * mss:
            return False
        limit = self.latest_delivered - reordering
        for record in self.records[:at]:
            if not record.is_sacked and not record.is_lost and (not record.resent_at or record.resent_at < limit):
                self.lose(record)
        if self.lost != before:
            self.hint = 0
        return self.lost != before

    def lose_all(self) -> None:
        """The timer ran out: everything is lost, and what was selectively acknowledged is not trusted (RFC 2018 section 8)."""
        for record in self.records:
            record.is_sacked, record.is_lost, record.resent_at = False, True, record.resent_at or 1
        self.sacked = 0
        self.lost = sum(record.end - record.seq for record in self.records)
        self.hint = 0

    def next_lost(self) -> Record | None:
        """The first lost record that was not sent again."""
        for at in range(self.hint, len(self.records)):
            if self.records[at].is_lost:
                self.hint = at
                return self.records[at]
        self.hint = len(self.records)
        return None

    def split(self, record: Record, at: int) -> None:
        """Make two records of one, the second from ``at`` on (the path's MTU has become smaller)."""
        index = self.records.index(record)
        rest = Record(at, record.end, record.sent_at)
        rest.is_lost, rest.resent_at = record.is_lost, record.resent_at
        record.end = at
        self.records.insert(index + 1, rest)
