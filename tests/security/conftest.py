"""Fixtures of the safety tests: a sandbox with a program that stays, and its host processes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.guestlib.target import SandboxTarget
from tests.security.processes import Family, family

#: three processes and several threads, one of them an orphan of the first
PROGRAM = """
import os, sys, threading
stay = threading.Event()
for _ in range(3):
    threading.Thread(target=stay.wait, daemon=True).start()
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
    os.write(1, b"ready\\n")
    threading.Event().wait()
os.write(1, b"ready\\n")
threading.Event().wait()
"""


@dataclass
class Running:
    """A sandbox in which a program runs, and the host processes that make it up."""

    box: Any
    process: Any
    family: Family


def read_lines(stream: Any, count: int) -> None:
    """Wait until the guest has said ``ready`` so many times."""
    for _ in range(count):
        assert stream.readline() == b"ready\n"


@pytest.fixture
def running(platform: SandboxTarget) -> Iterator[Running]:
    box = platform.open()
    process = None
    try:
        process = box.start(["/usr/bin/python3", "-c", PROGRAM], pipes=(1,))
        read_lines(process.stdout, 3)
        yield Running(box, process, family(os.getpid()))
    finally:
        if process is not None:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        box.close()
