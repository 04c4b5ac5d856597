"""What is in flight: cumulative and selective acknowledgements, when a segment counts as lost (RFC 2018, RFC 6675, RFC 8985)."""

import pytest

from sentry.netstack.transport.tcp.scoreboard import Record, Scoreboard

MSS = 100


def board(count: int) -> Scoreboard:
    """``count`` segments of 100 bytes from 0 on; number n was sent at n + 1."""
    made = Scoreboard()
    made.records = [Record(at * MSS, (at + 1) * MSS, at + 1) for at in range(count)]
    return made


def lost_of(made: Scoreboard) -> list[int]:
    return [record.seq // MSS for record in made.records if record.is_lost]


def test_a_cumulative_acknowledgement_forgets_what_is_before_it() -> None:
    made = board(4)
    assert made.acknowledge(0) == 0
    assert len(made.records) == 4
    assert made.acknowledge(200) == 2
    assert [record.seq for record in made.records] == [200, 300]
    assert made.latest_delivered == 2
    assert made.acknowledge(250) == 0
    assert [(record.seq, record.end) for record in made.records] == [(250, 300), (300, 400)]
    assert made.acknowledge(400) == 4
    assert made.records == []


def test_a_segment_that_was_sent_twice_gives_no_sample() -> None:
    made = board(2)
    made.records[1].resent_at = 9
    assert made.acknowledge(200) == 1  # Karn: the first alone
    assert made.latest_delivered == 9
    made = board(1)
    made.records[0].resent_at = 9
    assert made.acknowledge(100) == 0


def test_a_cut_takes_its_part_of_the_counts() -> None:
    made = board(3)
    made.mark(200, 300)
    made.lose(made.records[0])
    made.lose(made.records[1])
    assert (made.lost, made.sacked) == (200, 100)
    made.acknowledge(150)
    assert (made.lost, made.sacked) == (50, 100)
    made.acknowledge(230)
    assert (made.lost, made.sacked) == (0, 70)
    made.acknowledge(300)
    assert (made.lost, made.sacked) == (0, 0)


@pytest.mark.parametrize(
    ("left", "right", "news", "marked"),
    [(100, 200, 100, [1]), (100, 300, 200, [1, 2]), (100, 299, 100, [1]), (101, 300, 100, [2]), (0, 400, 400, [0, 1, 2, 3]),
     (150, 190, 0, []), (400, 500, 0, []), (300, 400, 100, [3]), (300, 500, 100, [3])],
)  # fmt: skip
def test_a_block_counts_whole_segments(left: int, right: int, news: int, marked: list[int]) -> None:
    made = board(4)
    assert made.mark(left, right) == news
    assert [record.seq // MSS for record in made.records if record.is_sacked] == marked
    assert made.sacked == news
    assert made.mark(left, right) == 0
    assert made.sacked == news
    assert made.latest_delivered == (marked[-1] + 1 if marked else 0)


def test_what_arrived_is_not_lost() -> None:
    made = board(3)
    made.lose(made.records[1])
    made.lose(made.records[1])
    assert made.lost == 100
    assert made.mark(100, 200) == 100
    assert (made.lost, lost_of(made)) == (0, [])
    made.lose(made.records[1])
    assert made.lost == 0


@pytest.mark.parametrize(
    ("blocks", "lost"),
    [
        ([(100, 400)], [0]),  # three segments above
        ([(100, 300)], []),  # two are reordering yet
        ([(300, 600)], [0, 1, 2]),
        ([(100, 200), (300, 400), (500, 600)], [0]),
        ([(200, 300), (300, 400), (500, 600)], [0, 1]),
        ([], []),
    ],
)
def test_three_above_mean_a_loss(blocks: list[tuple[int, int]], lost: list[int]) -> None:
    made = board(6)
    for block in blocks:
        made.mark(*block)
    assert made.detect(MSS, 0) == bool(lost)
    assert lost_of(made) == lost
    assert made.lost == MSS * len(lost)
    assert made.detect(MSS, 0) is False


@pytest.mark.parametrize(("mss", "is_lost"), [(99, True), (100, False), (101, False)])
def test_more_than_two_segments_of_bytes_above_mean_a_loss(mss: int, is_lost: bool) -> None:
    """RFC 6675 section 4: more than (DupThresh - 1) * SMSS bytes."""
    made = board(3)
    made.mark(100, 300)
    assert made.detect(mss, 0) == is_lost


@pytest.mark.parametrize(
    ("resent_at", "reordering", "is_lost"), [(3, 0, True), (4, 0, False), (5, 0, False), (1, 2, True), (2, 2, False)]
)
def test_a_repetition_is_lost_once_it_was_overtaken(resent_at: int, reordering: int, is_lost: bool) -> None:
    made = board(4)
    made.records[0].resent_at = resent_at
    made.mark(100, 400)  # the newest that arrived was sent at 4
    assert made.detect(MSS, reordering) == is_lost


def test_the_timer_loses_everything_and_trusts_no_block() -> None:
    made = board(3)
    made.mark(200, 300)
    made.records[1].resent_at = 7
    made.lose_all()
    assert (made.lost, made.sacked, lost_of(made)) == (300, 0, [0, 1, 2])
    assert [record.resent_at for record in made.records] == [1, 7, 1]
    assert [record.is_sacked for record in made.records] == [False] * 3


def test_the_next_that_is_lost() -> None:
    made = board(4)
    assert made.next_lost() is None
    made.lose_all()
    for at in range(4):
        record = made.next_lost()
        assert record is made.records[at]
        assert made.next_lost() is record
        record.is_lost = False
    assert made.next_lost() is None
    made.lose_all()
    assert made.next_lost() is made.records[0]
    made.records[0].is_lost = made.records[1].is_lost = False
    assert made.next_lost() is made.records[2]
    made.acknowledge(100)
    assert made.next_lost() is made.records[1]
    made.acknowledge(300)
    assert made.next_lost() is made.records[0]


def test_a_loss_that_is_found_later_is_seen() -> None:
    made = board(6)
    assert made.next_lost() is None
    made.mark(200, 500)
    assert made.detect(MSS, 0)
    assert made.next_lost() is made.records[0]


def test_a_segment_is_split() -> None:
    made = board(3)
    made.lose(made.records[1])
    made.records[1].resent_at = 9
    made.split(made.records[1], 160)
    assert [(record.seq, record.end) for record in made.records] == [(0, 100), (100, 160), (160, 200), (200, 300)]
    rest = made.records[2]
    assert (rest.sent_at, rest.resent_at, rest.is_lost, rest.is_sacked) == (2, 9, True, False)
