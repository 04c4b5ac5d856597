"""Talks to one registry (OCI distribution-spec 1.1): TLS, authentication, redirects. One client serves several threads."""

import re
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from sandboxctl.images.remote import certificates
from sandboxctl.images.remote.credentials import Credentials
from sandboxctl.store.errors import ImageError
from sandboxctl.store.reference import Reference

_REDIRECTS_MAX: Final = 5
_TOKEN_MAX: Final = 1 << 20
_ERROR_MAX: Final = 4096
_HUB: Final = "registry-1.docker.io"
_CHALLENGE: Final = re.compile(r'([A-Za-z]+)\s+((?:[a-z_]+=(?:"[^"]*"|[^",\s]+)(?:\s*,\s*|\s*$))*)')
_PARAMETER: Final = re.compile(r'([a-z_]+)=(?:"([^"]*)"|([^",\s]+))')
Response = urllib3.BaseHTTPResponse


class RegistryError(ImageError):
    """The registry refuses or cannot be reached. ``status`` is HTTP's, 0 if there was none; ``is_passing``: try again later."""

    def __init__(self, message: str, status: int = 0, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach registries."""

    tls_verify: bool = True
    credentials: Credentials | None = None
    ca_file: str | None = None
    cert_dir: str | None = None


class RegistryClient:
    """Requests about one repository. ``actions`` are what a token is asked for: ``pull`` or ``pull,push``."""

    def __init__(self, reference: Reference, access: Access, actions: str = "pull") -> None:
        self._reference = reference
        self._access = access
        self._scope = f"repository:{reference.name}:{actions}"
        self._authorization = ""
        self._lock = threading.Lock()
        self._pool = _pool(access, reference.host)
        host = _HUB if reference.host == "docker.io" else reference.host
        self._base = f"https://{host}"
        if not access.tls_verify:
            self._base = self._find_scheme(host)

    def url(self, *parts: str) -> str:
        """A URL below the repository."""
        return f"{self._base}/v2/{self._reference.name}/{'/'.join(quote(part, safe=':') for part in parts)}"

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: Any = None, *, good: tuple[int, ...] = (200,)
    ) -> Response:
        """Send a request, logging in and following redirects. The caller reads and releases. Raises RegistryError."""
        sent = dict(headers or {})
        response = self._send(method, url, sent, body)
        if response.status == 401:
            challenges = response.headers.getlist("WWW-Authenticate")
            used = sent.get("Authorization", "")
            response.drain_conn()
            self._log_in(challenges, used)
            if hasattr(body, "seek"):
                body.seek(0)
            response = self._send(method, url, dict(headers or {}), body)
        if response.status not in good:
            raise self._refusal(method, response)
        return response

    def _send(self, method: str, url: str, headers: dict[str, str], body: Any) -> Response:
        own = urlsplit(self._base)
        for _ in range(_REDIRECTS_MAX):
            to = urlsplit(url)
            headers.pop("Authorization", None)
            if self._authorization and (to.scheme, to.netloc) == (own.scheme, own.netloc):
                headers["Authorization"] = self._authorization  # never to another host
            response = self._open(method, url, headers, body)
            location = response.headers.get("Location")
            if response.status not in {301, 302, 303, 307, 308} or not location:
                return response
            response.drain_conn()
            url = urljoin(url, location)
            if self._access.tls_verify and urlsplit(url).scheme != "https":
                raise RegistryError(f"{self._reference.host} leads to {urlsplit(url).netloc} without encryption: refused")
        raise RegistryError(f"{self._reference.host} redirects in circles")

    def _open(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Response:
        try:
            return self._pool.request(
                method, url, body, headers=headers, redirect=False, retries=False, preload_content=False, decode_content=False
            )
        except (HTTPError, OSError) as error:
            raise RegistryError(f"cannot reach {urlsplit(url).netloc}: {_reason(error)}", is_passing=True) from None

    def _find_scheme(self, host: str) -> str:
        """With --tls-verify=false, plain HTTP serves where TLS does not."""
        try:
            self._open("GET", f"https://{host}/v2/", {}, None).drain_conn()
        except RegistryError:
            return f"http://{host}"
        return f"https://{host}"

    def ask_for_nothing(self) -> None:
        """The registry's own address: only a login that it takes gets an answer. Raises RegistryError."""
        self._scope = ""
        self.request("GET", f"{self._base}/v2/").drain_conn()

    # --- authentication ------------------------------------------------------------------------------------------------------

    def _log_in(self, challenges: list[str], used: str) -> None:
        """Get the header that the registry wants. Raises RegistryError."""
        with self._lock:
            if self._authorization and self._authorization != used:
                return  # another thread has just done it
            kinds = {kind.lower(): dict(_parameters(rest)) for text in challenges for kind, rest in _CHALLENGE.findall(text)}
            login = self._access.credentials
            if "bearer" in kinds:
                self._authorization = f"Bearer {self._token(kinds['bearer'])}"
            elif any(text.lower().startswith("basic") for text in challenges) and login is not None and login.user:
                if used:
                    raise RegistryError(f"{self._reference.host} does not accept this login", 401)
                self._authorization = login.basic
            else:
                hint = "use --creds, or log in with podman or docker, whose files are read"
                raise RegistryError(f"{self._reference.host} wants a login: {hint}", 401)

    def _token(self, challenge: dict[str, str]) -> str:
        """A token of the registry's token server (distribution's auth/token.md)."""
        realm = challenge.get("realm", "")
        if urlsplit(realm).scheme not in ({"https"} if self._access.tls_verify else {"https", "http"}):
            raise RegistryError(f"{self._reference.host} names a token server without encryption: refused")
        scope = challenge.get("scope") or self._scope
        query = {"service": challenge.get("service", ""), **({"scope": scope} if scope else {})}
        login = self._access.credentials
        if login is not None and login.token:
            form = {**query, "grant_type": "refresh_token", "client_id": "sandboxctl", "refresh_token": login.token}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response = self._open("POST", realm, headers, urlencode(form).encode())
        else:
            headers = {"Authorization": login.basic} if login is not None else {}
            response = self._open("GET", f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}", headers, None)
        if response.status != 200:
            response.drain_conn()
            what = "does not accept this login" if login is not None else "wants a login: use --creds"
            raise RegistryError(f"the token server of {self._reference.host} {what}", response.status)
        import msgspec

        try:
            found = msgspec.json.decode(read_all(response, _TOKEN_MAX, "the token"))
            token = found.get("token") or found.get("access_token")
        except (msgspec.DecodeError, AttributeError):
            token = None
        if not isinstance(token, str) or not token.isprintable():
            raise RegistryError(f"the token server of {self._reference.host} gave no token")
        return token

    def _refusal(self, method: str, response: Response) -> RegistryError:
        """What a bad status means."""
        text = ""
        with suppress(ImageError):
            text = read_all(response, _ERROR_MAX, "the error").decode("utf-8", "replace")
        status = response.status
        found = re.search(r'"message"\s*:\s*"([^"]{1,200})"', text)
        detail = f": {found.group(1)}" if found else ""
        reference = self._reference
        if status == 404:
            return RegistryError(f"{reference} is not there{detail}", status)
        if status == 401 and self._access.credentials is not None:
            return RegistryError(f"{reference.host} does not accept this login{detail}", status)
        if status in {401, 403}:
            return RegistryError(f"{reference.host} does not let you do this with {reference.name}{detail}", status)
        is_passing = status >= 500 or status == 429
        return RegistryError(f"{reference.host} answers {method} with status {status}{detail}", status, is_passing=is_passing)


def check_login(host: str, access: Access) -> None:
    """Whether the registry takes this login. Raises RegistryError."""
    RegistryClient(Reference(host, "login"), access).ask_for_nothing()


def read_all(response: Response, limit: int, what: str) -> bytes:
    """The whole body. Raises ImageError beyond ``limit``, RegistryError if the connection breaks."""
    data = b""
    try:
        while part := response.read(limit + 1 - len(data)):
            data += part
            if len(data) > limit:
                raise ImageError(f"{what} is larger than {limit} bytes: refused")
    except (HTTPError, OSError) as error:
        raise RegistryError(f"the connection broke: {_reason(error)}", is_passing=True) from None
    finally:
        response.release_conn()
    return data


def _parameters(text: str) -> list[tuple[str, str]]:
    return [(name, quoted or plain) for name, quoted, plain in _PARAMETER.findall(text)]


def _pool(access: Access, host: str) -> urllib3.PoolManager:
    from urllib.request import getproxies

    from sandboxctl import __version__

    context = ssl.create_default_context(cafile=access.ca_file) if access.tls_verify else ssl._create_unverified_context()  # noqa: S323
    if access.tls_verify:
        certificates.add(context, host, access.cert_dir)
    options: dict[str, Any] = {
        "ssl_context": context,
        "timeout": urllib3.Timeout(connect=15, read=60),
        "maxsize": 8,
        "headers": {"User-Agent": f"sandboxctl/{__version__}"},
    }
    proxy = getproxies().get("https")
    return urllib3.ProxyManager(proxy, **options) if proxy and access.tls_verify else urllib3.PoolManager(**options)


def _reason(error: BaseException) -> str:
    found: object = getattr(error, "reason", None) or error
    text = str(found)
    return text.rpartition(": ")[2] if text.startswith("<") else text
