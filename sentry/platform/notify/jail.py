"""Starts the spawner and, through it, the first process of each container."""

import errno
import os
import resource
import socket
from dataclasses import dataclass
from struct import Struct, pack, unpack
from typing import TYPE_CHECKING, Any

from sentry.arch.x86_64 import STUB_SCRATCH, STUB_SCRATCH_LENGTH
from sentry.platform._core.core import REPORT_ERROR, REPORT_JAIL, REPORT_LISTENER, REPORT_READY
from sentry.platform.filter import bpf
from sentry.platform.interface import JailConfig, PlatformError, SpawnRequest
from sentry.platform.notify.execution import RESERVED_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry.platform._core.core import Core
    from sentry.platform.filter.bpf import Program

_NAMESPACES = {
    "userns": 0x10000000,
    "pidns": 0x20000000,
    "mountns": 0x00020000,
    "netns": 0x40000000,
    "ipcns": 0x08000000,
    "utsns": 0x04000000,
    "cgroupns": 0x02000000,
}
_GIVE_UP_ORDER = ("cgroupns", "utsns", "ipcns", "netns", "mountns", "pidns", "userns")
_LAYER_BITS = {2: "emptyroot", 4: "timens", 8: "landlock"}
_REMEDIES = {
    "cpu": "--cpus needs a control group that the caller may write (root, or a delegated tree with the cpu controller)",
    "userns": "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
    "kernel.apparmor_restrict_unprivileged_userns)",
    "landlock": "boot a kernel with Landlock (5.13, lsm=landlock,...)",
    "memory": "give --memory and start as root, or with a control group that is delegated to you",
    "pids": "give --memory and start as root, or with a control group that is delegated to you",
    "timens": "boot a kernel with time namespaces (5.6)",
}
_HEADER = Struct("<6I2Q")
_LIMIT = Struct("<3Q")
_CREDENTIALS = Struct("<iII")
_TIMEOUT_S = 10.0
_WANT_NO_LISTENER = 2

RLIMIT_DATA, RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE = 2, 4, 6, 7, 8, 12
RLIMIT_NICE, RLIMIT_RTPRIO = 13, 14
MEMLOCK = 8 << 20  # Linux: include/uapi/linux/resource.h, MLOCK_LIMIT


@dataclass(frozen=True)
class Guest:
    """A first process: seized, its filter on, its first execve on the way."""

    tid: int
    listener: int
    is_wait_killable: bool


class Jail:
    """The spawner as the sentry sees it: a process and a control socket."""

    def __init__(self, core: "Core", ffi: Any, stub_fd: int, disabled: frozenset[str]) -> None:
        self._core = core
        self._ffi = ffi
        self._stub_fd = stub_fd
        self._disabled = disabled
        self._control: socket.socket | None = None
        self.pid = 0
        self.layers: frozenset[str] = frozenset()

    def start(self, config: JailConfig, more_layers: frozenset[str] = frozenset()) -> None:
        """Build the jail; ``more_layers`` hold already (control groups). Raises PlatformError."""
        wanted = [name for name in _NAMESPACES if name not in self._disabled]
        if "userns" not in wanted:
            wanted = []
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            namespaces = self._clone(config, wanted, theirs.fileno())
        ours.settimeout(_TIMEOUT_S)
        self._control = ours
        bits = _receive(ours, REPORT_JAIL)[0]
        layers = {name for bit, name in _LAYER_BITS.items() if bits & bit} | set(namespaces)
        self.layers = frozenset(layers | more_layers | {"seccomp", "no_new_privs", "rlimits"})
        missing = config.layers_required - self.layers
        if missing:
            remedies = "; ".join(_REMEDIES.get(name, f"this host refuses {name}") for name in sorted(missing))
            raise PlatformError(f"the jail lacks {', '.join(sorted(missing))}: {remedies}")

    def _clone(self, config: JailConfig, wanted: list[str], control_fd: int) -> list[str]:
        """Clone the spawner with as many of the ``wanted`` namespaces as the host permits; returns them."""
        ffi = self._ffi
        hostname = ffi.new("char[]", config.hostname)
        for given_up in ("", *_GIVE_UP_ORDER):
            wanted = [name for name in wanted if name != given_up]
            if "userns" not in wanted:
                wanted = []
            native = ffi.new(
                "struct jail_config *",
                {
                    "clone_flags": sum(_NAMESPACES[name] for name in wanted),
                    "control_fd": control_fd,
                    "stub_fd": self._stub_fd,
                    "uid": os.geteuid(),
                    "gid": os.getegid(),
                    "use_time_namespace": bool(wanted) and "timens" not in self._disabled,
                    "use_landlock": "landlock" not in self._disabled,
                    "use_empty_root": 1,
                    "hostname": hostname,
                },
            )
            self.pid = self._core.jail_start(native)
            if self.pid > 0:
                return wanted
        raise PlatformError(f"the host refuses to start a process: {os.strerror(-self.pid)}")

    def spawn(
        self,
        request: SpawnRequest,
        config: JailConfig,
        program: "Program",
        seize: "Callable[[int], None]",
        transfer_fd: int = -1,
        pidns_fd: int = -1,
    ) -> Guest:
        """Start a container's first process; ``seize(tid)`` makes it traced before its filter is on. Raises PlatformError.

        With ``pidns_fd`` it is a further process of that pid namespace. With ``transfer_fd`` the filter has no listener, and
        the guest gets this socket as its last reserved descriptor.
        """
        assert self._control is not None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            ours.settimeout(_TIMEOUT_S)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            body = self._request(request, config, program, transfer_fd < 0)
            fd = os.memfd_create("spawn", os.MFD_CLOEXEC)
            try:
                _write_all(fd, body)
                fds = [fd, theirs.fileno(), *(more for more in (pidns_fd, transfer_fd) if more >= 0)]
                socket.send_fds(self._control, [b"g" if pidns_fd < 0 else b"j"], fds)
            finally:
                os.close(fd)
            theirs.close()
            tid = _receive(ours, REPORT_READY)[1]
            seize(tid)
            ours.send(b"s")
            is_wait_killable, _, listener = _receive(ours, REPORT_LISTENER)
            return Guest(tid, listener, bool(is_wait_killable))

    def _request(self, request: SpawnRequest, config: JailConfig, program: "Program", wants_listener: bool) -> bytes:
        limits = dict(request.limits)
        number = config.nofile
        limits[RLIMIT_NOFILE] = (number + RESERVED_NUMBERS, number + RESERVED_NUMBERS)
        limits[RLIMIT_CORE] = (1, 1)  # 0 does not stop a piped core_pattern (kernel-facts.md 26)
        limits.setdefault(RLIMIT_MEMLOCK, _memlock())
        limits[RLIMIT_MSGQUEUE] = (0, 0)
        limits[RLIMIT_RTPRIO] = (0, 0)  # the host itself refuses real-time policies: sched_setattr(2) is let through
        limits.setdefault(RLIMIT_NICE, (0, 0))
        if config.memory_max is not None and "memory" not in self.layers:
            # The weaker guarantee without a control group: per process, and only what it may write (design.md section 4).
            soft, hard = limits.get(RLIMIT_DATA, (config.memory_max, config.memory_max))
            limits[RLIMIT_DATA] = (min(_bound(soft), config.memory_max), min(_bound(hard), config.memory_max))
        if "userns" in self.layers:
            limits[RLIMIT_NPROC] = (config.tasks_max, config.tasks_max)
        header = _HEADER.pack(
            len(program),
            len(limits),
            len(request.argv),
            len(request.envp),
            number,
            int("wait_killable" not in self._disabled) if wants_listener else _WANT_NO_LISTENER,
            STUB_SCRATCH,
            STUB_SCRATCH_LENGTH,
        )
        packed_limits = b"".join(
            _LIMIT.pack(which, soft & 0xFFFFFFFFFFFFFFFF, hard & 0xFFFFFFFFFFFFFFFF) for which, (soft, hard) in limits.items()
        )
        strings = [request.path, *request.argv, *request.envp]
        if any(b"\0" in string for string in strings):
            raise PlatformError("a program's arguments and environment cannot contain NUL bytes")
        return header + packed_limits + bpf.pack(program) + b"".join(string + b"\0" for string in strings)

    def close(self) -> None:
        """Let the spawner end, and with it its pid namespace. Idempotent."""
        if self._control is not None:
            self._control.close()
            self._control = None


def _memlock() -> tuple[int, int]:
    """Linux's default, as the guest is told, or what the host lets us give."""
    ceiling = resource.getrlimit(RLIMIT_MEMLOCK)[1]
    size = MEMLOCK if ceiling < 0 else min(MEMLOCK, ceiling)
    return size, size


def _bound(limit: int) -> int:
    """RLIM_INFINITY in either spelling as a large number."""
    return 1 << 64 if limit < 0 else limit


def _receive(link: socket.socket, expected: int) -> tuple[int, int, int]:
    """Return value, sender's pid, descriptor of the ``expected`` report. Raises PlatformError."""
    try:
        data, ancillary, _, _ = link.recvmsg(8, 256, socket.MSG_CMSG_CLOEXEC)
    except TimeoutError:
        raise PlatformError("the jail's spawner does not answer") from None
    if len(data) != 8:
        raise PlatformError("the jail's spawner ended early")
    kind, value = unpack("<ii", data)
    pid, fd = 0, -1
    for level, what, content in ancillary:
        if level == socket.SOL_SOCKET and what == socket.SCM_CREDENTIALS:
            pid = _CREDENTIALS.unpack(content)[0]
        elif level == socket.SOL_SOCKET and what == socket.SCM_RIGHTS:
            fd = unpack("<i", content[:4])[0]
    if kind == REPORT_ERROR:
        raise PlatformError(_explain(value))
    if kind != expected:
        raise PlatformError(f"the jail's spawner said {kind} instead of {expected}")
    return value, pid, fd


def _explain(error: int) -> str:
    if error == errno.EBUSY:
        return "another program here listens to seccomp notifications already (podman's notify, LXD): use --platform ptrace"
    return f"the host refuses to set up a guest process: {os.strerror(error)}"


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


assert len(pack("<i", 0)) == 4
