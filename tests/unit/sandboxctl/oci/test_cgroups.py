"""Where the group of SLICE:PREFIX:NAME is (systemd.slice(5)), and what is written into groups of version 2."""

import pytest

from sandboxctl.errors import SandboxError
from sandboxctl.oci.cgroups import apply, pass_on, systemd_path


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


@pytest.fixture
def group(tmp_path):
    """A folder with the files of a group of version 2."""
    texts = {"cgroup.controllers": "cpu memory pids", "cpu.max": "max 100000", "cpu.weight": "", "memory.max": "", "pids.max": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def set_in(group, sections=("cpu", "memory", "pids"), **resources):
    return apply([str(group)], resources, sections)


def test_processor_time_of_version_2(group):
    assert set_in(group, cpu={"shares": 1024, "quota": 150000, "period": 200000}) == []
    assert (group / "cpu.max").read_text() == "150000 200000"
    assert (group / "cpu.weight").read_text() == "39"


@pytest.mark.parametrize(("shares", "weight"), [(1, "1"), (2, "1"), (262144, "10000"), (1 << 30, "10000")])
def test_shares_become_a_weight(group, shares, weight):
    set_in(group, cpu={"shares": shares})
    assert (group / "cpu.weight").read_text() == weight


def test_no_quota_is_max(group):
    (group / "cpu.max").write_text("150000 100000")
    assert set_in(group, cpu={"quota": -1}) == []
    assert (group / "cpu.max").read_text().startswith("max 100000")


def test_memory_and_processes_of_version_2(group):
    assert set_in(group, memory={"limit": 1 << 20}, pids={"limit": -1}) == []
    assert (group / "memory.max").read_text() == "1048576"
    assert (group / "pids.max").read_text() == "max"


def test_what_the_group_has_not_got_is_told(group):
    assert set_in(group, cpu={"cpus": "0", "shares": 5}) == ["cpu.cpus"]
    assert set_in(group / "none", cpu={"shares": 5}) == ["cpu.shares"]


def test_all_above_a_group_pass_controllers_on(tmp_path):
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    folders = [tmp_path, tmp_path / "a", tmp_path / "a/b", inner]
    for folder in folders:
        (folder / "cgroup.subtree_control").write_text("")
    pass_on(str(inner), str(tmp_path))
    assert [bool((folder / "cgroup.subtree_control").read_text()) for folder in folders] == [True, True, True, False]
