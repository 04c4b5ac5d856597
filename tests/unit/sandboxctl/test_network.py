"""``--network``, ``--publish``, ``--deny``: what is taken and what is refused with the fix."""

import pytest

from sandboxctl.config import Network, SandboxConfig
from sandboxctl.errors import OptionError
from sandboxctl.network import passt
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
    ],
)
def test_published_ports(text, meaning):
    assert network("user", [text], ()) == Network((meaning,), ("169.254.0.0/16",))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("host", (), ()), "--network host is refused"),
        (("bridge", (), ()), "not available yet; use --network none or user"),
        (("none", ("80:80",), ()), "need --network user"),
        (("none", (), ("10.0.0.0/8",)), "need --network user"),
        (("user", ("80",), ()), "is not [IP:]HOST:GUEST"),
        (("user", ("80:x",), ()), "and numbers"),
        (("user", ("0:80",), ()), "ports are 1 to 65535"),
        (("user", ("::1:80:80",), ()), "is not [IP:]HOST:GUEST"),
        (("user", ("80:80/sctp",), ()), "is not [IP:]HOST:GUEST"),
        (("user", (), ("nowhere",)), "is not a network"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(OptionError) as caught:
        network(*arguments)
    assert text in str(caught.value)


def test_denied_networks_come_on_top_of_link_local_ones():
    assert network("user", (), ("10.1.2.3/8", "192.0.2.1")).denied == ("169.254.0.0/16", "10.0.0.0/8", "192.0.2.1/32")
    assert network("user", (), ("none", "192.0.2.1")).denied == ("192.0.2.1/32",)


def test_a_record_keeps_it_and_the_sentry_is_told():
    config = SandboxConfig(network=Network(("127.0.0.1/1:2/tcp",), ("169.254.0.0/16",)))
    again = config_from_plain(config_to_plain(config)).network
    assert (tuple(again.published), tuple(again.denied)) == (config.network.published, config.network.denied)
    assert passt.message(config.network)["denied"] == ["169.254.0.0/16"]
