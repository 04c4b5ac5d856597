"""Run a program in a place that is built here: ``python under.py JSON PROGRAM [ARG...]``.

Keys: ``errno`` {call: errno that the host answers}, ``masked`` [[call, argument, mask, value, errno], ...], ``listener``
(somebody listens to seccomp notifications already), ``nofile`` (hard limit), ``uid`` (with no capability left), ``tmpdir``
(for the caller), ``script`` (shell commands that prepare a mount namespace, run as root first).
"""

import ctypes
import json
import os
import resource
import subprocess
import sys

import pyseccomp

_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 38, 24
_CLONE_NEWNS = 0x00020000


def _listen(libc: ctypes.CDLL) -> None:
    allow = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\xff\x7f", 8)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    fd = libc.syscall(317, 1, 8, ctypes.byref(Program(1, ctypes.addressof(allow))))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    os.set_inheritable(fd, True)


def main() -> None:
    place = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if "script" in place:
        if libc.unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["sh", "-ec", f"mount --make-rprivate /; {place['script']}"], check=True)
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
    if rules or masked:
        program = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
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
