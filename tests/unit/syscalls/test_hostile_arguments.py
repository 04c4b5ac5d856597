"""Any arguments whatever: a handler answers, waits or refuses; it never raises what would stop the sandbox."""

import random
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guest_world import BASE, MEMORY_SIZE, Guest, World, entry_of

from syscalls.registry import build_table

FAMILIES = ("fdio", "net", "ipc")
CALLS = sorted(entry.name for entry in build_table() if entry is not None and entry.family in FAMILIES)
ROUNDS = 100


def value(rng: random.Random, fds: list[int], kind: str) -> int:
    """Mostly something that the argument may sensibly be, sometimes anything."""
    anything = (0, -1, rng.getrandbits(64), 1 << rng.randrange(64), rng.randrange(70_000), BASE + MEMORY_SIZE - rng.randrange(64))
    sensible = {
        "fd": lambda: rng.choice(fds),
        "ptr": lambda: BASE + rng.randrange(0, 4096, 8) if rng.random() < 0.8 else 0,
        "size": lambda: rng.choice((0, 1, 2, 8, 16, rng.randrange(300), rng.randrange(70_000))),
        "off": lambda: rng.randrange(10_000),
    }.get(
        kind, lambda: rng.choice((0, 1, 1, 2, 3, 5, 16, 40, rng.randrange(64), 1 << rng.randrange(20), 1024 + rng.randrange(16)))
    )
    return rng.choice(anything) if rng.random() < 0.15 else sensible()


def furnish(guest: Guest) -> list[int]:
    """A descriptor of every kind."""
    addr = guest.alloc(8)
    fds = [*guest.pipe_pair(), *guest.pipe_pair(0o4000), *guest.pipe_pair(0o40000)]
    for kind in (1, 2, 5, 0x801):
        assert guest.socketpair(1, kind, 0, addr) == 0
        fds += guest.words(addr, 2)
    for kind in (1, 2, 5):
        fd = guest.socket(1, kind, 0)
        name = guest.alloc(b"\1\0\0name%d" % kind)
        assert guest.bind(fd, name, 8) == 0
        guest.listen(fd, 1)
        fds += [fd, guest.socket(1, kind, 0)]
    fds += [guest.eventfd2(1, 0o4000), guest.eventfd2(0, 1), guest.timerfd_create(1, 0o4000), guest.timerfd_create(0, 0)]
    inner, outer = guest.epoll_create1(0), guest.epoll_create1(0)
    for epoll, fd in ((inner, fds[0]), (outer, inner)):
        guest.epoll_ctl(epoll, 1, fd, guest.alloc(b"\1" + bytes(11)))
    return [*fds, inner, outer]


def write_structures(guest: Guest, rng: random.Random, fds: list[int]) -> None:
    """Something that looks like headers, vectors and control messages where arguments often point."""
    for at in range(0, 4096, 8):
        word = rng.choice(
            (rng.randrange(64), BASE + rng.randrange(0, 4096, 8), rng.choice(fds), 0, 1, rng.getrandbits(64), 16, 20)
        )
        guest.ram.write(BASE + at, (word & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"))


@pytest.mark.parametrize("name", CALLS)
def test_any_arguments(name: str) -> None:
    rng = random.Random(name)
    entry = entry_of(name)
    forms = [call for call in (entry.call, entry.masked) if call is not None]
    world = World()
    for round_ in range(ROUNDS):
        if round_ % 50 == 0:
            world = World()
            guest, peer = world.guest(), world.guest()
            fds = furnish(guest)
            peer.task.fds = guest.task.fds
        write_structures(guest, rng, fds)
        run_one(world, guest, peer, rng.choice(forms), [value(rng, fds, argument.kind.name) for argument in entry.arguments])


def run_one(world: World, guest: Guest, peer: Guest, call: Any, arguments: list[int]) -> None:
    guest.start(call, *arguments)
    if guest.is_waiting:
        world.run(10_000_000)
    if guest.is_waiting and guest.context.parked is not None:
        guest.context.parked[2](-4)
        world.run()
    if guest.is_waiting:
        guest.task.fiber.interrupt()
        world.run()
    assert not guest.is_waiting
    guest.outcomes.clear()
    assert peer.getsockname(0, 0, 0) < 0
