"""/proc/PID/oom_score_adj and its old form: the numbers that are taken, and that no text is more than a refusal."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.fs.proc.pid import oom
from syscalls.abi.errno import EACCES, EINVAL, ERANGE
from syscalls.abi.errors import SyscallError


def viewer(*, is_privileged: bool) -> Any:
    return cast("Any", SimpleNamespace(credentials=SimpleNamespace(has=lambda capability: is_privileged)))


def target(adjustment: int = 0, least: int = 0) -> Any:
    return cast("Any", SimpleNamespace(group=SimpleNamespace(oom_score_adj=adjustment, oom_score_adj_min=least)))


PLAIN, PRIVILEGED = viewer(is_privileged=False), viewer(is_privileged=True)


@given(st.integers(oom.OOM_SCORE_MIN, oom.OOM_SCORE_MAX))
def test_what_is_written_is_read(value: int) -> None:
    process = target()
    oom.write(PRIVILEGED, process, b"%d\n" % value)
    assert oom.read(PLAIN, process) == b"%d\n" % value
    assert process.group.oom_score_adj_min == value


@given(st.binary(max_size=20))
def test_no_text_is_more_than_a_refusal(data: bytes) -> None:
    process = target()
    for write in (oom.write, oom.write_old):
        try:
            write(PRIVILEGED, process, data)
        except SyscallError as error:
            assert error.errno in (EINVAL, ERANGE)
    assert oom.OOM_SCORE_MIN <= process.group.oom_score_adj <= oom.OOM_SCORE_MAX


def test_the_unprivileged_may_return_to_where_they_may_be() -> None:
    process = target(adjustment=500, least=100)
    oom.write(PLAIN, process, b"100")
    with pytest.raises(SyscallError) as caught:
        oom.write(PLAIN, process, b"99")
    assert caught.value.errno == EACCES
    assert process.group.oom_score_adj == 100


@pytest.mark.parametrize(("adjustment", "score"), [(-1000, 0), (0, 666), (1000, 1333), (-999, 0)])
def test_the_score_follows_the_adjustment(adjustment: int, score: int) -> None:
    assert oom.score(PLAIN, target(adjustment)) == b"%d\n" % score
