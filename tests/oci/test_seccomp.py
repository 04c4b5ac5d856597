"""A profile of config.json is in force for the container's programs, from the first instruction on."""

import json

import pytest

LINUX = {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}]}
DENIES = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
    ],
}
STATUS = "while read name value; do case $name in Seccomp*) echo $name $value;; esac; done < /proc/self/status"


def under(profile, platform=""):
    annotations = {"dev.sandboxctl.platform": platform} if platform else {}
    return {"linux": {**LINUX, "seccomp": profile}, "annotations": annotations}


@pytest.mark.parametrize("platform", ["notify", "ptrace"])
def test_a_denied_call_fails_as_the_profile_says(oci, platform):
    script = "/bin/busybox mkdir /tmp/a 2>&1; echo $?"
    text = "mkdir: can't create directory '/tmp/a': No space left on device"
    assert oci.lines(script, **under(DENIES, platform)) == [text, "1"]


def test_status_tells_of_the_filter(oci):
    assert oci.lines(STATUS, **under(DENIES)) == ["Seccomp: 2", "Seccomp_filters: 1"]


def test_without_a_profile_there_is_none(oci):
    assert oci.lines(STATUS) == ["Seccomp: 0", "Seccomp_filters: 0"]


def test_a_call_that_kills(oci):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_KILL_PROCESS"}]}
    assert oci.lines("/bin/busybox sync; echo $?", **under(profile))[-1] == str(128 + 31)


def test_the_first_program_itself_is_under_it(oci):
    """Not only what it starts: no instruction of it runs before."""
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_KILL_PROCESS"}]}
    output = oci.folder / "printed"
    folder = oci.bundle(["/bin/echo", "never"], **under(profile))
    oci.call("run", "--bundle", folder, "c1", status=128 + 31, output=output)
    assert output.read_text() == ""


def test_exec_is_under_it_too(oci, tmp_path):
    oci.create("c1", ["/bin/sleep", "1000"], **under(DENIES))
    oci.call("start", "c1")
    assert oci.call("exec", "c1", "/bin/sh", "-c", STATUS).stdout.split() == ["Seccomp:", "2", "Seccomp_filters:", "1"]
    process = tmp_path / "process.json"
    process.write_text(json.dumps({"args": ["/bin/busybox", "mkdir", "/tmp/a"], "cwd": "/", "user": {"uid": 0, "gid": 0}}))
    oci.call("exec", "--process", process, "c1", status=1)


@pytest.mark.parametrize(
    "profile", [{"defaultAction": "SCMP_ACT_NOTIFY"}, {"defaultAction": "SCMP_ACT_NONSENSE"}, {"syscalls": []}]
)
def test_what_cannot_be_honoured_is_one_json_error(oci, profile):
    oci.create("c1", ["/bin/true"], status=1, **under(profile))
    assert "linux.seccomp" in json.loads((oci.folder / "log").read_text())["msg"]
