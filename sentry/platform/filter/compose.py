"""Composes the guest's filter: the prologue, then libseccomp's program for the table, which is cached as package data.

No start pays for libseccomp: ``python -m sentry.platform.filter.build`` writes the cache, a test checks that it is fresh.
"""

from collections.abc import Iterable
from functools import cache
from itertools import combinations
from pathlib import Path

from sentry.platform.filter import bpf
from sentry.platform.filter.bpf import Program
from sentry.platform.filter.prologue import prologue
from sentry.platform.filter.table import TRACE_CALL

#: Each layer that a rule may need, in the order of the file name.
VARIANT_LAYERS = ("memory", "pidns", "userns")
PROFILES = ("default", "strict")


def variant(profile: str, layers: Iterable[str]) -> str:
    """Return the name of the cached program for ``profile`` and the jail's ``layers``."""
    present = frozenset(layers)
    return "-".join([profile, *(layer for layer in VARIANT_LAYERS if layer in present)])


def cached(profile: str, layers: Iterable[str]) -> Program:
    """Return libseccomp's program for the table. Raises FileNotFoundError for an unknown profile."""
    return bpf.unpack(_read(variant(profile, layers)))


def preload(profile: str) -> None:
    """Read every program of ``profile`` now: after it gave up root, the sentry may be unable to read the folder."""
    for count in range(len(VARIANT_LAYERS) + 1):
        for layers in combinations(VARIANT_LAYERS, count):
            _read(variant(profile, layers))


@cache
def _read(name: str) -> bytes:
    return Path(__file__).with_name(f"{name}.bpf").read_bytes()


def traced(program: Program) -> Program:
    """Return ``program`` with every notification turned into a trace stop: the filter of the ptrace platform."""
    stop = bpf.Instruction(bpf.RET, bpf.RET_TRACE | TRACE_CALL)
    return [stop if item.code == bpf.RET and item.k == bpf.RET_USER_NOTIF else item for item in program]


def guest_filter(profile: str, layers: Iterable[str], load_first: int, load_last: int) -> Program:
    """Return the whole program for a guest whose reserved load descriptors are ``load_first`` to ``load_last``."""
    return prologue(load_first, load_last) + cached(profile, layers)
