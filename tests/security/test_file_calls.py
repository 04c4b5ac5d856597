"""Random calls on files with hostile arguments, on every kind of file system that a guest can write to."""

from pathlib import Path

import pytest

from tests.guestlib.program import BUILD, Program
from tests.guestlib.target import SandboxTarget

pytestmark = [pytest.mark.security, pytest.mark.slow]


@pytest.fixture(scope="module")
def guest() -> Path:
    return Program.read(Path(__file__).parent / "file_calls.c").build()


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/volume"])
def test_random_calls_on_files(platform: SandboxTarget, guest: Path, tmp_path: Path, folder: str, seed: int) -> None:
    tmp_path.chmod(0o777)
    with platform.open(volumes=[f"{BUILD}:/guests:ro", f"{tmp_path}:/volume"]) as box:
        result = box.run([f"/guests/{guest.name}", str(seed), folder], timeout=60)
        assert (result.exit_code, result.timed_out) == (0, False), result
        assert box.run(["/usr/bin/env", "true"], timeout=20).exit_code in {0, 126, 127}
