"""DNS messages (RFC 1035 section 4, RFC 6891), as far as an egress policy reads them: questions, and addresses that answer them.

A name is a tuple of labels in lower case. What is malformed gives None or is left out: no bytes make anything here raise.
"""

from struct import Struct
from typing import Final, NamedTuple

PORT: Final = 53
A, CNAME, OPT, AAAA = 1, 5, 41, 28
#: a query is short: 12 bytes, a name, and an OPT record with a cookie (RFC 7873)
QUERY_MAX: Final = 512
_IN: Final = 1
_HEADER: Final = Struct(">HHHHHH")
_RECORD: Final = Struct(">HHIH")
_OPT_HEAD: Final = Struct(">BHHBBHH")  # root, type, payload size, extended code, version, flags, length of data
_RESPONSE, _OPCODE, _TRUNCATED, _RECURSION, _AVAILABLE, _RCODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x0080, 0x000F
_NXDOMAIN: Final = 3
_DNSSEC_OK: Final = 0x8000
_COOKIE: Final = 10
_LABEL_MAX, _NAME_MAX = 63, 255
_POINTER: Final = 0xC0
_SIZES: Final = {A: 4, AAAA: 16}
_RECORDS_MAX: Final = 512
_CHAIN_MAX: Final = 16

Name = tuple[bytes, ...]


class Question(NamedTuple):
    """What is asked; ``end`` is where the question's section ends in its message."""

    id: int
    name: Name
    type: int
    end: int


class Address(NamedTuple):
    """An address that answers a question; ``ttl`` in seconds is the least of the chain that leads to it."""

    address: bytes
    ttl: int


def text(name: Name) -> str:
    """A name as people write it; strange bytes as ``\\DDD`` (RFC 1035 section 5.1)."""
    return ".".join("".join(chr(c) if 0x21 <= c <= 0x7E and c not in b".\\" else f"\\{c:03d}" for c in label) for label in name)


def _name(data: bytes, at: int) -> tuple[Name, int] | None:
    """The name at an offset and where it ends. Pointers lead backwards only, so every chain of them ends."""
    labels: list[bytes] = []
    size, end, limit = 1, -1, at
    while at < len(data):
        length = data[at]
        if length >= _POINTER:
            if at + 2 > len(data):
                return None
            end = at + 2 if end < 0 else end
            at = (length & ~_POINTER) << 8 | data[at + 1]
            if at >= limit:
                return None
            limit = at
            continue
        if length > _LABEL_MAX:
            return None
        at += 1
        if not length:
            return tuple(labels), at if end < 0 else end
        size += length + 1
        if size > _NAME_MAX or at + length > len(data):
            return None
        labels.append(data[at : at + length].lower())
        at += length
    return None


def _question(data: bytes) -> Question | None:
    found = _name(data, _HEADER.size)
    if found is None or found[1] + 4 > len(data):
        return None
    name, at = found
    if int.from_bytes(data[at + 2 : at + 4], "big") != _IN:
        return None
    return Question(int.from_bytes(data[:2], "big"), name, int.from_bytes(data[at : at + 2], "big"), at + 4)


def query(data: bytes) -> Question | None:
    """A plain query: one question, at most an OPT record, and nothing in which more could be said."""
    if not _HEADER.size <= len(data) <= QUERY_MAX:
        return None
    _, flags, questions, answers, authorities, additional = _HEADER.unpack_from(data)
    if flags & (_RESPONSE | _OPCODE | _TRUNCATED | _RCODE) or (questions, answers, authorities) != (1, 0, 0) or additional > 1:
        return None
    question = _question(data)
    if question is None or not _is_opt(data[question.end :], additional):
        return None
    return question


def _is_opt(data: bytes, count: int) -> bool:
    """Whether this is the rest of a plain query: nothing, or an OPT record with no option but a cookie."""
    if not count:
        return not data
    if len(data) < _OPT_HEAD.size:
        return False
    root, type, _, code, version, flags, length = _OPT_HEAD.unpack_from(data)
    options = data[_OPT_HEAD.size :]
    if (root, type, code, version) != (0, OPT, 0, 0) or flags & ~_DNSSEC_OK or length != len(options):
        return False
    return not options or (options[:2] == _COOKIE.to_bytes(2, "big") and int.from_bytes(options[2:4], "big") == len(options) - 4)


def no_such_name(data: bytes, question: Question) -> bytes:
    """The answer to a query that no such name exists (NXDOMAIN)."""
    flags = _RESPONSE | int.from_bytes(data[2:4], "big") & _RECURSION | _AVAILABLE | _NXDOMAIN
    return _HEADER.pack(question.id, flags, 1, 0, 0, 0) + data[_HEADER.size : question.end]


def answer(data: bytes) -> tuple[Question, list[Address]] | None:
    """The question that a response repeats, and the addresses for its name, through CNAME records too."""
    if len(data) < _HEADER.size:
        return None
    _, flags, questions, count, _, _ = _HEADER.unpack_from(data)
    if not flags & _RESPONSE or flags & _OPCODE or questions != 1:
        return None
    question = _question(data)
    if question is None:
        return None
    return question, [] if flags & _RCODE else _addresses(data, question, count)


def _addresses(data: bytes, question: Question, count: int) -> list[Address]:
    aliases: dict[Name, tuple[Name, int]] = {}
    found: dict[Name, list[Address]] = {}
    at = question.end
    for _ in range(min(count, _RECORDS_MAX)):
        named = _name(data, at)
        if named is None or named[1] + _RECORD.size > len(data):
            break
        owner, at = named
        type, kind, ttl, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            break
        ttl = 0 if ttl >> 31 else ttl  # RFC 2181 section 8
        if kind == _IN and type == CNAME:
            target = _name(data, at)
            if target is not None and target[1] == at + size:
                aliases.setdefault(owner, (target[0], ttl))
        elif kind == _IN and _SIZES.get(type) == size:
            found.setdefault(owner, []).append(Address(data[at : at + size], ttl))
        at += size
    name, least, told = question.name, 1 << 31, []
    for _ in range(_CHAIN_MAX):
        told += [Address(address, min(ttl, least)) for address, ttl in found.pop(name, ())]
        if name not in aliases:
            break
        name, ttl = aliases[name]
        least = min(least, ttl)
    return told
