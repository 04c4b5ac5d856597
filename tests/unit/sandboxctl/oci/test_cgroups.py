"""Where the group of SLICE:PREFIX:NAME is (systemd.slice(5))."""

import pytest

from sandboxctl.errors import SandboxError
from sandboxctl.oci.cgroups import systemd_path


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("machine.slice:libpod:abc", "/machine.slice/libpod-abc.scope"),
        ("kubepods-burst-pod1.slice:cri:c", "/kubepods.slice/kubepods-burst.slice/kubepods-burst-pod1.slice/cri-c.scope"),
        (":docker:d", "/system.slice/docker-d.scope"),
        ("-.slice::x", "/x.scope"),
        ("", "/system.slice/sandboxctl-me.scope"),
    ],
)
def test_a_scope_lies_in_its_slices(given, path):
    assert systemd_path(given, "me") == path


@pytest.mark.parametrize(
    "given", ["/a/b", "a:b:c", "a.slice:b", "a--b.slice:p:n", "a.slice:p:", "../x.slice:p:n", "a.slice:p:n:m", "a.slice:../p:n"]
)
def test_other_paths_are_refused(given):
    with pytest.raises(SandboxError, match="not SLICE:PREFIX:NAME"):
        systemd_path(given, "me")
