"""What routers tell of a path: how long it is believed, how low it may be, how many are kept (RFC 1191, RFC 8201)."""

from sentry.netstack.iface.pmtu import LIFETIME, MIN4, MIN6, PathMtus

FOUR, OTHER, SIX = b"\x0a\0\0\1", b"\x0a\0\0\2", bytes(16)


def test_an_entry_lasts_ten_minutes_and_never_exceeds_the_link() -> None:
    known = PathMtus(4)
    assert known.lower(FOUR, 1400, 1500, 5) == 1400
    assert known.get(FOUR, 1500, 5) == 1400
    assert known.get(FOUR, 1300, 5) == 1300
    assert known.get(OTHER, 1500, 5) == 1500
    assert known.get(FOUR, 1500, 4 + LIFETIME) == 1400
    assert known.get(FOUR, 1500, 5 + LIFETIME) == 1500
    assert known.get(FOUR, 1500, 5) == 1500


def test_only_lower_claims_count_and_absurd_ones_are_raised() -> None:
    known = PathMtus(4)
    assert known.lower(FOUR, 1500, 1500, 0) is None
    assert known.lower(FOUR, 1499, 1500, 0) == 1499
    assert known.lower(FOUR, 68, 1500, 0) == MIN4
    assert known.lower(SIX, 68, 1500, 0) == MIN6
    assert known.lower(SIX, 68, MIN6, 0) is None


def test_the_oldest_makes_room_but_a_known_one_needs_none() -> None:
    known = PathMtus(2)
    for last in range(2):
        known.lower(bytes((10, 0, 0, last)), 1000, 1500, 0)
    known.lower(bytes((10, 0, 0, 1)), 900, 1000, 0)
    assert known.get(b"\x0a\0\0\0", 1500, 0) == 1000
    known.lower(bytes((10, 0, 0, 2)), 800, 1500, 0)
    assert [known.get(bytes((10, 0, 0, last)), 1500, 0) for last in range(3)] == [1500, 900, 800]
