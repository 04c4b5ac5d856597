import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from isolated import build_guest, public_directory


@pytest.fixture(scope="session")
def guest():
    """The path of the compiled guest program, as bytes."""
    directory = public_directory()
    yield bytes(build_guest(directory))
    shutil.rmtree(directory)
