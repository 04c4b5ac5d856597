"""A registry on loopback, in memory, that can be told to misbehave (OCI distribution-spec)."""

import base64
import hashlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field

USER, PASSWORD, TOKEN = "bob", "sesame", "token-of-bob"


@dataclass
class Behaviour:
    """``cut``: so many bytes of a blob, then the connection ends, for the next ``cuts`` blob requests."""

    auth: str = ""  # "", "basic", "bearer"
    cut: int = 0
    cuts: int = 0
    cut_in_half: bool = False  # every time, half of what is left
    has_ranges: bool = True
    damaged: bytes = b""  # is appended in place of a blob's last bytes
    wrong_header: bool = False
    redirect_to: str = ""
    fail: int = 0  # so many answers with 503 first


@dataclass
class Registry:
    behaviour: Behaviour = field(default_factory=Behaviour)
    blobs: dict = field(default_factory=dict)
    manifests: dict = field(default_factory=dict)
    log: list = field(default_factory=list)

    def __enter__(self):
        registry = self

        class Handler(_Handler):
            owner = registry

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def put(self, name, tag, image):
        blobs, descriptor = image
        self.blobs.update(blobs)
        body = blobs[descriptor["digest"]]
        self.manifests[name, tag] = self.manifests[name, descriptor["digest"]] = (descriptor["mediaType"], body)

    def put_index(self, name, tag, entries):
        media = "application/vnd.oci.image.index.v1+json"
        body = json.dumps({"schemaVersion": 2, "mediaType": media, "manifests": entries}).encode()
        self.manifests[name, tag] = (media, body)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def is_allowed(self):
        how = self.owner.behaviour
        given = self.headers.get("Authorization", "")
        if how.auth == "basic":
            wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            challenge = 'Basic realm="test"'
        elif how.auth == "bearer":
            wanted = f"Bearer {TOKEN}"
            challenge = f'Bearer realm="http://{self.owner.host}/token",service="test",scope="repository:x:pull"'
        else:
            return True
        if given == wanted:
            return True
        self.answer(401, b'{"errors":[{"message":"no"}]}', WWW_Authenticate=challenge)
        return False

    def do_GET(self):
        owner, how = self.owner, self.owner.behaviour
        owner.log.append((self.command, self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        if self.path.startswith("/token"):
            wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            good = self.headers.get("Authorization") == wanted
            self.answer(200 if good else 401, json.dumps({"token": TOKEN}).encode() if good else b"")
            return
        if not self.is_allowed():
            return
        if how.fail:
            how.fail -= 1
            self.answer(503)
            return
        if self.path == "/v2/":
            self.answer(200)
        elif found := re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path):
            media, body = owner.manifests.get(found.groups(), (None, None))
            if body is None:
                self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
                return
            digest = hashlib.sha256(body + (b"x" if how.wrong_header else b"")).hexdigest()
            self.answer(200, body, Content_Type=media, Docker_Content_Digest=f"sha256:{digest}")
        elif found := re.fullmatch(r"/v2/(.+)/blobs/(sha256:[0-9a-f]+)", self.path):
            self.blob(found.group(2))
        else:
            self.answer(404)

    do_HEAD = do_GET

    def blob(self, digest):
        owner, how = self.owner, self.owner.behaviour
        if digest not in owner.blobs:
            self.answer(404)
            return
        if how.redirect_to:
            self.answer(307, Location=f"http://{how.redirect_to}{self.path}")
            return
        data = owner.blobs[digest]
        if how.damaged:
            data = data[: -len(how.damaged)] + how.damaged
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found.group(1)) if found and how.has_ranges else 0
        part = data[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if how.cut_in_half and len(part) > 1000:
            part = part[: len(part) // 2]
            self.close_connection = True
        elif how.cuts > 0 and len(part) > how.cut:
            how.cuts -= 1
            part = part[: how.cut]
            self.close_connection = True
        self.wfile.write(part)

    def do_POST(self):
        self.owner.log.append(("POST", self.path, None, self.headers.get("Authorization")))
        if self.is_allowed():
            self.answer(202, Location="/upload/1?state=x")

    def do_PUT(self):
        owner = self.owner
        owner.log.append(("PUT", self.path, None, self.headers.get("Authorization")))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.is_allowed():
            return
        if found := re.fullmatch(r"/upload/1\?state=x&digest=(.+)", self.path):
            owner.blobs[found.group(1)] = body
        elif found := re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path):
            owner.manifests[found.groups()] = (self.headers["Content-Type"], body)
        self.answer(201)
