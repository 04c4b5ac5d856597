"""DNS messages for tests, written without the code that is tested."""

from struct import pack


def name(text):
    """A name without compression."""
    return b"".join(bytes((len(label),)) + label.encode() for label in text.split(".") if label) + b"\0"


def question(text, type=1, id=7, flags=0x0100, extra=b"", additional=0):
    """A query."""
    return pack(">HHHHHH", id, flags, 1, 0, 0, additional) + name(text) + pack(">HH", type, 1) + extra


def record(owner, type, data, ttl=300):
    """A resource record."""
    return name(owner) + pack(">HHIH", type, 1, ttl, len(data)) + data


def response(text, records, type=1, id=7, rcode=0):
    """An answer with these records."""
    head = pack(">HHHHHH", id, 0x8180 | rcode, 1, len(records), 0, 0)
    return head + name(text) + pack(">HH", type, 1) + b"".join(records)


def opt(data=b"", flags=0, version=0):
    """An OPT record."""
    return b"\0" + pack(">HHBBHH", 41, 1232, 0, version, flags, len(data)) + data
