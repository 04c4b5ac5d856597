"""The two formats of cpuset(7)."""

import pytest

from sentry.fs.sys.cpu import mask, ranges


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], b""), ([0], b"0"), ([0, 1], b"0-1"), ([0, 2], b"0,2"), ([0, 1, 2, 3, 7], b"0-3,7"), ([3, 4, 9, 10, 11], b"3-4,9-11")],
)
def test_ranges(numbers: list[int], text: bytes) -> None:
    assert ranges(numbers) == text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], b"0"), ([0], b"1"), ([31], b"80000000"), ([32], b"1,00000000"), ([4, 33, 64], b"1,00000002,00000010")],
)
def test_mask_is_in_groups_of_32_bits_the_highest_first(numbers: list[int], text: bytes) -> None:
    assert mask(numbers) == text
