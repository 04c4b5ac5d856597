"""/sys/class/mem, /sys/class/tty, /sys/dev/char: the devices that a sandbox has in /dev (Linux: drivers/char/mem.c)."""

from typing import Final

from sentry.fs.synthetic.tree import File, Plan, Symlink

_MEM: Final = {b"null": 3, b"zero": 5, b"full": 7, b"random": 8, b"urandom": 9}
_TTY: Final = {b"tty": 0, b"console": 1, b"ptmx": 2}
_CLASSES: Final = ((b"mem", 1, _MEM), (b"tty", 5, _TTY))


def _mode(name: bytes) -> bytes:
    return b"" if name == b"console" else b"DEVMODE=0666\n"


def virtual_devices() -> dict[bytes, Plan]:
    """/sys/devices/virtual by class."""
    return {
        kind: {
            name: {
                b"dev": File(b"%d:%d\n" % (major, minor)),
                b"subsystem": Symlink(b"../../../../class/" + kind),
                b"uevent": File(b"MAJOR=%d\nMINOR=%d\nDEVNAME=%b\n%b" % (major, minor, name, _mode(name))),
            }
            for name, minor in names.items()
        }
        for kind, major, names in _CLASSES
    }


def class_links() -> dict[bytes, Plan]:
    """/sys/class/mem and tty."""
    return {kind: {name: Symlink(b"../../devices/virtual/%b/%b" % (kind, name)) for name in names} for kind, _, names in _CLASSES}


def number_links() -> Plan:
    """/sys/dev/char."""
    return {
        b"%d:%d" % (major, minor): Symlink(b"../../devices/virtual/%b/%b" % (kind, name))
        for kind, major, names in _CLASSES
        for name, minor in names.items()
    }
