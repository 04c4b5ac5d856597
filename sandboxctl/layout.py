"""Turns a ``SandboxConfig`` into what the parts need: which gofer exports which folders, and the sentry's ``start`` message.

A gofer of its own for the image, for each volume and for the overlay's folder: a slow volume stops nobody else, and each gofer
has only the rights that its trees need.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from gofer.protocol.config import Config as GoferConfig
from gofer.protocol.config import Tree
from sandboxctl.config import SandboxConfig, Tmpfs, Volume
from sandboxctl.images.image import Image
from sandboxctl.init import guest as guest_init

NOBODY = 65534


@dataclass(slots=True)
class Layout:
    """``gofers[i]`` is the configuration of gofer ``i``; ``message`` is the ``config`` of the start message."""

    gofers: list[GoferConfig] = field(default_factory=list)
    message: dict[str, object] = field(default_factory=dict)

    def add(self, *trees: Tree, unprivileged: bool) -> int:
        """Add a gofer for ``trees`` and return its number. As root it drops to nobody if ``unprivileged``."""
        is_root = os.geteuid() == 0
        if is_root and unprivileged:
            self.gofers.append(GoferConfig(trees, uid=NOBODY, gid=NOBODY))
        else:
            self.gofers.append(GoferConfig(trees, keeps_privileges=is_root))
        return len(self.gofers) - 1

    def set_network(self, message: dict[str, object], resolvers: Sequence[str]) -> None:
        """The sandbox has a link; ``resolvers`` are its name servers."""
        self.message["network"] = {**message, "resolvers": list(resolvers)}
        self.message["dns"] = [text.encode() for text in resolvers]


def plan(config: SandboxConfig, image: Image) -> Layout:
    """Return the layout of one sandbox."""
    layout = Layout()
    if config.assembly is not None:
        from sandboxctl.bubble.tree import lay_out

        layout.message = {**_settings(config), **lay_out(config.assembly, layout.add)}
        layout.message["gofers"] = _counts(layout)
        return layout
    tree = Tree(
        os.fsencode(image.root),
        is_writable=config.rw,
        hidden=tuple(os.fsencode(path) for path in image.hidden),
        hide_sockets=image.hide_sockets,
    )
    layers = [Tree(os.fsencode(folder)) for folder in image.layers or ()]
    root = layout.add(tree, *layers, unprivileged=image.layers is not None or not (config.rw or config.host_as_root))
    mounts = [_volume(item, layout) if isinstance(item, Volume) else _tmpfs(item) for item in config.mounts]
    if config.init:
        mounts.append(_volume(guest_init.volume(), layout))
    layout.message = {
        **_settings(config),
        "gofers": _counts(layout),
        "root": {
            "gofer": root,
            "tree": 0,
            "layers": -1 if image.layers is None else len(image.layers),
            "writable": config.rw,
        },
        "mounts": mounts,
        "volumes": _image_volumes(image, {item.destination for item in config.mounts}),
        "masked": [os.fsencode(path) for path in config.masked_paths],
        "read_only_paths": [os.fsencode(path) for path in config.read_only_paths],
        "sysctls": {name.encode(): value.encode() for name, value in config.sysctls.items()},
    }
    return layout


def _counts(layout: Layout) -> list[dict[str, object]]:
    return [{"layers": [], "trees": len(gofer.trees)} for gofer in layout.gofers]


def _settings(config: SandboxConfig) -> dict[str, object]:
    """All that has nothing to do with where files come from."""
    is_root = os.geteuid() == 0
    return {
        "platform": config.platform or "",
        "profile": config.profile,
        "require": list(config.require),
        "read_only": config.read_only,
        "overlay": {
            "kind": "memory" if config.overlay.folder is None else "folder",
            "size": _or_minus_one(config.overlay.size),
        },
        "shm_size": config.shm_size,
        "nofile": _or_minus_one(config.nofile_max),
        "capabilities": config.capabilities,
        "hostname": config.hostname.encode(),
        "domainname": config.domainname.encode(),
        "hosts": [[name.encode(), address.encode()] for name, address in config.hosts],
        "dns": [text.encode() for text in config.dns],
        "dns_search": [text.encode() for text in config.dns_search],
        "dns_options": [text.encode() for text in config.dns_options],
        "memory": _or_minus_one(config.memory),
        "cpu_quota_us": -1 if config.cpus is None else int(config.cpus * 100_000),
        "pids": _or_minus_one(config.pids_limit),
        "stop_signal": config.stop_signal,
        "trace": config.trace,
        "census": config.census,
        "log_level": "debug" if os.environ.get("SANDBOXCTL_DEBUG") else "warning",
        "host_uid": NOBODY if is_root else -1,
        "host_gid": NOBODY if is_root else -1,
        "keep": True,
    }


def _or_minus_one(value: int | None) -> int:
    return -1 if value is None else value


def _image_volumes(image: Image, taken: set[str]) -> list[bytes]:
    """The folders that the image calls volumes, where the caller mounts nothing else: the outermost first."""
    wanted = image.config.volumes if image.config is not None else ()
    paths = {os.path.normpath(f"/{path.lstrip('/')}") for path in wanted}
    reserved = {"/", "/proc", "/sys", "/dev"}
    kept = [path for path in paths - taken - reserved if not path.startswith(("/proc/", "/sys/", "/dev/"))]
    return [os.fsencode(path) for path in sorted(kept, key=lambda path: path.count("/"))]


def _volume(item: Volume, layout: Layout) -> dict[str, object]:
    is_file = not os.path.isdir(item.source)
    folder, name = os.path.split(item.source) if is_file else (item.source, "")
    tree = Tree(os.fsencode(folder), is_writable=not item.read_only, only=os.fsencode(name))
    number = layout.add(tree, unprivileged=False)
    return {
        "kind": "bind",
        "gofer": number,
        "tree": 0,
        "destination": os.fsencode(item.destination),
        "read_only": item.read_only,
        "is_file": is_file,
        "is_filled": item.is_filled and not item.read_only,
        "noexec": item.noexec,
        "name": os.fsencode(name),
    }


def _tmpfs(item: Tmpfs) -> dict[str, object]:
    return {
        "kind": "tmpfs",
        "destination": os.fsencode(item.destination),
        "size": _or_minus_one(item.size),
        "mode": item.mode,
        "uid": item.uid,
        "gid": item.gid,
        "read_only": item.read_only,
        "noexec": item.noexec,
        "nosuid": item.nosuid,
        "nodev": item.nodev,
        "inodes": _or_minus_one(item.inodes),
        "is_filled": item.is_filled,
    }
