"""Named volumes outlive sandboxes."""

import json

import pytest


@pytest.fixture
def place(call, tmp_path):
    """Volumes of the test's own, where the guest's nobody may go."""
    call.environment["SANDBOXCTL_STORE"] = str(tmp_path / "data/store")
    return tmp_path / "data/volumes"


def test_a_volume_keeps_what_is_written(call, place):
    name = call.name("writer")
    assert call("volume", "create", "kept").stdout == "kept\n"
    call("run", "--name", name, "-v", "kept:/data", "host", "--", "sh", "-c", "echo written >/data/file")
    again = ("run", "--name", name, "--mount", "type=volume,src=kept,dst=/d,ro", "host", "--")
    seen = call(*again, "sh", "-c", "cat /d/file; touch /d/x", status=1)
    assert seen.stdout == "written\n"
    assert (place / "kept/file").read_text() == "written\n"
    assert json.loads(call("volume", "inspect", "kept").stdout)[0]["Mountpoint"] == str(place / "kept")
    call("run", "-d", "--name", name, "-v", "other:/data", "host", "--", "sleep", "1000")
    assert call("volume", "ls", "-q").stdout == "kept\nother\n"
    assert f"in use by {name}" in call("volume", "rm", "other", status=125).stderr
    call("volume", "prune", "--force")
    assert call("volume", "ls", "-q").stdout == "other\n"
    call("rm", "-f", name)
    call("volume", "rm", "other")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", [".hidden", "a b", "-x", "x" * 200])
def test_names_of_volumes(call, place, name):
    assert "no name of a volume" in call("volume", "create", "--", name, status=125).stderr


def test_what_is_not_there_is_told(call, place):
    assert "no volume" in call("volume", "rm", "nothing", status=125).stderr


def test_a_new_volume_gets_what_the_image_has_there(call, place):
    name = call.name("filled")
    look = "cd /usr/share/perl5 && find . -printf '%p %m %T@ %l\\n' | sort | md5sum"
    bare = call("run", "--name", name, "host", "--", "sh", "-c", look).stdout
    words = ("run", "--name", name, "-v", "filled:/usr/share/perl5")
    assert call(*words, "host", "--", "sh", "-c", look).stdout == bare
    call(*words, "host", "--", "sh", "-c", "cd /usr/share/perl5 && rm -r ./* && touch own")
    assert call(*words, "host", "--", "ls", "/usr/share/perl5").stdout == "own\n"  # it was empty once only
    volumes = ("-v", "a:/usr/share/perl5:nocopy", "--mount", "type=volume,src=b,dst=/etc/perl,volume-nocopy", "-v", "c:/nowhere")
    places = ["/etc/perl", "/nowhere", "/usr/share/perl5"]
    seen = call("run", "--name", name, *volumes, "host", "--", "ls", "-A", *places)
    assert seen.stdout.split() == [f"{path}:" for path in places]
