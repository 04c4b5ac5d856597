"""Run a program in a place that is built here: ``python under.py JSON PROGRAM [ARG...]``.

Keys: ``errno`` {call: errno that the host answers}, ``masked`` [[call, argument, mask, value, errno], ...], ``allowed`` [number,
...] and ``allowed_if`` [[call, argument, mask, value], ...] (then everything else is EPERM), ``listener`` (somebody listens to
seccomp notifications already), ``nofile`` (hard limit), ``sysctl_userns`` (user.max_user_namespaces=0), ``uid`` (with no
capability left), ``tmpdir`` (for the caller), ``script`` (shell commands that prepare a mount namespace, run as root first).
"""

import ctypes
import errno
import json
import os
import resource
import subprocess
import sys

import pyseccomp

_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 38, 24
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000


def _listen(libc: ctypes.CDLL) -> None:
    allow = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\xff\x7f", 8)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    fd = libc.syscall(317, 1, 8, ctypes.byref(Program(1, ctypes.addressof(allow))))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    os.set_inheritable(fd, True)


def _forbid_user_namespaces(libc: ctypes.CDLL) -> None:
    """Go into a user namespace, with our ids, in which none can be made (user_namespaces(7), /proc/sys/user)."""
    parent, ready = os.getpid(), os.pipe()
    writer = os.fork()
    if writer == 0:
        os.read(ready[0], 1)
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{parent}/{name}", "w") as stream:
                stream.write("0 0 4294967295")
        os._exit(0)
    if libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(ready[1], b"g")
    if os.waitpid(writer, 0)[1]:
        raise OSError("no mapping of the ids")
    with open("/proc/sys/user/max_user_namespaces", "w") as stream:
        stream.write("0")


def main() -> None:
    place = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if "script" in place:
        if libc.unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["sh", "-ec", f"mount --make-rprivate /; {place['script']}"], check=True)
    if place.get("sysctl_userns"):
        _forbid_user_namespaces(libc)
    if "nofile" in place:
        resource.setrlimit(resource.RLIMIT_NOFILE, (place["nofile"], place["nofile"]))
    if "uid" in place:
        for capability in range(41):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.setgroups([])
        os.setresgid(place["uid"], place["uid"], place["uid"])
        os.setresuid(place["uid"], place["uid"], place["uid"])
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    rules = place.get("errno", {})
    masked = place.get("masked", [])
    allowed = place.get("allowed", [])
    if rules or masked or allowed:
        program = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM) if allowed else pyseccomp.ALLOW)
        for number in allowed:
            program.add_rule(pyseccomp.ALLOW, number)
        for call, argument, mask, value in place.get("allowed_if", []):
            program.add_rule(pyseccomp.ALLOW, call, pyseccomp.Arg(argument, pyseccomp.MASKED_EQ, mask, value))
        for call, number in rules.items():
            program.add_rule(pyseccomp.ERRNO(number), call)
        for call, argument, mask, value, number in masked:
            program.add_rule(pyseccomp.ERRNO(number), call, pyseccomp.Arg(argument, pyseccomp.MASKED_EQ, mask, value))
        program.load()
    if place.get("listener"):
        _listen(libc)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
