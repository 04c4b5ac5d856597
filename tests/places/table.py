"""The places: how each is built, and what a sandbox there must be (platform, layers, the doctor's words)."""

import errno
import os
from dataclasses import dataclass, field
from typing import Any, Final

from tests.places.docker_profile import docker

USER: Final = 10001
#: the one folder that can be written in a place, made by a fixture
FOLDER: Final = f"/tmp/sandboxctl-place-{os.getpid()}"
NAMESPACES: Final = frozenset(("userns", "pidns", "mountns", "netns", "ipcns", "utsns", "emptyroot"))
_NEW_LISTENER, _WAIT_KILLABLE, _ADD_FD, _SET_FLAGS = 8, 32, 0x40182103, 0x40082104
_READ_ONLY: Final = f"mount --bind {FOLDER} {FOLDER}; mount -o remount,ro,bind /; mount -t tmpfs -o size=64m tmpfs /dev/shm"
_SYSCTLS: Final = (
    "mount -t tmpfs tmpfs {0}; cp -r /proc/sys/kernel/. {0}/ 2>/dev/null || :; mkdir -p {0}/yama; "
    "echo {1} >{0}/yama/ptrace_scope; mount --bind {0} /proc/sys/kernel"
)
_ALL: Final = 0xFFFFFFFF


@dataclass(frozen=True)
class Place:
    """``build`` is for ``under.py``. ``has`` and ``lacks`` are layers of the sandbox; ``says`` words of the doctor, by check."""

    build: dict[str, Any]
    platform: str = "notify"
    has: frozenset[str] = NAMESPACES
    lacks: frozenset[str] = frozenset()
    says: dict[str, str] = field(default_factory=dict)


def _without(*calls: str) -> dict[str, Any]:
    return {"errno": dict.fromkeys(calls, errno.ENOSYS)}


def _yama(scope: int) -> str:
    return _SYSCTLS.format(FOLDER, scope)


_LISTENED = {"seccomp notification": "another program listens"}
_ALONE = {"user namespaces": "the seccomp filter stands alone", "nesting": "under a seccomp filter already"}
_NONE: frozenset[str] = frozenset()

WORKING: Final[dict[str, Place]] = {
    "root": Place({}, says={"seccomp notification": "with synchronous wake-up", "user namespaces": "allowed"}),
    "user": Place({"uid": USER}, says={"user namespaces": "allowed"}),
    "no-user-namespaces": Place(
        {"uid": USER, "sysctl_userns": True},
        has=frozenset(("seccomp", "landlock", "rlimits", "no_new_privs")),
        lacks=NAMESPACES,
        says={"user namespaces": "user.max_user_namespaces is 0"},
    ),
    "another-listener": Place({"listener": True}, "ptrace", says=_LISTENED),
    "another-listener-user": Place({"listener": True, "uid": USER}, "ptrace", says=_LISTENED),
    "listener-refused": Place(
        {"masked": [["seccomp", 1, _NEW_LISTENER, _NEW_LISTENER, errno.EPERM]]},
        "ptrace",
        says={"seccomp notification": "refused here: Operation not permitted: the platform ptrace is used"},
    ),
    "docker-20.10": Place(
        docker("20.10"), has=_NONE, lacks=NAMESPACES | {"landlock"}, says={**_ALONE, "Landlock": "without an empty"}
    ),
    "docker-28": Place(docker("28"), has=frozenset(("landlock",)), lacks=NAMESPACES, says=_ALONE),
    "docker-user": Place({**docker("28"), "uid": USER}, has=frozenset(("landlock",)), lacks=NAMESPACES, says=_ALONE),
    "kubernetes-pod": Place(
        {**docker("28"), "uid": USER, "script": _READ_ONLY, "tmpdir": FOLDER},
        has=frozenset(("landlock",)),
        lacks=NAMESPACES | {"memory"},
        says={**_ALONE, "memory limit": "which is weaker"},
    ),
    "yama-1": Place({"uid": USER, "script": _yama(1)}, says={"ptrace (Yama)": "descendants only, which is enough"}),
    "yama-2": Place({"uid": USER, "script": _yama(2)}, says={"ptrace (Yama)": "in a user namespace of their tracer's"}),
    "yama-2-root": Place({"script": _yama(2)}, says={"ptrace (Yama)": "this process has CAP_SYS_PTRACE"}),
    "nofile-1024": Place({"uid": USER, "nofile": 1024}, says={"open files": "1024"}),
    "nofile-4096": Place({"uid": USER, "nofile": 4096}, says={"open files": "4096"}),
    "noexec-tmp": Place(
        {"script": f"for f in /dev/shm {FOLDER}; do mount -t tmpfs -o noexec,mode=1777 tmpfs $f; done", "tmpdir": FOLDER}
    ),
    "cgroup-v1": Place(
        {"script": "if mountpoint -q /sys/fs/cgroup/unified; then umount -l /sys/fs/cgroup/unified; fi"},
    ),
    "cgroup-v2": Place({"script": "umount -l -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup"}),
    "cgroup-hybrid": Place(
        {
            "script": f"umount -l -R /sys/fs/cgroup; mount -t tmpfs tmpfs {FOLDER}; mkdir {FOLDER}/unified; "
            f"mount -t cgroup2 cgroup2 {FOLDER}/unified; mount --rbind {FOLDER} /sys/fs/cgroup"
        },
    ),
    "cgroup-read-only": Place(
        {"script": "umount -l -R /sys/fs/cgroup; mount -t tmpfs -o ro tmpfs /sys/fs/cgroup"},
        lacks=frozenset(("memory", "pids")),
        says={"memory limit": "which is weaker"},
    ),
    "no-sync-wake-up": Place({"masked": [["ioctl", 1, _ALL, _SET_FLAGS, errno.EINVAL]]}),
    "no-wait-killable": Place({"masked": [["seccomp", 1, _WAIT_KILLABLE, _WAIT_KILLABLE, errno.EINVAL]]}),
    "no-add-fd": Place(
        {"masked": [["ioctl", 1, _ALL, _ADD_FD, errno.EINVAL]]},
        "ptrace",
        says={"seccomp notification": "cannot give descriptors"},
    ),
    "no-process-vm": Place(
        _without("process_vm_readv", "process_vm_writev"),
        says={"host calls": "forbids process_vm_readv, process_vm_writev: /proc/PID/mem is used"},
    ),
    "no-process-vm-user": Place({**_without("process_vm_writev"), "uid": USER}, says={"host calls": "process_vm_writev"}),
    "no-openat2": Place(_without("openat2")),
    "no-pidfd": Place(_without("pidfd_open", "pidfd_getfd", "pidfd_send_signal")),
    "no-landlock": Place(
        _without("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"),
        lacks=frozenset(("landlock",)),
        says={"Landlock": "not in this kernel"},
    ),
    "no-clone3": Place(_without("clone3")),
    "no-newer-calls": Place(_without("close_range", "membarrier", "copy_file_range", "faccessat2", "futex_waitv", "rseq")),
}

#: what cannot work, and the line that says so with the remedy
REFUSED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "no-memfd": (_without("memfd_create"), "forbids memfd_create: allow it in the seccomp profile"),
    "no-statx": (_without("statx"), "forbids statx: allow it in the seccomp profile"),
    "no-ptrace": ({"errno": {"ptrace": errno.EPERM}}, "allow ptrace in the seccomp profile around this process"),
    "yama-3": (
        {"script": _yama(3), "errno": {"ptrace": errno.EPERM}},
        "write kernel.yama.ptrace_scope=1 into /etc/sysctl.d and reboot",
    ),
    "no-proc": ({"script": "umount -l /proc"}, "no proc file system is mounted at /proc: mount -t proc proc /proc"),
}
