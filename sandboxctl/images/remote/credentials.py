"""Logins for registries, from where podman and docker keep them (containers-auth.json(5), docker's config.json)."""

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sandboxctl.errors import OptionError
from sandboxctl.store.errors import ImageError

_FILE_MAX: Final = 1 << 20
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?")
_HELPER: Final = re.compile(r"[A-Za-z0-9_.-]+")
_HELPER_PATIENCE: Final = 30.0
_DOCKER_HUB: Final = ("docker.io", "https://index.docker.io/v1/", "index.docker.io")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and password, or an identity token instead of the password."""

    user: str = ""
    password: str = ""
    token: str = ""

    @property
    def basic(self) -> str:
        """The header of Basic authentication (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def parse(text: str) -> Credentials:
    """Read ``USER:PASSWORD``. Raises OptionError."""
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise OptionError("--creds: write USER:PASSWORD")
    return Credentials(user, password)


def find(host: str, name: str, authfile: str | None = None) -> Credentials | None:
    """The login for a repository, None if there is none. Raises ImageError for a file that cannot be read."""
    for path in [authfile] if authfile is not None else _places():
        found = _read(path, is_wanted=authfile is not None)
        if found is None:
            continue
        login = _search(found, host, name)
        if login is not None:
            return login
    return None


def host_of(text: str) -> str:
    """The registry that a caller means by ``HOST[:PORT]``, with or without https:// and a path. Raises OptionError."""
    host = text.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if not _HOST.fullmatch(host):
        raise OptionError(f"{text!r} is not a registry: write HOST or HOST:PORT")
    return "docker.io" if host in _DOCKER_HUB else host


def keep(host: str, login: Credentials, authfile: str | None = None) -> None:
    """Write a login down, for us alone to read. Raises ImageError."""
    encoded = login.basic.removeprefix("Basic ")
    _change(_kept_at(authfile), lambda auths: auths.update({host: {"auth": encoded}}))


def forget(host: str | None, authfile: str | None = None) -> bool:
    """Remove the login of ``host``, None for all; whether there was one. Raises ImageError."""
    removed: list[str] = []

    def remove(auths: dict[str, Any]) -> None:
        removed.extend([name for name in auths if host in {None, name}])
        for name in removed:
            del auths[name]

    path = _kept_at(authfile)
    if os.path.exists(path):
        _change(path, remove)
    return bool(removed)


def _kept_at(authfile: str | None) -> str:
    return authfile if authfile is not None else _places()[0]


def _change(path: str, change: Callable[[dict[str, Any]], None]) -> None:
    """By rename, so that a reader sees the old file or the new one; all else in it stays."""
    found = _read(path, is_wanted=False) or {}
    auths = found.get("auths")
    found["auths"] = auths = auths if isinstance(auths, dict) else {}
    change(auths)
    new = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w", encoding="utf-8") as file:
            json.dump(found, file, indent=4)
        os.rename(new, path)
    except OSError as error:
        raise ImageError(f"cannot write {path!r}: {error.strerror}") from None


def _places() -> list[str]:
    """Where logins may be, the first one that has the registry wins."""
    home = os.path.expanduser("~")
    chosen = os.environ.get("REGISTRY_AUTH_FILE")
    if chosen:
        return [chosen]
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}"
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return [
        os.path.join(runtime, "containers", "auth.json"),
        os.path.join(config, "containers", "auth.json"),
        os.path.join(os.environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker"), "config.json"),
    ]


def _read(path: str, *, is_wanted: bool) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(_FILE_MAX))
    except OSError as error:
        if is_wanted:
            raise ImageError(f"--authfile: cannot read {path!r}: {error.strerror}") from None
        return None
    except ValueError:
        raise ImageError(f"{path!r} is not JSON: repair it or log in again") from None
    return found if isinstance(found, dict) else None


def _search(found: dict[str, Any], host: str, name: str) -> Credentials | None:
    auths = found.get("auths")
    helpers = found.get("credHelpers")
    hosts = _DOCKER_HUB if host == "docker.io" else (host, f"https://{host}", f"http://{host}", f"https://{host}/v1/", f"https://{host}/v2/")
    if isinstance(helpers, dict) and isinstance(helpers.get(host), str):
        return _ask(helpers[host], host)
    parts = name.split("/")
    keys = [f"{host}/{'/'.join(parts[:count])}" for count in range(len(parts), 0, -1)] + list(hosts)
    for key in keys:
        entry = auths.get(key) if isinstance(auths, dict) else None
        if isinstance(entry, dict) and (login := _decode(entry)) is not None:
            return login
    if isinstance(found.get("credsStore"), str):
        return _ask(found["credsStore"], hosts[1] if host == "docker.io" else host)
    return None


def _decode(entry: dict[str, Any]) -> Credentials | None:
    try:
        user, _, password = base64.b64decode(str(entry.get("auth", "")), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    token = str(entry.get("identitytoken", ""))
    return Credentials(user, password.rstrip("\0"), token) if user or token else None


def _ask(helper: str, host: str) -> Credentials | None:
    """Ask docker-credential-HELPER. Raises ImageError if it does not work; None if it knows no login."""
    if not _HELPER.fullmatch(helper):
        raise ImageError(f"credential helper {helper!r} is not a program's name")
    try:
        words = [f"docker-credential-{helper}", "get"]
        done = subprocess.run(words, input=host.encode(), capture_output=True, timeout=_HELPER_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageError(f"credential helper docker-credential-{helper}: {error}") from None
    if done.returncode:
        return None
    try:
        found = json.loads(done.stdout)
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError):
        raise ImageError(f"credential helper docker-credential-{helper} answers nonsense") from None
    return Credentials(token=secret) if user == "<token>" else Credentials(user, secret)
