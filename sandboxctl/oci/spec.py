"""Reads config.json and process files (runtime-spec, config.md) and says what they mean for a sandbox.

What engines always send and a sandbox makes meaningless is ignored (``IGNORED``); what would weaken it, or was asked
for and cannot be given, is refused.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from sandboxctl.config import (
    PLATFORMS,
    PROFILES,
    Capabilities,
    CommandConfig,
    Identity,
    Network,
    Rlimit,
    SandboxConfig,
)
from sandboxctl.errors import SandboxError
from sandboxctl.oci.mounts import mounts_of, shm_size

Object = Mapping[str, Any]
_FILE_MAX = 16 << 20
#: containerd's word for whether a container is the first of its pod, or joins it
_POD_KIND = "io.kubernetes.cri.container-type"
NAMESPACES = ("network", "mount", "pid", "ipc", "uts", "user", "cgroup", "time")
#: what of memory and processor time has no meaning for the sandbox's accounts
_MEMORY = (
    "reservation", "swap", "kernel", "kernelTCP", "swappiness", "disableOOMKiller", "useHierarchy", "checkBeforeUpdate",
)  # fmt: skip
_CPU = ("burst", "realtimeRuntime", "realtimePeriod", "idle")
#: settings that a sandbox makes meaningless: its guest reaches no device, no /proc and no control group of the host
IGNORED = (
    "linux.resources.blockIO", "linux.resources.devices", "linux.resources.hugepageLimits", "linux.resources.network",
    "linux.resources.rdma",
    *(f"linux.resources.memory.{name}" for name in _MEMORY),
    *(f"linux.resources.cpu.{name}" for name in _CPU),
    "linux.rootfsPropagation", "linux.mountLabel",
    "linux.sysctl.net.ipv4.ip_unprivileged_port_start", "linux.sysctl.net.ipv4.ping_group_range",
    "process.apparmorProfile", "process.selinuxLabel",
)  # fmt: skip
_UNSUPPORTED_LINUX = ("intelRdt", "timeOffsets", "memoryPolicy", "netDevices")
_UNSUPPORTED_PROCESS = ("ioPriority", "scheduler", "execCPUAffinity")
#: path, major, minor of the devices of a sandbox (config-linux.md, "Default Devices")
_DEVICES = {
    ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8), ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0), ("/dev/console", 5, 1), ("/dev/ptmx", 5, 2),
}  # fmt: skip
#: what podman and docker always set: ping for all, which it is here, and low ports for all, which need their capability here
_UNASKED = {"net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"}


def read(path: str) -> dict[str, Any]:
    """The object in a JSON file. Raises SandboxError."""
    try:
        with open(path, "rb") as file:
            text = file.read(_FILE_MAX)
    except OSError as error:
        raise SandboxError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    return parse(text, path)


def parse(text: str | bytes, path: str) -> dict[str, Any]:
    """The object in a JSON text, which ``path`` names. Raises SandboxError."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SandboxError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise SandboxError(f"{path} is not a JSON object")
    return found


def sandbox_of(spec: Object, bundle: str, flags: Mapping[str, str], ignored: list[str]) -> SandboxConfig:
    """The sandbox that a config.json asks for; an annotation ``dev.sandboxctl.NAME`` wins over a flag.

    What is passed over is added to ``ignored``, a line each. Raises SandboxError.
    """
    linux = spec.get("linux") or {}
    _check_version(str(spec.get("ociVersion") or ""))
    if (spec.get("annotations") or {}).get(_POD_KIND) == "container":
        raise SandboxError("a further container of a pod is not supported yet: a sandbox has one, and shares nothing with others")
    _check_devices(linux)
    _check_mappings(linux)
    _check_namespaces(linux, ignored)
    _check_rest(spec, ignored)
    if not any(one.get("type") == "network" for one in linux.get("namespaces") or ()):
        raise SandboxError("the host's network is refused: the guest never uses it; ask for a network namespace (--network none)")
    namespace = next((str(one.get("path") or "") for one in linux["namespaces"] if one.get("type") == "network"), "")
    root = spec.get("root") or {}
    path = os.path.realpath(os.path.join(bundle, root.get("path", "rootfs")))
    if not os.path.isdir(path):
        raise SandboxError(f"root.path: {path}: no such file or directory")
    resources = linux.get("resources") or {}
    memory = (resources.get("memory") or {}).get("limit") or 0
    pids = (resources.get("pids") or {}).get("limit") or 0
    is_read_only = bool(root.get("readonly"))
    process = spec.get("process") or {}
    limits = _rlimits(process)
    return SandboxConfig(
        image=f"dir:{path}",
        platform=_chosen(spec, flags, "platform", PLATFORMS),
        profile=_chosen(spec, flags, "profile", PROFILES) or "default",
        rw=not is_read_only,
        read_only=is_read_only,
        host_as_root=is_read_only and os.geteuid() == 0,
        mounts=mounts_of(spec.get("mounts") or (), bundle, ignored),
        hostname=spec.get("hostname") or "sandbox",
        domainname=spec.get("domainname") or "",
        network=Network(namespace=namespace) if namespace else None,
        memory=memory if memory > 0 else None,
        pids_limit=pids if pids > 0 else None,
        nofile_max=_nofile(limits),
        capabilities=_mask(process, "bounding"),
        shm_size=shm_size(spec.get("mounts") or ()),
        masked_paths=_paths(linux, "maskedPaths"),
        read_only_paths=_paths(linux, "readonlyPaths"),
        sysctls={str(name): str(value) for name, value in (linux.get("sysctl") or {}).items() if name not in _UNASKED},
    )


def _chosen(spec: Object, flags: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    found = (spec.get("annotations") or {}).get(f"dev.sandboxctl.{name}") or flags.get(name) or None
    if found is not None and found not in known:
        raise SandboxError(f"{name} {found!r} is not known; use {' or '.join(known)}")
    return found


def _check_version(text: str) -> None:
    if text.partition(".")[0] != "1":
        raise SandboxError(f"ociVersion: {text!r} is not a version of the runtime specification that is known here, 1.x")


def _check_devices(linux: Object) -> None:
    """Those that every sandbox has may be listed."""
    for one in linux.get("devices") or ():
        if one.get("type") not in {"c", "u"} or (one.get("path"), one.get("major"), one.get("minor")) not in _DEVICES:
            raise SandboxError(f"linux.devices: {one.get('path')}: a guest gets no device of the host; leave it out (--device)")


def _check_mappings(linux: Object) -> None:
    """Ids that are mapped to themselves are what a sandbox has; others would reach volumes as the wrong owners."""
    for key in ("uidMappings", "gidMappings"):
        for one in linux.get(key) or ():
            if one.get("containerID", 0) != one.get("hostID", 0):
                raise SandboxError(f"linux.{key}: ids cannot be mapped; leave it out (--userns)")


def _check_namespaces(linux: Object, ignored: list[str]) -> None:
    """A sandbox has its own of every kind; of a network namespace it takes over the interface."""
    found = {str(one.get("type")): str(one.get("path") or "") for one in linux.get("namespaces") or ()}
    if len(found) < len(linux.get("namespaces") or ()):
        raise SandboxError("linux.namespaces: a type is given twice; leave one out")
    for kind, path in found.items():
        if kind not in NAMESPACES:
            raise SandboxError(f"linux.namespaces: type {kind!r} is not known")
        if path and kind != "network":
            raise SandboxError(f"linux.namespaces: {kind}: {path}: a sandbox has its own and joins no other; leave the path out")
    for kind in ("pid", "ipc", "uts", "mount"):
        if kind not in found:
            ignored.append(f"linux.namespaces: no {kind} namespace is asked for, the sandbox has its own")


def _check_rest(spec: Object, ignored: list[str]) -> None:
    """What engines do not send, and somebody has asked for, is refused; what a sandbox makes meaningless is noted."""
    linux, process = spec.get("linux") or {}, spec.get("process") or {}
    propagation = linux.get("rootfsPropagation") or "private"
    if propagation.removeprefix("r") not in {"private", "slave", "unbindable"}:
        raise SandboxError(f"linux.rootfsPropagation: {propagation!r}: what is mounted inside never reaches the host; use rslave")
    for where, section, names in (("linux", linux, _UNSUPPORTED_LINUX), ("process", process, _UNSUPPORTED_PROCESS)):
        for name in names:
            if section.get(name):
                raise SandboxError(f"{where}.{name} is not supported; leave it out")
    domain = (linux.get("personality") or {}).get("domain", "LINUX")
    if domain != "LINUX" or (linux.get("personality") or {}).get("flags"):
        raise SandboxError("linux.personality: there is LINUX without flags only; leave it out")
    resources = linux.get("resources") or {}
    if resources.get("unified"):
        raise SandboxError("linux.resources.unified is not supported; leave it out, memory, pids and cpu are there")
    sections = [("linux.resources", resources), ("linux", linux), ("process", process)]
    sections += [(f"linux.resources.{name}", resources.get(name) or {}) for name in ("memory", "cpu")]
    for where, section in sections:
        ignored += [f"{where}.{name}" for name in section if section[name] and f"{where}.{name}" in IGNORED]
    for kind, names in (process.get("capabilities") or {}).items():
        ignored += [f"process.capabilities.{kind}: {name} is not known" for name in names or () if not _is_capability(name)]


def _paths(linux: Object, key: str) -> tuple[str, ...]:
    found = tuple(linux.get(key) or ())
    for path in found:
        if not isinstance(path, str) or not path.startswith("/"):
            raise SandboxError(f"linux.{key}: {path!r} is not an absolute path")
    return found


def command_of(process: Object, root: str) -> CommandConfig:
    """The program of a process object. Raises SandboxError."""
    argv = process.get("args") or []
    if not argv or not argv[0]:
        raise SandboxError("process.args must not be empty")
    user = process.get("user") or {}
    identity = Identity(user.get("uid", 0), user.get("gid", 0), tuple(user.get("additionalGids") or ()))
    cwd = process.get("cwd") or "/"
    if not cwd.startswith("/"):
        raise SandboxError(f"process.cwd: {cwd!r} is not an absolute path")
    env = dict(item.partition("=")[::2] for item in process.get("env") or ())
    if "HOME" not in env:
        env["HOME"] = _home(root, identity.uid)
    return CommandConfig(
        argv=tuple(argv),
        env=env,
        identity=identity,
        cwd=cwd,
        rlimits=_rlimits(process),
        tty=bool(process.get("terminal")),
        interactive=True,
        umask=int(user.get("umask", 0o022)) & 0o777,
        no_new_privileges=bool(process.get("noNewPrivileges")),
        capabilities=_capabilities(process),
        oom_score_adj=_score(process),
    )


def _home(root: str, uid: int) -> str:
    from sandboxctl.options.user import AccountFiles

    for row in AccountFiles(root).rows("passwd"):
        if len(row) > 5 and row[2] == str(uid) and row[5].startswith("/"):
            return row[5]
    return "/"


def _rlimits(process: Object) -> tuple[Rlimit, ...]:
    from syscalls.abi import resource

    made: list[Rlimit] = []
    for one in process.get("rlimits") or ():
        name = str(one.get("type"))
        number = getattr(resource, name, None) if name.startswith("RLIMIT_") else None
        if not isinstance(number, int):
            raise SandboxError(f"process.rlimits: {one.get('type')!r} is not known")
        if any(other.resource == number for other in made):
            raise SandboxError(f"process.rlimits: {one['type']} is given twice")
        soft, hard = (-1 if value >= 1 << 63 else value for value in (int(one["soft"]), int(one["hard"])))
        made.append(Rlimit(number, soft, hard))
    return tuple(made)


def _nofile(limits: tuple[Rlimit, ...]) -> int | None:
    from sandboxctl.options.ulimit import descriptors_max

    return descriptors_max(limits)


def _capabilities(process: Object) -> Capabilities | None:
    if process.get("capabilities") is None:
        return None
    return Capabilities(*(_mask(process, kind) for kind in ("bounding", "inheritable", "ambient")))


def _score(process: Object) -> int | None:
    value = process.get("oomScoreAdj")
    if value is not None and not (isinstance(value, int) and -1000 <= value <= 1000):
        raise SandboxError(f"process.oomScoreAdj: {value!r} is not a number from -1000 to 1000")
    return value


def _is_capability(name: object) -> bool:
    from syscalls.abi import capability

    return str(name).startswith("CAP_") and isinstance(getattr(capability, str(name), None), int)


def _mask(process: Object, kind: str) -> int:
    from syscalls.abi import capability

    mask = 0
    for name in (process.get("capabilities") or {}).get(kind) or ():
        if _is_capability(name):
            mask |= 1 << getattr(capability, name)
    return mask
