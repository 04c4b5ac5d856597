"""What a sandbox's root file system is made of, whatever kind of image it came from."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How an image wants to be run (image-spec, config.md): None means that it does not say."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    stop_signal: str = ""
    volumes: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """A host folder and how much of it may be seen, or an image of the store.

    ``hidden`` are paths below ``root`` that look empty. ``allows_write_through``: ``--rw`` makes sense here. ``home`` is HOME
    inside, None for what the image's /etc/passwd says. ``layers`` are the folders with the contents of an image of the store,
    whose ``root`` then holds its index; None for a plain folder. ``config`` is how the image wants to be run, ``id`` its digest,
    ``machine`` the OS/ARCH that it is for.
    """

    name: str
    root: str
    hidden: tuple[str, ...] = ()
    hide_sockets: bool = True
    allows_write_through: bool = False
    home: str | None = None
    layers: tuple[str, ...] | None = None
    config: RunConfig | None = None
    id: str = ""
    machine: str = ""
