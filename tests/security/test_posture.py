"""Every thread of guest, sentry and gofer is what docs/security-model.md ("Posture of each process") says it is."""

import os
import stat
import time
from pathlib import Path

import pytest

from sentry.boot.sandbox import NOFILE_MAX_DEFAULT
from sentry.platform.notify.execution import RESERVED_NUMBERS
from tests.security.conftest import Running
from tests.security.processes import Thread, threads

pytestmark = pytest.mark.security

_NOBODY = 65534
_STANDARD_ERROR = 2
_TRANSFER_SOCKET = NOFILE_MAX_DEFAULT + RESERVED_NUMBERS - 1  # the last descriptor above the guest's own limit
_ROLES = ("guest", "sentry", "gofer", "spawner")
_NAMESPACE_LAYERS = {
    "mnt": "mountns",
    "pid": "pidns",
    "net": "netns",
    "ipc": "ipcns",
    "uts": "utsns",
    "cgroup": "cgroupns",
    "time": "timens",
    "user": "userns",
}


def _threads(running: Running, role: str) -> list[Thread]:
    found = [thread for pid in getattr(running.family, role) for thread in threads(pid)]
    assert found, f"no {role} found: {running.family}"
    return found


def _layers(running: Running) -> set[str]:
    return set(running.box.info["layers"])


def test_the_family_is_complete(running: Running) -> None:
    assert len(running.family.sentry) == 1
    assert len(running.family.gofer) >= 1
    assert len(running.family.guest) == 3
    assert len(_threads(running, "guest")) == 6


@pytest.mark.parametrize("role", _ROLES)
def test_identity(running: Running, role: str) -> None:
    wanted = {_NOBODY} if os.getuid() == 0 else {os.getuid()}
    for thread in _threads(running, role):
        assert thread.ids("Uid") == wanted, (role, thread.status["Uid"])
        assert thread.ids("Gid") == ({_NOBODY} if os.getuid() == 0 else {os.getgid()}), (role, thread.status["Gid"])
        if os.getuid() == 0:
            assert not set(thread.status["Groups"].split()) - {str(_NOBODY)}, (role, thread.status["Groups"])


@pytest.mark.parametrize("role", ["guest", "sentry", "gofer"])
def test_no_capability(running: Running, role: str) -> None:
    for thread in _threads(running, role):
        sets = thread.capability_sets()
        if os.getuid() != 0 and role != "guest":
            sets.pop("CapBnd")  # an ordinary user cannot lower it; without privileges and with no_new_privs it gives nothing
        assert not any(sets.values()), (role, {name: hex(value) for name, value in sets.items()})


@pytest.mark.parametrize("role", _ROLES)
def test_no_new_privileges(running: Running, role: str) -> None:
    assert all(thread.status["NoNewPrivs"] == "1" for thread in _threads(running, role))


@pytest.mark.parametrize("role", ["guest", "sentry", "gofer"])
def test_every_thread_is_filtered(running: Running, role: str) -> None:
    assert all(thread.status["Seccomp"] == "2" for thread in _threads(running, role))


def test_guest_namespaces(running: Running) -> None:
    ours = {name: os.readlink(f"/proc/self/ns/{name}") for name in _NAMESPACE_LAYERS}
    for thread in _threads(running, "guest"):
        for name, layer in _NAMESPACE_LAYERS.items():
            if layer in _layers(running):
                assert thread.namespace(name) != ours[name], (name, "is the host's")


@pytest.mark.skipif(os.getuid() != 0, reason="as an ordinary user the gofer keeps the caller's namespaces")
def test_gofer_namespaces(running: Running) -> None:
    for thread in _threads(running, "gofer"):
        for name in ("mnt", "net", "ipc", "uts", "cgroup"):
            assert thread.namespace(name) != os.readlink(f"/proc/self/ns/{name}"), name


@pytest.mark.parametrize("role", ["guest", "gofer", "spawner"])
def test_root_is_empty_and_read_only(running: Running, role: str) -> None:
    if role == "gofer" and os.getuid() != 0:
        pytest.skip("as an ordinary user the gofer keeps the caller's root, with Landlock")
    if role != "gofer" and "emptyroot" not in _layers(running):
        pytest.skip("this host does not allow an empty root (see sandboxctl doctor)")
    for pid in getattr(running.family, role):
        assert os.listdir(f"/proc/{pid}/root") == []
        mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
        assert [fields[1] for fields in mounts] == ["/"], mounts
        assert {"ro", "nosuid", "nodev", "noexec"} <= set(mounts[0][3].split(",")), mounts


def _descriptors(pid: int) -> list[tuple[str, int, int, str]]:
    """Return (target, type, open flags, number) of every descriptor."""
    found = []
    try:
        os.listdir(f"/proc/{pid}/fd")
    except PermissionError:
        pytest.skip("not dumpable: even its own user cannot look at its descriptors")
    for number in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{number}"
        flags = next(line for line in Path(f"/proc/{pid}/fdinfo/{number}").read_text().splitlines() if line.startswith("flags:"))
        found.append((os.readlink(path), stat.S_IFMT(os.stat(path).st_mode), int(flags.split()[1], 8), number))
    return found


def test_guest_descriptors_are_backing_files_only(running: Running) -> None:
    for pid in running.family.guest:
        for target, kind, flags, number in _descriptors(pid):
            if kind == stat.S_IFSOCK and int(number) == _TRANSFER_SOCKET:
                continue  # platform ptrace only; no call that could use it runs untraced
            assert kind == stat.S_IFREG, (target, oct(kind))
            assert flags & os.O_CLOEXEC or target == "/memfd:exec (deleted)", target  # the stub: closed at exec by its number
            assert target.startswith("/memfd:") or flags & os.O_ACCMODE == os.O_RDONLY, (target, flags)


def test_sentry_descriptors_by_class(running: Running) -> None:
    """Nothing below a hidden folder, no directory but /proc, no socket that the host could reach."""
    for pid in running.family.sentry:
        for target, kind, _flags, _number in _descriptors(pid):
            assert not target.startswith(("/root", "/home", "/run")), target
            if kind == stat.S_IFDIR:
                assert target == "/proc" or "pid:[" in target, target


def test_gofer_descriptors_by_class(running: Running) -> None:
    for pid in running.family.gofer:
        for target, kind, flags, number in _descriptors(pid):
            assert not target.startswith(("/root", "/home", "/run/")), target
            assert "seccomp" not in target
            is_tree = kind in (stat.S_IFDIR, stat.S_IFREG) and int(number) > _STANDARD_ERROR
            assert not is_tree or flags & os.O_ACCMODE == os.O_RDONLY, (
                target,
                flags,
            )  # nothing of a read-only image is open for writing


def test_not_dumpable_for_others(running: Running) -> None:
    """The sentry and the gofer belong to root in /proc: another process of the same user can neither trace nor read them."""
    for role in ("sentry", "gofer"):
        for pid in getattr(running.family, role):
            owner = os.stat(f"/proc/{pid}/mem").st_uid
            assert owner == 0 or (owner == _NOBODY != os.getuid()), role  # the host's root, as a user namespace may show it


def test_core_dumps_cannot_reach_a_helper(running: Running) -> None:
    for pid in running.family.guest:
        limit = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core"))
        assert limit.split()[4:6] == ["1", "1"], limit


def test_every_guest_thread_may_run_on_every_processor(running: Running) -> None:
    """The sentry keeps a thread on one processor only for the moment of a birth or a resumption (ADR 16)."""
    mine = os.sched_getaffinity(0)
    if len(mine) == 1:
        pytest.skip("this machine gives us one processor")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # the moment ends when nothing has happened for half a millisecond
        masks = {thread.tid: os.sched_getaffinity(thread.tid) for thread in _threads(running, "guest")}
        if all(mask == mine for mask in masks.values()):
            return
        os.sched_yield()
    raise AssertionError(masks)
