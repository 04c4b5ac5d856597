"""What this kernel offers: read from /proc and /sys, or asked for by a harmless call. Nothing is changed."""

import ctypes
import errno
import os
import platform
import resource

from sandboxctl.doctor import proc_files
from sandboxctl.doctor.calls import check_calls, check_proc
from sandboxctl.doctor.check import Check, Verdict
from sandboxctl.doctor.network import check_network
from sandboxctl.doctor.tracing import check_tracing, check_yama, user_namespace_error
from sentry.platform import probe

_SECCOMP, _LANDLOCK_CREATE_RULESET = 317, 444
_GET_ACTION_AVAIL, _RET_USER_NOTIF = 2, 0x7FC00000
_libc = ctypes.CDLL(None, use_errno=True)


def release() -> tuple[int, int]:
    """Return the kernel's version as two numbers."""
    parts = platform.release().split(".")
    digits = ["".join(c for c in part if c.isdecimal()) or "0" for part in (*parts, "0")[:2]]
    return int(digits[0]), int(digits[1])


def check_machine() -> Check:
    """The processor architecture."""
    machine = platform.machine()
    if machine == "x86_64":
        return Check("machine", Verdict.OK, machine)
    return Check("machine", Verdict.BROKEN, f"{machine} is not supported", "use an x86_64 machine")


def check_notification() -> Check:
    """Seccomp user notification, what the platform notify stands on."""
    action = ctypes.c_uint32(_RET_USER_NOTIF)
    if _libc.syscall(_SECCOMP, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) != 0 or release() < (5, 9):
        text = "this kernel has none that works (before 5.9): the platform ptrace is used"
        return Check("seccomp notification", Verdict.WEAKER, text, "boot Linux 5.9 or newer")
    error = probe.listener_error()
    if error:
        text = f"{probe.explain(error)}: the platform ptrace is used, which is slower"
        remedy = "run outside, or allow seccomp(2) with SECCOMP_FILTER_FLAG_NEW_LISTENER"
        return Check("seccomp notification", Verdict.WEAKER, text, remedy)
    if release() < (5, 19):
        return Check(
            "seccomp notification", Verdict.WEAKER, "without WAIT_KILLABLE_RECV and synchronous wake-up", "6.6 or newer is faster"
        )
    if release() < (6, 6):
        return Check(
            "seccomp notification",
            Verdict.WEAKER,
            "without synchronous wake-up: a trap is several times slower",
            "6.6 or newer is faster",
        )
    return Check("seccomp notification", Verdict.OK, "with synchronous wake-up")


def check_nesting() -> Check:
    """Whether we run under another filter or in another container."""
    status = proc_files.read("/proc/self/status") or ""
    is_filtered = any(line.split() == ["Seccomp:", "2"] for line in status.splitlines())
    places = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
    inside = [path for path in places if os.path.exists(path)]
    if is_filtered:
        return Check(
            "nesting",
            Verdict.WEAKER,
            "this process is under a seccomp filter already" + (" (a container)" if inside else ""),
            "what that filter refuses (docker: mount, unshare, chroot, sethostname ...) guests cannot do either; if they need "
            "it, or if no sandbox starts, run outside the container or give it a profile that permits more",
        )
    return Check("nesting", Verdict.OK, "inside a container" if inside else "not inside another sandbox")


def check_user_namespaces() -> Check:
    """Whether this user may make user namespaces, found by making one in a child."""
    limit = proc_files.number("/proc/sys/user/max_user_namespaces")
    if limit == 0:
        return _no_userns("user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=10000")
    if proc_files.number("/proc/sys/kernel/unprivileged_userns_clone") == 0 and os.geteuid() != 0:
        return _no_userns("kernel.unprivileged_userns_clone is 0", "sysctl -w kernel.unprivileged_userns_clone=1")
    error = user_namespace_error()
    if error == 0:
        return Check("user namespaces", Verdict.OK, "allowed")
    if proc_files.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 and os.geteuid() != 0:
        return _no_userns(
            "AppArmor restricts them",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for this Python",
        )
    return _no_userns(f"refused ({os.strerror(error)})", "allow unshare(CLONE_NEWUSER) in the container's seccomp profile")


def _no_userns(text: str, remedy: str) -> Check:
    return Check("user namespaces", Verdict.WEAKER, f"{text}: the seccomp filter stands alone, without namespaces", remedy)


def check_landlock() -> Check:
    """The second wall before the host's files."""
    abi = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1)
    if abi > 0:
        return Check("Landlock", Verdict.OK, f"ABI {abi}")
    why = (
        "not in the list of active security modules"
        if ctypes.get_errno() == errno.EOPNOTSUPP
        else "not in this kernel (before 5.13)"
    )
    return Check(
        "Landlock",
        Verdict.WEAKER,
        f"{why}: without an empty root, host paths can be probed at exec",
        "boot with lsm=landlock,... added",
    )


def check_time_namespaces() -> Check:
    """Needed for a monotonic clock of the sandbox's own."""
    if os.path.exists("/proc/self/ns/time"):
        return Check("time namespaces", Verdict.OK, "there")
    return Check(
        "time namespaces",
        Verdict.WEAKER,
        "not in this kernel: the guest sees the host's time since boot",
        "boot Linux 5.6 or newer",
    )


def check_descriptors() -> Check:
    """How many files may be open."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= 4096:
        return Check("open files", Verdict.OK, f"hard limit {hard if hard != resource.RLIM_INFINITY else 'unlimited'}")
    return Check("open files", Verdict.WEAKER, f"the hard limit is {hard}", "ulimit -Hn 4096 or more")


def check_core_pattern() -> Check:
    """kernel-facts: a piped core_pattern would let a helper of root read guest memory."""
    pattern = proc_files.read("/proc/sys/kernel/core_pattern") or ""
    if pattern.startswith("|"):
        return Check("core dumps", Verdict.OK, "piped to a program of the host; guests run with RLIMIT_CORE 1, which stops that")
    return Check("core dumps", Verdict.OK, "not piped")


def look() -> list[Check]:
    """Return all checks of the host."""
    return [
        check_machine(),
        check_proc(),
        check_calls(),
        check_tracing(),
        check_notification(),
        check_nesting(),
        check_yama(),
        check_user_namespaces(),
        check_landlock(),
        check_time_namespaces(),
        check_descriptors(),
        check_core_pattern(),
        check_network(),
    ]
