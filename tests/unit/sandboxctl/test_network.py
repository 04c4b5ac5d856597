"""``--network``, ``--publish``, ``--deny``: what is taken and what is refused with the fix."""

import ctypes
from errno import EPERM

import pytest

from sandboxctl.config import Network, SandboxConfig
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.network import passt
from sandboxctl.network.namespace import Namespace
from sandboxctl.options.egress import RESERVED, allowed
from sandboxctl.options.network import network
from sandboxctl.state.plain import config_from_plain, config_to_plain


def test_nothing_is_the_default():
    assert network("none", (), ()) is None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("8080:80", "127.0.0.1/8080:80/tcp"),
        ("8080:80/tcp", "127.0.0.1/8080:80/tcp"),
        ("0.0.0.0:53:53/udp", "0.0.0.0/53:53/udp"),
        ("[::1]:8080:80", "::1/8080:80/tcp"),
    ],
)
def test_published_ports(text, meaning):
    assert network("user", [text], ()) == Network((meaning,), reserved=RESERVED)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("host", (), ()), "--network host is refused"),
        (("bridge", (), ()), "is not available; use --network none, user or ns:/run/netns/NAME"),
        (("ns:name", (), ()), "is not available"),
        (("ns:/run/netns/a", ("80:80",), ()), "needs --network user"),
        (("none", ("80:80",), ()), "need --network user"),
        (("none", (), ("10.0.0.0/8",)), "need --network user"),
        (("user", ("80",), ()), "is not [IP:]HOST:GUEST"),
        (("user", ("80:x",), ()), "and numbers"),
        (("user", ("0:80",), ()), "ports are 1 to 65535"),
        (("user", ("::1:80:80",), ()), "is not [IP:]HOST:GUEST"),
        (("user", ("[::1]:80",), ()), "is not [IP:]HOST:GUEST"),
        (("user", ("[10.0.0.1]:80:80",), ()), "and numbers"),
        (("user", ("[]:80:80",), ()), "and numbers"),
        (("user", ("80:80/sctp",), ()), "is not [IP:]HOST:GUEST"),
        (("user", (), ("nowhere",)), "is not a network"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(OptionError) as caught:
        network(*arguments)
    assert text in str(caught.value)


def test_denied_networks_come_on_top_of_reserved_ones():
    made = network("user", (), ("10.1.2.3/8", "192.0.2.1"))
    assert (made.denied, made.reserved) == (("10.0.0.0/8", "192.0.2.1/32"), RESERVED)
    made = network("user", (), ("none", "192.0.2.1"))
    assert (made.denied, made.reserved) == (("192.0.2.1/32",), ())


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Example.ORG", ("example.org", 0)),
        ("example.org.:443", ("example.org", 443)),
        ("*.example.org:443", ("*.example.org", 443)),
        ("b\u00fccher.example", ("xn--bcher-kva.example", 0)),
        ("192.0.2.1:80", ("192.0.2.1/32", 80)),
        ("192.0.2.7/24", ("192.0.2.0/24", 0)),
        ("10.0.0.0/8:22", ("10.0.0.0/8", 22)),
        ("2001:db8::1", ("2001:db8::1/128", 0)),
        ("[2001:db8::1]:443", ("2001:db8::1/128", 443)),
        ("[2001:db8::]/32", None),
        ("[2001:db8::/32]:443", ("2001:db8::/32", 443)),
        ("*", None),
        ("", None),
        ("*.", None),
        ("a.*.example", None),
        ("example.org:0", None),
        ("example.org:http", None),
        ("example..org", None),
        ("a/b", None),
        ("192.0.2.256", None),
        ("-e x", None),
        ("[192.0.2.1]:80", None),
    ],
)
def test_what_may_be_allowed(text, meaning):
    if meaning is None:
        with pytest.raises(OptionError, match="--allow"):
            allowed(text)
    else:
        assert allowed(text) == meaning
        assert network("user", (), (), [text]).allowed == (meaning,)


def test_a_record_keeps_it_and_the_sentry_is_told():
    config = SandboxConfig(network=Network(("127.0.0.1/1:2/tcp",), ("10.0.0.0/8",), (("example.org", 443),), RESERVED))
    again = config_from_plain(config_to_plain(config)).network
    assert again == config.network
    told = passt.message(config.network, has_ipv6=False)
    assert (told["denied"], told["allowed"], told["reserved"]) == (["10.0.0.0/8"], [["example.org", 443]], list(RESERVED))


def test_a_namespace_has_rules_too():
    made = network("ns:/run/netns/a", (), ("10.0.0.0/8",), ("example.org",))
    assert made == Network((), ("10.0.0.0/8",), (("example.org", 0),), RESERVED, namespace="/run/netns/a")


def test_without_rights_the_remedy_is_named(monkeypatch):
    class Libc:
        def setns(self, fd, kind):
            ctypes.set_errno(EPERM)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc())
    with pytest.raises(SandboxError, match="needs root"):
        Namespace("/dev/null")
