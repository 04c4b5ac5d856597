"""Pull and push: against a registry that misbehaves on demand, and against Debian's docker-registry with skopeo beside us."""

import base64
import json
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from tests.guestlib import images
from tests.guestlib.registry import PASSWORD, TOKEN, USER, Registry
from tests.images.conftest import need

pytestmark = pytest.mark.usefixtures("needs_busybox")
PLAIN = "--tls-verify=false"


@pytest.fixture
def registry():
    with Registry() as made:
        yield made


@pytest.fixture
def image():
    layers = [images.busybox_layer(), images.layer(images.member("big", os.urandom(400_000)))]
    return images.build(layers, Cmd=["/bin/cat", "/etc/group"])


def config_id(image):
    blobs, descriptor = image
    return json.loads(blobs[descriptor["digest"]])["config"]["digest"]


def test_pull_and_run_without_the_registry(either, registry, image):
    registry.put("team/app", "1", image)
    name = f"{registry.host}/team/app:1"
    assert either.text("pull", PLAIN, "-q", f"docker://{name}") == config_id(image) + "\n"
    asked = len(registry.log)
    for word in (f"docker://{name}", name, "team/app:1", config_id(image)[7:20]):
        assert either.text("run", word).startswith("root:x:0:")
    assert len(registry.log) == asked
    assert either.text("pull", PLAIN, "-q", name) == config_id(image) + "\n"
    assert not [line for line in registry.log[asked:] if "/blobs/" in line[1]]


def test_pull_by_digest_and_from_an_index(tool, registry, image):
    other = images.build([images.layer()])
    registry.put("a", "x", image)
    registry.put("a", "y", other)
    arm = {**other[1], "platform": {"architecture": "arm64", "os": "linux"}}
    registry.put_index("a", "both", [arm, {**image[1], "platform": {"architecture": "amd64", "os": "linux"}}])
    digest = image[1]["digest"]
    assert tool.text("pull", PLAIN, f"{registry.host}/a:both").strip() == config_id(image)
    assert tool.text("pull", PLAIN, "--platform", "linux/arm64", f"{registry.host}/a:both").strip() == config_id(other)
    assert tool.text("pull", PLAIN, f"{registry.host}/a@{digest}").strip() == config_id(image)
    assert b"linux/s390x" in tool("pull", PLAIN, "--platform", "linux/s390x", f"{registry.host}/a:both", check=125).stderr


@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_cut_connection_is_taken_up(tool, registry, image, has_ranges):
    registry.put("a", "1", image)
    registry.behaviour.cut, registry.behaviour.cuts, registry.behaviour.has_ranges = 150_000, 3, has_ranges
    tool("pull", PLAIN, f"{registry.host}/a:1")
    assert "bytes=150000-" in [line[2] for line in registry.log]
    assert tool.text("run", f"{registry.host}/a:1").startswith("root")


def test_every_connection_is_cut(tool, registry, image):
    registry.put("a", "1", image)
    registry.behaviour.cut_in_half = True
    tool("pull", PLAIN, f"{registry.host}/a:1")


def test_a_pull_that_was_killed_goes_on(tool, registry, image):
    registry.put("a", "1", image)
    registry.behaviour.cut, registry.behaviour.cuts = 200_000, 99
    process = tool.start("pull", PLAIN, f"{registry.host}/a:1", stderr=subprocess.DEVNULL)
    partial = tool.store / "partial"
    deadline = time.monotonic() + 60
    while not (partial.is_dir() and any(file.stat().st_size >= 200_000 for file in partial.iterdir())):
        assert time.monotonic() < deadline
        select.select([], [], [], 0.02)
    process.kill()
    process.wait()
    registry.behaviour.cuts = 0
    registry.log.clear()
    tool("pull", PLAIN, f"{registry.host}/a:1")
    assert any(line[2] for line in registry.log)
    assert tool.text("run", f"{registry.host}/a:1").startswith("root")


def test_the_servers_bad_minutes_are_waited_for(tool, registry, image):
    registry.put("a", "1", image)
    registry.behaviour.fail = 2
    tool("pull", PLAIN, f"{registry.host}/a:1")


@pytest.mark.parametrize("how", ["damaged", "wrong_header"])
def test_wrong_content_is_refused(tool, registry, image, how):
    registry.put("a", "1", image)
    setattr(registry.behaviour, how, b"damaged")
    done = tool("pull", PLAIN, f"{registry.host}/a:1", check=125)
    assert b"wrong content" in done.stderr
    assert tool.text("images", "-q") == ""
    assert not list((tool.store / "partial").iterdir())


def test_a_layer_that_is_not_what_the_configuration_says(tool, registry):
    blobs, descriptor = images.build([images.layer(images.member("a", b"1"))])
    manifest = json.loads(blobs[descriptor["digest"]])
    other = blobs.put(images.layer(images.member("a", b"2")))
    manifest["layers"] = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **other}]
    body = json.dumps(manifest).encode()
    registry.put("a", "1", (blobs, {**descriptor, **blobs.put(body)}))
    assert b"plain digest" in tool("pull", PLAIN, f"{registry.host}/a:1", check=125).stderr


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_logins(tool, registry, image, auth):
    registry.put("a", "1", image)
    registry.behaviour.auth = auth
    name = f"{registry.host}/a:1"
    done = tool("pull", PLAIN, name, check=125)
    assert b"login" in done.stderr
    assert b"login" in tool("pull", PLAIN, "--creds", f"{USER}:wrong", name, check=125).stderr
    tool("pull", PLAIN, "--creds", f"{USER}:{PASSWORD}", name)
    secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for path, key in ((".docker/config.json", registry.host), ("containers/auth.json", f"{registry.host}/a")):
        file = tool.home / path
        file.parent.mkdir()
        file.write_text(json.dumps({"auths": {key: {"auth": secret}}}))
        tool("pull", PLAIN, name)
        tool("pull", PLAIN, "--authfile", file, name)
        file.unlink()
    assert b"cannot read" in tool("pull", PLAIN, "--authfile", "/nonexistent", name, check=125).stderr


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_login_is_checked_and_kept(tool, registry, image, auth):
    registry.put("a", "1", image)
    registry.behaviour.auth = auth
    name, file = f"{registry.host}/a:1", tool.home / "containers/auth.json"
    words = ("login", PLAIN, "--username", USER, "--password-stdin", registry.host)
    assert b"does not accept this login" in tool(*words, stdin=b"wrong\n", check=125).stderr
    assert not file.exists()
    (tool.home / "containers").mkdir()
    file.write_text(json.dumps({"credHelpers": {"other": "x"}, "auths": {"other": {"auth": "eA=="}}}))
    assert tool(*words, stdin=f"{PASSWORD}\n".encode()).stdout == b"Login Succeeded!\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(file.read_text())["auths"]) == {"other", registry.host}
    tool("pull", PLAIN, name)
    assert tool.text("login", "--get-login", registry.host) == f"{USER}\n"
    if shutil.which("skopeo"):
        words = ["skopeo", "login", "--get-login", "--authfile", file, registry.host]
        seen = subprocess.run(words, capture_output=True, check=True)
        assert seen.stdout == f"{USER}\n".encode()
    tool("logout", f"https://{registry.host}/")
    assert b"not logged into" in tool("logout", registry.host, check=125).stderr
    assert json.loads(file.read_text()) == {"credHelpers": {"other": "x"}, "auths": {"other": {"auth": "eA=="}}}
    tool("logout", "--all")
    assert json.loads(file.read_text())["auths"] == {}
    assert b"wants a login" in tool("pull", PLAIN, name, check=125).stderr
    assert b"--username" in tool("login", registry.host, check=125).stderr


def test_a_redirect_gets_no_login(tool, registry, image):
    registry.put("a", "1", image)
    registry.behaviour.auth = "bearer"
    with Registry(blobs=registry.blobs) as other:
        registry.behaviour.redirect_to = other.host
        tool("pull", PLAIN, "--creds", f"{USER}:{PASSWORD}", f"{registry.host}/a:1")
        assert other.log
        assert not [line for line in other.log if line[3]]
    assert f"Bearer {TOKEN}" in [line[3] for line in registry.log]


def test_plain_http_only_if_asked(tool, registry, image):
    registry.put("a", "1", image)
    done = tool("pull", f"{registry.host}/a:1", check=125)
    assert done.stderr.count(b"\n") == 1
    assert not registry.log


@pytest.mark.parametrize("name", ["127.0.0.1:1/a:1", "a:1", "127.0.0.1:1/A", "127.0.0.1:1/a:", "127.0.0.1:1/a@sha256:1", "../x"])
def test_bad_names_and_absent_registries_are_one_line(tool, name):
    done = tool("pull", PLAIN, name, check=125)
    assert (done.stdout, done.stderr.count(b"\n")) == (b"", 1)


def test_push_and_pull_again(tool, registry, image):
    registry.behaviour.auth = "bearer"
    images.write_layout(tool.home / "oci", {"localhost/x:1": image})
    tool("load", "-i", tool.home / "oci")
    creds = ["--creds", f"{USER}:{PASSWORD}"]
    tool("push", PLAIN, *creds, "x:1", f"docker://{registry.host}/y:2", "--digestfile", tool.home / "digest")
    assert (tool.home / "digest").read_text() == image[1]["digest"]
    registry.log.clear()
    tool("push", PLAIN, *creds, "x:1", f"{registry.host}/y:3")
    assert not [line for line in registry.log if line[0] == "POST"]
    tool("rmi", "x:1")
    assert tool.text("pull", PLAIN, *creds, f"{registry.host}/y:2").strip() == config_id(image)
    tool("tag", f"{registry.host}/y:2", "x:1")
    assert b"where to" in tool("push", "x:1", check=125).stderr


def test_plain_layers_are_pushed_compressed(tool, registry):
    image = images.build([images.busybox_layer()], "", Cmd=["/bin/echo", "hello"])
    images.write_layout(tool.home / "oci", {"x:1": image})
    tool("load", "-i", tool.home / "oci")
    tool("push", PLAIN, "x:1", f"{registry.host}/x:1")
    _, manifest = registry.manifests["x", "1"]
    layer = json.loads(manifest)["layers"][0]
    assert layer["mediaType"].endswith("+gzip")
    assert layer["size"] == len(registry.blobs[layer["digest"]]) < len(images.busybox_layer())
    tool("rmi", "x:1")
    assert tool.text("pull", PLAIN, f"{registry.host}/x:1").strip() == config_id(image)
    assert tool.text("run", "x:1") == "hello\n"


def test_tls_is_verified(tool, image, tmp_path):
    need("openssl")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"]
    subprocess.run([*words, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Registry() as registry:
        registry.server.socket = context.wrap_socket(registry.server.socket, server_side=True)
        registry.put("a", "1", image)
        name = f"{registry.host}/a:1"
        assert b"certificate" in tool("pull", name, check=125).stderr
        assert not registry.log
        tool("pull", "--ca-file", certificate, name)
        tool("rmi", name)
        for folder in (tmp_path / "certs", tool.home / ".config/containers/certs.d" / registry.host):
            folder.mkdir(parents=True)
            (folder / "ours.crt").write_bytes(certificate.read_bytes())
            tool("pull", *(["--cert-dir", folder] if folder.name == "certs" else []), name)
            tool("rmi", name)
            (folder / "ours.crt").write_text("nonsense")
            assert b"is no certificate" in tool("pull", "--cert-dir", folder, name, check=125).stderr
            (folder / "ours.crt").unlink()
        assert b"is not a folder" in tool("pull", "--cert-dir", "/nonexistent", name, check=125).stderr
        tool("pull", PLAIN, name)
        registry.behaviour.redirect_to = "127.0.0.1:1"  # plain http
        tool("rmi", name)
        assert b"without encryption" in tool("pull", "--ca-file", certificate, name, check=125).stderr


@pytest.fixture
def real_registry(tmp_path):
    """Debian's docker-registry on loopback."""
    need("docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    storage = f"storage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}"
    config.write_text(f"version: 0.1\nlog: {{level: error}}\n{storage}\nhttp: {{addr: {host}}}\n")
    process = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(host.split(":"), 1).close()
            break
        except OSError:
            select.select([], [], [], 0.05)
    yield host
    process.send_signal(signal.SIGTERM)
    process.wait()


def test_a_real_registry_and_skopeo(tool, real_registry, image):
    need("skopeo")
    images.write_layout(tool.home / "oci", {"1": image})
    copy = ["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]
    subprocess.run([*copy, f"oci:{tool.home}/oci:1", f"docker://{real_registry}/by/skopeo:1"], check=True)
    assert tool.text("pull", PLAIN, f"{real_registry}/by/skopeo:1").strip() == config_id(image)
    tool("push", PLAIN, f"{real_registry}/by/skopeo:1", f"{real_registry}/by/us:2")
    back = tool.home / "back"
    subprocess.run([*copy, f"docker://{real_registry}/by/us:2", f"dir:{back}"], check=True)
    assert images.digest_of((back / "manifest.json").read_bytes()) == image[1]["digest"]
    schema2 = f"docker://{real_registry}/by/skopeo:docker"
    subprocess.run([*copy, "--format", "v2s2", f"oci:{tool.home}/oci:1", schema2], check=True)
    tool("pull", PLAIN, schema2)
    assert tool.text("run", schema2).startswith("root")
    tool("save", "--format", "oci-dir", "-o", tool.home / "saved", f"{real_registry}/by/skopeo:docker")
    subprocess.run([*copy, f"oci:{tool.home}/saved", f"dir:{tool.home}/again"], check=True)
