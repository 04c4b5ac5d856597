import pytest
from hypothesis import given
from hypothesis import strategies as st

from gofer.protocol import message as message_module
from gofer.protocol import wire
from gofer.protocol.config import Config, Tree, decode_config, decode_ready, encode_config, encode_ready
from gofer.protocol.message import MESSAGES, READ, WALK, Message

NAMES = st.binary(min_size=1, max_size=255).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_")).filter(wire.is_name)
KINDS = {
    "u8": st.integers(0, 0xFF),
    "u16": st.integers(0, 0xFFFF),
    "u32": st.integers(0, 0xFFFFFFFF),
    "u64": st.integers(0, 0xFFFFFFFFFFFFFFFF),
    "i64": st.integers(-(1 << 63), (1 << 63) - 1),
    "text": st.binary(max_size=4096),
    "data": st.binary(max_size=4096),
    "rest": st.binary(max_size=256),
    "name": NAMES,
    "names": st.lists(NAMES, max_size=32).map(tuple),
    "place": st.tuples(st.integers(0, 0xFFFFFFFF), st.lists(NAMES, max_size=64).map(tuple)),
    "ids": st.lists(st.integers(0, 0xFFFFFFFF), max_size=64).map(tuple),
}


def fields(kinds):
    return st.tuples(*(KINDS[kind.name] for kind in kinds))


messages = st.sampled_from(list(MESSAGES.values()))


@given(messages.flatmap(lambda message: st.tuples(st.just(message), fields(message.request), fields(message.reply))))
def test_every_message_survives_the_round_trip(case: tuple[Message, tuple, tuple]) -> None:
    message, request, reply = case
    assert tuple(message.decode(message.encode(*request))) == request
    assert tuple(message.decode_reply(message.encode_reply(*reply))) == reply


@given(messages, st.binary(max_size=300))
def test_garbage_is_decoded_or_refused_and_nothing_else(message: Message, body: bytes) -> None:
    try:
        values = message.decode(body)
    except wire.ProtocolError:
        return
    assert len(values) == len(message.request)


@given(messages.flatmap(lambda message: st.tuples(st.just(message), fields(message.request))), st.data())
def test_a_truncated_request_is_refused(case: tuple[Message, tuple], data: st.DataObject) -> None:
    message, values = case
    body = message.encode(*values)
    cut = data.draw(st.integers(0, len(body)))
    if cut == len(body) or message.request[-1] is wire.REST:
        return
    with pytest.raises(wire.ProtocolError):
        message.decode(body[:cut])


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"a\0b", b"\0"])
def test_a_bad_name_is_refused_on_decoding(name: bytes) -> None:
    body = b"\1\0\0\0\1" + bytes((len(name),)) + name
    with pytest.raises(wire.ProtocolError):
        WALK.decode(body)


def test_more_components_than_allowed_are_refused() -> None:
    with pytest.raises(wire.ProtocolError):
        WALK.decode(b"\1\0\0\0" + bytes((65,)) + b"\1a" * 65)


def test_bytes_after_the_last_field_are_refused() -> None:
    with pytest.raises(wire.ProtocolError):
        READ.decode(READ.encode(1, 2, 3) + b"x")


def test_operation_numbers_are_unique() -> None:
    assert len([value for value in vars(message_module).values() if isinstance(value, Message)]) == len(MESSAGES)


TREES = st.builds(
    lambda path, only, fd, rw, hidden, sockets: Tree(path, only=only, fd=fd, is_writable=rw, hidden=hidden, hide_sockets=sockets),
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.integers(-1, 1 << 20),
    st.booleans(),
    st.lists(st.binary(max_size=50), max_size=5).map(tuple),
    st.booleans(),
)


@given(st.lists(TREES, max_size=4), st.integers(-1, 1 << 31), st.integers(-1, 1 << 31), st.booleans())
def test_a_configuration_survives_the_round_trip(trees: list[Tree], uid: int, gid: int, keeps: bool) -> None:
    made = decode_config(encode_config(Config(tuple(trees), uid=uid, gid=gid, keeps_privileges=keeps)))
    assert (made.uid, made.gid, made.keeps_privileges) == (uid, gid, keeps)
    for tree, twin in zip(trees, made.trees, strict=True):
        assert all(getattr(tree, field) == getattr(twin, field) for field in Tree.__slots__)


def test_the_ready_message() -> None:
    assert decode_ready(encode_ready(("nnp", "seccomp"))) == (frozenset({"nnp", "seccomp"}), "")
    assert decode_ready(encode_ready((), "no such folder")) == (frozenset(), "no such folder")
