"""--add-host and --dns."""

import pytest

from sandboxctl.errors import OptionError
from sandboxctl.options import resolver
from sentry.boot.network_files import network_files


def test_names_and_addresses():
    assert resolver.add_hosts(["db:10.0.0.7", "six=fd00::1", "seven:[fd00::7]"]) == (
        ("db", "10.0.0.7"),
        ("six", "fd00::1"),
        ("seven", "fd00::7"),
    )


@pytest.mark.parametrize("text", ["", "name", ":1.2.3.4", "name:", "name:1.2.3", "a b:1.2.3.4", "a\nb:1.2.3.4", "x:host-gateway"])
def test_what_is_no_host(text):
    with pytest.raises(OptionError, match="--add-host"):
        resolver.add_hosts([text])


def test_servers():
    assert resolver.servers(["192.0.2.1", "2001:db8::1"]) == ("192.0.2.1", "2001:db8::1")
    for bad in (["x"], ["192.0.2.1"] * 4):
        with pytest.raises(OptionError, match="--dns"):
            resolver.servers(bad)
    with pytest.raises(OptionError, match="--dns-search"):
        resolver.words(["a b"], "--dns-search")


def test_the_files():
    files = network_files(b"me", [(b"db", b"10.0.0.7")], [b"192.0.2.1"], [b"a.example", b"b.example"], [b"ndots:2"])
    assert files[b"/etc/hosts"].endswith(b"127.0.0.1\tme\n10.0.0.7\tdb\n")
    assert files[b"/etc/resolv.conf"] == b"nameserver 192.0.2.1\nsearch a.example b.example\noptions ndots:2\n"
    assert network_files(b"me")[b"/etc/resolv.conf"].startswith(b"# ")
