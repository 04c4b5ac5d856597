"""A project with one planted difference of each class: all pass natively (one only at every second run), not in a sandbox."""

import ctypes
import errno
import os
import time
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
GET_MEMPOLICY, PERF_EVENT_OPEN = 239, 298


def test_sum() -> None:
    assert 40 + 2 == 42


def test_missing_call() -> None:
    assert LIBC.syscall(GET_MEMPOLICY, 0, 0, 0, 0, 0) == 0


def test_wrong_errno() -> None:
    assert LIBC.syscall(PERF_EVENT_OPEN, 0, 0, 0, 0, 0) == -1
    assert ctypes.get_errno() == errno.EFAULT


def test_missing_proc_file() -> None:
    assert Path("/proc/kallsyms").read_text()


def test_timing() -> None:
    def best(work: object) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(2000):
                work()  # type: ignore[operator]
            times.append(time.perf_counter() - start)
        return min(times)

    ratio = best(os.getppid) / best(lambda: 0)
    assert ratio < 20, f"too slow: took {ratio:.0f} times an empty call"


def test_race() -> None:
    mark = Path(os.environ.get("SAMPLE_MARK", "/nowhere/mark"))
    if not mark.parent.exists():
        return
    is_second = mark.exists()
    mark.touch()
    assert not is_second, "lost the race"


def test_resource_limit() -> None:
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
    for fd in fds:
        os.close(fd)


def test_environment() -> None:
    assert Path(os.environ["SAMPLE_FILE"]).read_text() == "data"
