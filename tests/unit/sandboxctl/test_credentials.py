"""Where logins come from: podman's and docker's files, helpers, the most specific entry first."""

import base64
import json

import pytest

from sandboxctl.errors import SandboxError
from sandboxctl.images.remote import credentials
from sandboxctl.images.remote.credentials import Credentials
from sandboxctl.store.reference import parse

HOME_FILES = ("run/containers/auth.json", "config/containers/auth.json", "docker/config.json")


def entry(user):
    return {"auth": base64.b64encode(f"{user}:pw:{user}".encode()).decode()}


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name, value in (("XDG_RUNTIME_DIR", "run"), ("XDG_CONFIG_HOME", "config"), ("DOCKER_CONFIG", "docker"), ("HOME", "home")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    return tmp_path


def write(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body))


@pytest.mark.parametrize("at", range(3))
def test_each_place(home, at):
    write(home / HOME_FILES[at], {"auths": {"h:5000": entry("a")}})
    assert credentials.find("h:5000", "x/y") == Credentials("a", "pw:a")
    assert credentials.find("other", "x/y") is None


def test_the_first_place_wins(home):
    for at, name in enumerate(HOME_FILES):
        write(home / name, {"auths": {"h": entry(str(at))}})
    assert credentials.find("h", "x").user == "0"


def test_the_most_specific_entry_wins(home):
    write(home / HOME_FILES[0], {"auths": {"h": entry("all"), "h/a": entry("a"), "h/a/b": entry("b")}})
    assert [credentials.find("h", name).user for name in ("a/b/c", "a/b", "a/x", "ab")] == ["b", "b", "a", "all"]


def test_dockers_old_keys_and_tokens(home):
    write(home / HOME_FILES[2], {"auths": {"https://index.docker.io/v1/": entry("hub"), "https://q/v2/": {"identitytoken": "t"}}})
    assert credentials.find("docker.io", "library/x").user == "hub"
    assert credentials.find("q", "x").token == "t"


def test_helpers(home, monkeypatch):
    program = home / "bin/docker-credential-mine"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nread h; [ "$h" = good ] || exit 1; echo "{\\"Username\\": \\"$h\\", \\"Secret\\": \\"s\\"}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}/bin:/usr/bin:/bin")
    write(home / HOME_FILES[2], {"credHelpers": {"good": "mine", "gone": "absent", "evil": "../x"}, "credsStore": "mine"})
    assert credentials.find("good", "x") == Credentials("good", "s")
    assert credentials.find("bad", "x") is None
    for host in ("gone", "evil"):
        with pytest.raises(SandboxError, match="credential helper"):
            credentials.find(host, "x")


@pytest.mark.parametrize("text", ["{", "[1"])
def test_a_damaged_file_is_named(home, text):
    (home / "a").write_text(text)
    with pytest.raises(SandboxError, match="JSON"):
        credentials.find("h", "x", str(home / "a"))


@pytest.mark.parametrize("body", [[], {"auths": []}, *({"auths": {"h": bad}} for bad in (1, {"auth": "%"}, {"auth": ""}))])
def test_nonsense_is_no_login(home, body):
    write(home / "a", body)
    assert credentials.find("h", "x", str(home / "a")) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("docker.io/debian", "docker.io/library/debian:latest"),
        ("h:5000/a/b", "h:5000/a/b:latest"),
        ("localhost/a:1", "localhost/a:1"),
        ("h.x/a@sha256:" + "0" * 64, "h.x/a@sha256:" + "0" * 64),
        ("h.x/a:t@sha256:" + "0" * 64, "h.x/a:t@sha256:" + "0" * 64),
        ("[::1]:5000/a", "[::1]:5000/a:latest"),
    ],
)
def test_names(text, shown):
    assert str(parse(text)) == shown


BAD = ["a", "", "h.x/", "h.x/A", "h.x/a:", "h.x/a@x", "h.x/../a", "h.x/a:b c", "h.x/a\n", "h x/a", "-h.x/a", "h.x/" + "a" * 600]


@pytest.mark.parametrize("text", BAD)
def test_bad_names(text):
    with pytest.raises(SandboxError):
        parse(text)
