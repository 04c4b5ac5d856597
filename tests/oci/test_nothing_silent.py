"""Each setting of a config.json is honoured, noted as ignored in the debug log, or refused with one JSON error."""

import json

import pytest

NAMESPACES = [{"type": "pid"}, {"type": "network"}, {"type": "mount"}]


def mount(*options, **keys):
    return {"mounts": [{"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": list(options), **keys}]}


def linux(**keys):
    return {"linux": {"namespaces": NAMESPACES, **keys}}


REFUSED = {
    "an unknown option": (mount("sideways"), "'sideways': it is not known"),
    "propagation to the host": (mount("rshared"), "never reaches the host"),
    "mapped ids of a volume": (mount("idmap"), "cannot be mapped"),
    "mappings of a mount": (mount(uidMappings=[{"containerID": 0, "hostID": 1, "size": 1}]), "cannot be mapped"),
    "a root that propagates": (linux(rootfsPropagation="rshared"), "linux.rootfsPropagation"),
    "another's pids": (linux(namespaces=[*NAMESPACES[1:], {"type": "pid", "path": "/proc/1/ns/pid"}]), "linux.namespaces: pid"),
    "another's ipc": (linux(namespaces=[*NAMESPACES, {"type": "ipc", "path": "/proc/1/ns/ipc"}]), "linux.namespaces: ipc"),
    "another's names": (linux(namespaces=[*NAMESPACES, {"type": "uts", "path": "/proc/1/ns/uts"}]), "linux.namespaces: uts"),
    "an unknown namespace": (linux(namespaces=[*NAMESPACES, {"type": "dream"}]), "'dream' is not known"),
    "another personality": (linux(personality={"domain": "LINUX32"}), "linux.personality"),
    "clock offsets": (linux(timeOffsets={"monotonic": {"secs": 1}}), "linux.timeOffsets"),
    "files of a group": (linux(resources={"unified": {"memory.high": "1"}}), "linux.resources.unified"),
    "a scheduler": ({"process": {"scheduler": {"policy": "SCHED_FIFO"}}}, "process.scheduler"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_json_error(oci, name):
    changes, text = REFUSED[name]
    oci.create("c1", ["/bin/true"], status=1, **changes)
    assert text in json.loads((oci.folder / "log").read_text())["msg"]
    assert oci.call("list", "-q").stdout == ""


def test_ignored_settings_are_in_the_debug_log_and_nowhere_else(oci):
    resources = {"blockIO": {"weight": 10}, "memory": {"swap": 1 << 30}}
    folder = oci.bundle(
        ["/bin/true"],
        **mount("noatime", "rslave"),
        **linux(rootfsPropagation="rslave", resources=resources, personality={"domain": "LINUX"}),
        process={"selinuxLabel": "a:b:c", "capabilities": {"bounding": ["CAP_KILL", "CAP_FLYING", "EACCES"]}},
    )
    oci.ids.append("c1")
    oci.call("--debug", "--debug-log", folder / "debug", "create", "--bundle", folder, "c1")
    said = (folder / "debug").read_text()
    for text in (
        "mount at /m: option noatime", "mount at /m: option rslave", "linux.rootfsPropagation", "linux.resources.blockIO",
        "linux.resources.memory.swap",
        "process.selinuxLabel", "process.capabilities.bounding: CAP_FLYING", "process.capabilities.bounding: EACCES",
        "linux.namespaces: no ipc namespace is asked for",
    ):  # fmt: skip
        assert f"c1: ignored: {text}" in said
    assert not (folder / "log").exists() or not (folder / "log").read_text()


def test_options_of_a_tmpfs(oci):
    oci.rootfs.joinpath("m").mkdir()
    oci.rootfs.joinpath("m/given").write_text("of the image\n")
    (oci.rootfs / "bin/stat").symlink_to("busybox")
    (oci.rootfs / "bin/tail").symlink_to("busybox")
    script = "stat -c '%u %g %a' /m; cat /m/given; for i in 1 2 3 4 5 6; do echo >/m/$i && echo $i; done 2>&1 | tail -n 1"
    options = ("uid=7", "gid=8", "mode=757", "nr_inodes=4", "tmpcopyup", "size=64k")
    full = "/bin/sh: can't create /m/6: No space left on device"
    assert oci.lines(script, **mount(*options)) == ["7 8 757", "of the image", full]


def test_a_tmpfs_that_is_filled_takes_after_the_image(oci):
    oci.rootfs.joinpath("m").mkdir(mode=0o711)
    (oci.rootfs / "bin/stat").symlink_to("busybox")
    assert oci.lines("stat -c %a /m", **mount("tmpcopyup")) == ["711"]


def test_a_volume_that_runs_no_programs(oci, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/program").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "data/program").chmod(0o755)
    mounts = [
        {"destination": "/a", "type": "bind", "source": "data", "options": ["rbind", "rnoexec", "rprivate"]},
        {"destination": "/b", "type": "bind", "source": "data", "options": ["bind", "noexec", "exec", "rro", "rw"]},
    ]
    script = "/a/program 2>/dev/null || echo refused; /b/program; echo >/b/new && echo written"
    assert oci.lines(script, mounts=mounts) == ["refused", "ran", "written"]


def test_features_lists_what_is_ignored_and_what_is_honoured(oci):
    found = json.loads(oci.call("features").stdout)
    assert found["linux"]["seccomp"]["enabled"]
    ignored = found["annotations"]["dev.sandboxctl.ignored"].split(",")
    assert {"linux.rootfsPropagation", "process.selinuxLabel", "mounts.options.noatime"} <= set(ignored)
    assert {"uid", "gid", "nr_inodes", "tmpcopyup", "rprivate"} <= set(found["mountOptions"])
    assert not {f"mounts.options.{name}" for name in found["mountOptions"]} & set(ignored)
