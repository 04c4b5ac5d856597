"""struct sockaddr_un at its edges (unix(7))."""

import pytest

from sentry.socket.unix.address import encode, family_of, parse
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError

HEAD = b"\1\0"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"/x", b"/x"),
        (b"/x\0rest", b"/x"),
        (b"\0a", b"\0a"),
        (b"\0a\0b\0", b"\0a\0b\0"),
        (b"\0", b"\0"),
        (b"p" * 108, b"p" * 108),
    ],
)
def test_names(raw: bytes, name: bytes) -> None:
    assert parse(HEAD + raw) == name


@pytest.mark.parametrize("raw", [b"", b"\1", HEAD, b"\2\0/x", HEAD + b"p" * 109])
def test_what_is_no_name(raw: bytes) -> None:
    with pytest.raises(SyscallError) as caught:
        parse(raw)
    assert caught.value.errno == EINVAL


def test_family_needs_two_bytes() -> None:
    assert family_of(b"\2\0") == 2
    with pytest.raises(SyscallError):
        family_of(b"\2")


def test_a_path_is_told_with_its_nul_an_abstract_name_without() -> None:
    assert (encode(b""), encode(b"/x"), encode(b"\0x")) == (HEAD, HEAD + b"/x\0", HEAD + b"\0x")
