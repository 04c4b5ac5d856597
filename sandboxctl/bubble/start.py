"""From the wishes of a ``sandboxctl do`` to a sandbox and its command."""

import json
import os
from collections.abc import Mapping

from sandboxctl.bubble import tree
from sandboxctl.bubble.wishes import BubbleError, Wishes
from sandboxctl.config import Capabilities, CommandConfig, Identity, SandboxConfig
from sandboxctl.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND
from sandboxctl.options.network import network
from syscalls.abi.capability import ALL_CAPABILITIES

_OVERFLOW_ID = 65534
#: BPF_MAXINSNS, and the size of struct sock_filter
_INSTRUCTIONS_MAX, _INSTRUCTION = 4096, 8


def sandbox_config(wishes: Wishes, platform: str | None, profile: str) -> SandboxConfig:
    """The sandbox. Raises BubbleError, OptionError."""
    plan = tree.plan(wishes.steps)
    who = _identity(wishes)
    plan.uid, plan.gid = who.uid, who.gid
    return SandboxConfig(
        platform=platform,
        profile=profile,
        assembly=plan,
        hostname=os.uname().nodename if wishes.hostname is None else wishes.hostname,
        network=None if wishes.has_own_net else network("user", (), (), ()),
        capabilities=ALL_CAPABILITIES,
    )


def command_config(wishes: Wishes, *, is_terminal: bool) -> CommandConfig:
    """What runs in it."""
    return CommandConfig(
        argv=tuple(wishes.command),
        env=wishes.environment,
        identity=_identity(wishes),
        cwd="/",
        places=_places(wishes),
        tty=is_terminal,
        interactive=True,
        umask=_umask(),
        no_new_privileges=True,
        capabilities=_capabilities(wishes),
        is_reaped=not wishes.is_first,
        seccomp=_filter(wishes.seccomp_fd).hex(),
    )


def _places(wishes: Wishes) -> tuple[str, ...]:
    if wishes.chdir is not None:
        return (wishes.chdir if wishes.chdir.startswith("/") else f"/{wishes.chdir}",)
    return tuple(place for place in (_cwd(), wishes.environment.get("HOME", ""), "/") if place.startswith("/"))


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _identity(wishes: Wishes) -> Identity:
    uid = os.getuid() if wishes.uid is None else wishes.uid
    gid = os.getgid() if wishes.gid is None else wishes.gid
    others = sorted(set(os.getgroups()) - {os.getgid()})
    if "user" in wishes.unshared:  # groups that its user namespace does not map
        others = [_OVERFLOW_ID] if others else []
    return Identity(uid, gid, tuple(others))


def _capabilities(wishes: Wishes) -> Capabilities:
    """Root keeps all, others get none but what is asked for; they are rights in the sandbox only."""
    mask = _own_capabilities() if os.getuid() == 0 else 0
    for is_added, bits in wishes.capabilities:
        mask = mask | bits if is_added else mask & ~bits
    kept = mask if wishes.capabilities else 0
    return Capabilities(bounding=mask, inheritable=kept, ambient=kept)


def _filter(number: int) -> bytes:
    """The program of ``--seccomp`` (seccomp(2)): struct sock_filter after struct sock_filter. Raises BubbleError."""
    if number < 0:
        return b""
    try:
        with open(number, "rb") as file:
            program = file.read(_INSTRUCTIONS_MAX * _INSTRUCTION + 1)
    except OSError as error:
        raise BubbleError(f"Can't read seccomp data: {error.strerror}") from None
    if not program or len(program) % _INSTRUCTION or len(program) > _INSTRUCTIONS_MAX * _INSTRUCTION:
        raise BubbleError("Invalid seccomp data, must be multiple of 8")
    return program


def _own_capabilities() -> int:
    """Ours (proc(5), CapEff); all where /proc does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next(int(line[7:], 16) for line in file if line.startswith("CapEff:")) & ALL_CAPABILITIES
    except (OSError, StopIteration):
        return ALL_CAPABILITIES


def wait_for_go(wishes: Wishes) -> None:
    """``--block-fd``: until a byte, or the end, can be read. Raises BubbleError."""
    if wishes.block_fd >= 0:
        try:
            os.read(wishes.block_fd, 1)
        except OSError as error:
            raise BubbleError(f"--block-fd {wishes.block_fd}: {error.strerror}") from None


def tell(number: int, fields: Mapping[str, int], *, is_pretty: bool) -> None:
    """``--info-fd`` and ``--json-status-fd``. Raises BubbleError."""
    if number < 0:
        return
    text = json.dumps(fields, indent=4) if is_pretty else "{ " + json.dumps(fields)[1:-1] + " }"
    try:
        os.write(number, f"{text}\n".encode())
    except OSError as error:
        raise BubbleError(f"Write to info_fd: {error.strerror}") from None


def failure(name: str, code: int, text: str) -> str:
    """What execvp(3) would have said, as bubblewrap puts it; ``text`` as it is for what has nothing to do with the program."""
    if code == EXIT_NOT_FOUND:
        return f"execvp {name}: No such file or directory"
    if code == EXIT_NOT_EXECUTABLE and "EACCES" in text:
        return f"execvp {name}: Permission denied"
    return text
