"""Texts of open files are kept within a bound."""

from sentry.fs.synthetic.text_cache import BYTES_MAX, TextCache
from sentry.mm.usermem import BytesSink
from tests.unit.sentry.fs.synthetic_world import World


def test_the_oldest_is_forgotten() -> None:
    cache = TextCache()
    cache.put("a", bytes(BYTES_MAX - 10))
    cache.put("b", bytes(10))
    assert cache.get("a") is not None
    cache.put("c", b"x")
    assert cache.get("a") is None
    assert cache.get("b") == bytes(10)
    cache.put("d", bytes(BYTES_MAX + 1))
    assert cache.get("d") is None
    assert cache.get("c") == b"x"


def test_reading_goes_on_in_the_text_that_was_begun() -> None:
    world = World()
    file = world.open(b"/proc/self/comm")
    first = BytesSink(2)
    file.try_read(first, 0)
    world.init.name = b"renamed"
    rest = BytesSink(100)
    file.try_read(rest, 2)
    assert bytes(first.data + rest.data) == b"task1\n"
    file.try_read(rest, 0)
    assert rest.data.endswith(b"renamed\n")
    file.release()
    assert file.inode.fs.texts.get(file) is None
