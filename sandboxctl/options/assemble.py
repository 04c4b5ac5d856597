"""Builds the configurations from option texts; the one place where options are checked against each other."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sandboxctl.config import LAYERS, PLATFORMS, PROFILES, CommandConfig, Network, Overlay, SandboxConfig, Tmpfs, Volume
from sandboxctl.errors import OptionError
from sandboxctl.images.image import Image, RunConfig
from sandboxctl.images.registry import absolute, resolve
from sandboxctl.options import environment, mount, quantity, resolver, zone
from sandboxctl.options.capability import capabilities
from sandboxctl.options.network import network
from sandboxctl.options.security import no_new_privileges
from sandboxctl.options.ulimit import ulimit
from sandboxctl.options.user import account_files, caller_identity, identity

MEMORY_MIN = 16 << 20
_HOSTNAME_MAX = 64
_NAME_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a caller wrote about the sandbox, as text; None is "not given"."""

    image: str = "host"
    platform: str | None = None
    profile: str = "default"
    rw: bool = False
    read_only: bool = False
    overlay: str | None = None
    volumes: Sequence[str] = ()
    mounts: Sequence[str] = ()
    tmpfs: Sequence[str] = ()
    hostname: str | None = None
    name: str | None = None
    memory: str | None = None
    pids_limit: str | None = None
    shm_size: str | None = None
    stop_signal: str | None = None
    init: bool = False
    network: str = "none"
    published: Sequence[str] = ()
    denied: Sequence[str] = ()
    allowed: Sequence[str] = ()
    network_log: str | None = None
    network_pcap: str | None = None
    privileged: bool = False
    devices: Sequence[str] = ()
    host_as_root: bool = False
    cap_add: Sequence[str] = ()
    cap_drop: Sequence[str] = ()
    require: Sequence[str] = ()
    cpus: str | None = None
    strace: bool = False
    trace_json: bool = False
    census: bool = False
    log_file: str | None = None
    add_hosts: Sequence[str] = ()
    dns: Sequence[str] = ()
    dns_search: Sequence[str] = ()
    dns_options: Sequence[str] = ()
    sysctls: Sequence[str] = ()
    tz: str | None = None


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What a caller wrote about one command, as text."""

    argv: Sequence[str] = ()
    entrypoint: str | None = None
    env: Sequence[str] = ()
    env_files: Sequence[str] = ()
    workdir: str | None = None
    user: str | None = None
    group_add: Sequence[str] = ()
    ulimits: Sequence[str] = ()
    tty: bool = False
    interactive: bool = False
    timeout: str | None = None
    security_opts: Sequence[str] = ()
    umask: str | None = None


def sandbox_config(options: SandboxOptions) -> SandboxConfig:
    """Return the checked configuration. Raises OptionError."""
    _refuse(options)
    image = resolve(options.image)
    if image.layers is not None and options.host_as_root:
        raise OptionError("--host-as-root is for host and dir:PATH: an image of the store needs no rights on the host")
    if options.rw and not image.allows_write_through:
        raise OptionError("--rw: only a dir:PATH image can be written through; host stays read-only under its overlay")
    if options.rw and (options.read_only or options.overlay):
        raise OptionError(f"--rw writes to the folder itself: leave out {'--read-only' if options.read_only else '--overlay'}")
    if image.machine not in {"", "linux/amd64"}:
        raise OptionError(f"{options.image} is for {image.machine}; only programs for linux/amd64 run here")
    is_folder = image.layers is None
    if is_folder and os.geteuid() == 0 and not (options.rw or options.host_as_root) and not _others_may_enter(image.root):
        raise OptionError(
            f"{options.image}: files are read as nobody, who may not enter {image.root}; chmod o+rx it or use --host-as-root"
        )
    if options.strace and options.trace_json:
        raise OptionError("--strace and --trace-json: choose one")
    overlay = mount.overlay(options.overlay) if options.overlay else Overlay()
    memory = quantity.size(options.memory, "--memory") if options.memory else None
    if memory is not None and memory < MEMORY_MIN:
        raise OptionError(f"--memory: {options.memory!r} is less than {MEMORY_MIN >> 20}m, too little for any program")
    hostname = options.hostname if options.hostname is not None else "sandbox"
    if not _is_hostname(hostname):
        raise OptionError(f"--hostname: {hostname!r} must have 1 to {_HOSTNAME_MAX} letters, digits, dots and hyphens")
    if options.name is not None:
        check_name(options.name)
    config = SandboxConfig(
        image=absolute(options.image),
        platform=_choice(options.platform, PLATFORMS, "--platform"),
        profile=_choice(options.profile, PROFILES, "--profile") or "default",
        rw=options.rw,
        read_only=options.read_only,
        overlay=overlay,
        mounts=_mounts(options),
        hostname=hostname,
        network=_network(options),
        name=options.name,
        memory=memory,
        pids_limit=_pids(options.pids_limit),
        cpus=quantity.processors(options.cpus, "--cpus") if options.cpus else None,
        stop_signal=_stop_signal(options, image),
        init=options.init,
        host_as_root=_host_as_root(options),
        capabilities=capabilities(options.cap_add, options.cap_drop),
        require=_layers(options.require),
        trace="json" if options.trace_json else "strace" if options.strace else "",
        census=options.census,
        log_file=options.log_file,
        hosts=resolver.add_hosts(options.add_hosts),
        dns=resolver.servers(options.dns),
        dns_search=resolver.words(options.dns_search, "--dns-search"),
        dns_options=resolver.words(options.dns_options, "--dns-option"),
        sysctls=_sysctls(options.sysctls),
    )
    return replace(config, shm_size=quantity.size(options.shm_size, "--shm-size")) if options.shm_size else config


def check_name(name: str) -> None:
    """Raises OptionError for a name that no sandbox can have."""
    if not (0 < len(name) <= 128 and set(name) <= _NAME_CHARACTERS):
        raise OptionError(f"--name: {name!r} must have letters, digits, '_', '.' and '-' only")


def command_config(options: CommandOptions, image_name: str, caller: Mapping[str, str] | None = None) -> CommandConfig:
    """Return the checked command; ``image_name`` is where user names are looked up. Raises OptionError."""
    image = resolve(image_name)
    wishes = image.config if image.config is not None else RunConfig()
    argv = _argv(options, wishes)
    if not argv:
        raise OptionError(f"no command given; for a shell: sandboxctl run -it {image_name} -- /bin/sh")
    if not argv[0]:
        raise OptionError("the command's name is empty")
    if any("\0" in word for word in argv):
        raise OptionError("the command contains a NUL character")
    default = "/tmp" if image.layers is None else "/"
    wanted = f"/{wishes.working_dir.lstrip('/')}" if wishes.working_dir else default
    workdir = options.workdir if options.workdir is not None else wanted
    if not workdir.startswith("/") or "\0" in workdir:
        raise OptionError(f"-w: {workdir!r} is not an absolute path in the sandbox")
    user = options.user if options.user is not None or image.layers is None else wishes.user or "0"
    who = identity(user, options.group_add, account_files(image), caller_identity())
    if image.home is not None:
        who = replace(who, home=image.home)
    return CommandConfig(
        argv=tuple(argv),
        env=environment.build(
            who.home,
            options.env_files,
            options.env,
            os.environ if caller is None else caller,
            None if image.layers is None else wishes.env,
        ),
        identity=who,
        cwd=workdir,
        rlimits=tuple(ulimit(text) for text in options.ulimits),
        tty=options.tty,
        interactive=options.interactive,
        timeout=quantity.duration(options.timeout, "--timeout") if options.timeout else None,
        no_new_privileges=no_new_privileges(options.security_opts),
        umask=0o022 if options.umask is None else _umask(options.umask),
    )


def _argv(options: CommandOptions, wishes: RunConfig) -> list[str]:
    """As docker: an entrypoint of the caller's also puts the image's own arguments aside; ``""`` takes the image's away."""
    if options.entrypoint is not None:
        return ([options.entrypoint] if options.entrypoint else []) + list(options.argv)
    return [*wishes.entrypoint, *(options.argv or wishes.cmd)]


def _stop_signal(options: SandboxOptions, image: Image) -> int:
    if options.stop_signal:
        return quantity.signal_number(options.stop_signal, "--stop-signal")
    if image.config is not None and image.config.stop_signal:
        return quantity.signal_number(image.config.stop_signal, f"{image.name}: StopSignal")
    return 15


def _refuse(options: SandboxOptions) -> None:
    if options.privileged:
        raise OptionError(
            "--privileged is refused: it would give the guest the host's devices and rights, which no option here does"
        )
    if options.devices:
        raise OptionError(
            "--device is refused: the guest never reaches a host device; copy the data in, or share a folder with -v"
        )


def _choice(value: str | None, known: Iterable[str], option: str) -> str | None:
    if value is not None and value not in known:
        raise OptionError(f"{option}: {value!r} is not known; use {' or '.join(known)}")
    return value


def _layers(wanted: Sequence[str]) -> tuple[str, ...]:
    names = [name for text in wanted for name in text.split(",") if name]
    for name in names:
        if name not in LAYERS:
            raise OptionError(f"--require: {name!r} is not a layer; choose from {', '.join(LAYERS)}")
    return tuple(dict.fromkeys(names))


def _network(options: SandboxOptions) -> Network | None:
    made = network(options.network, options.published, options.denied, options.allowed)
    log, pcap = options.network_log, options.network_pcap
    if made is None:
        if log or pcap:
            raise OptionError("--network-log and --network-pcap need --network user or ns:PATH")
        return None
    return replace(made, log=log and os.path.abspath(log), pcap=pcap and os.path.abspath(pcap))


def _mounts(options: SandboxOptions) -> tuple[Volume | Tmpfs, ...]:
    made: list[Volume | Tmpfs] = [mount.volume(text) for text in options.volumes]
    made += [mount.mount(text) for text in options.mounts]
    made += [mount.tmpfs(text) for text in options.tmpfs]
    if options.tz is not None:
        made.append(zone.localtime(options.tz))
    seen: set[str] = set()
    for item in made:
        if item.destination in seen:
            raise OptionError(f"two mounts at {item.destination}; give each place one")
        seen.add(item.destination)
    return tuple(sorted(made, key=lambda item: item.destination.count("/")))


def _sysctls(texts: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` with the dots of sysctl(8). The sandbox tells whether it has such a setting."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not set(name) <= _NAME_CHARACTERS | {"/"} or ".." in name:
            raise OptionError(f"--sysctl: {text!r} is not NAME=VALUE, for example net.core.somaxconn=1024")
        found[name.replace("/", ".")] = value
    return found


def _umask(text: str) -> int:
    mask = quantity.octal(text, "--umask")
    if mask > 0o777:
        raise OptionError(f"--umask: {text!r} is not a file mode creation mask, for example 0022")
    return mask


def _pids(text: str | None) -> int | None:
    if text is None or text in {"-1", "0"}:
        return None
    return quantity.whole(text, "--pids-limit", least=1, most=1 << 22)


def _host_as_root(options: SandboxOptions) -> bool:
    if options.host_as_root and os.geteuid() != 0:
        raise OptionError("--host-as-root: you are not root; leave it out, files are read with your own rights")
    return options.host_as_root


def _others_may_enter(folder: str) -> bool:
    return os.stat(folder).st_mode & 0o5 == 0o5


def _is_hostname(text: str) -> bool:
    return 0 < len(text) <= _HOSTNAME_MAX and all(
        part and not part.startswith("-") and part.isascii() and part.replace("-", "a").replace("_", "a").isalnum()
        for part in text.split(".")
    )
