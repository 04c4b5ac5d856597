"""/etc/hosts, /etc/hostname and /etc/resolv.conf (hosts(5), hostname(5), resolv.conf(5))."""

from sentry.boot.network_files import HOSTS, network_files


def test_a_sandbox_without_network_knows_itself_and_no_server() -> None:
    files = network_files(b"box")
    assert files[b"/etc/hostname"] == b"box\n"
    assert files[b"/etc/hosts"] == HOSTS + b"127.0.0.1\tbox\n"
    text = files[b"/etc/resolv.conf"]
    assert all(line.startswith(b"#") for line in text.splitlines())
    assert text.endswith(b"\n")


def test_what_the_caller_gives_is_written_in_its_order() -> None:
    files = network_files(
        b"box", [(b"db", b"10.0.0.1"), (b"web", b"fd00::1")], [b"10.0.0.53", b"fd00::53"], [b"a.test", b"b.test"], [b"ndots:2"]
    )
    assert files[b"/etc/hosts"].endswith(b"127.0.0.1\tbox\n10.0.0.1\tdb\nfd00::1\tweb\n")
    assert files[b"/etc/resolv.conf"] == b"nameserver 10.0.0.53\nnameserver fd00::53\nsearch a.test b.test\noptions ndots:2\n"


def test_search_and_options_are_there_only_if_given() -> None:
    assert network_files(b"box", servers=[b"1.1.1.1"])[b"/etc/resolv.conf"] == b"nameserver 1.1.1.1\n"
    assert network_files(b"box", servers=[b"1.1.1.1"], options=[b"x"])[b"/etc/resolv.conf"] == b"nameserver 1.1.1.1\noptions x\n"
