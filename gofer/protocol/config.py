"""What the starter tells a gofer once, on its control socket, before it gives up its rights."""

from gofer.protocol.wire import I64, TEXT, U8, U16, Kind, ProtocolError, blob, decode, encode

CONFIG_VERSION = 1
MESSAGE_MAX = 1 << 20


class Tree:
    """One exported folder.

    ``path`` is opened by the gofer before it drops its identity, unless ``fd`` names an inherited directory descriptor.
    ``hidden`` are paths below it (``b"var/run"``) that must look empty; ``hide_sockets`` leaves UNIX sockets out. ``only`` is
    the one name in the folder that exists for the sentry (a volume that is a single file).
    """

    __slots__ = ("fd", "hidden", "hide_sockets", "is_writable", "only", "path")

    def __init__(
        self,
        path: bytes,
        *,
        fd: int = -1,
        is_writable: bool = False,
        hidden: "tuple[bytes, ...]" = (),
        hide_sockets: bool = False,
        only: bytes = b"",
    ) -> None:
        self.path = path
        self.fd = fd
        self.is_writable = is_writable
        self.hidden = tuple(hidden)
        self.hide_sockets = hide_sockets
        self.only = only


class Config:
    """Identity and trees. ``uid`` and ``gid`` -1 keep the caller's; ``keeps_privileges`` (root only) keeps the few
    capabilities that reading, or changing, other people's files needs (``--host-as-root``, and root's own volumes)."""

    __slots__ = ("gid", "keeps_privileges", "trees", "uid")

    def __init__(self, trees: "tuple[Tree, ...]", *, uid: int = -1, gid: int = -1, keeps_privileges: bool = False) -> None:
        self.trees = tuple(trees)
        self.uid = uid
        self.gid = gid
        self.keeps_privileges = keeps_privileges


_HEAD: tuple[Kind, ...] = (U16, I64, I64, U8, U16)
_TREE: tuple[Kind, ...] = (TEXT, TEXT, I64, U8, U16)
_LONG = blob("long", "<I", MESSAGE_MAX)
_READY: tuple[Kind, ...] = (U8, TEXT)


def encode_config(config: Config) -> bytes:
    """The control message of the starter."""
    head = (CONFIG_VERSION, config.uid, config.gid, int(config.keeps_privileges), len(config.trees))
    parts = [encode((_LONG,), (encode(_HEAD, head),))]
    for tree in config.trees:
        fields = (tree.path, tree.only, tree.fd, tree.is_writable | tree.hide_sockets << 1, len(tree.hidden))
        body = encode(_TREE, fields) + encode((TEXT,) * len(tree.hidden), tree.hidden)
        parts.append(encode((_LONG,), (body,)))
    return b"".join(parts)


def decode_config(message: bytes) -> Config:
    """The inverse of ``encode_config``. Raises: ProtocolError."""
    parts: list[bytes] = []
    position = 0
    while position < len(message):
        part, position = _LONG.decode(message, position)
        parts.append(part)  # type: ignore[arg-type]
    if not parts:
        raise ProtocolError("no configuration")
    version, uid, gid, keeps, count = decode(_HEAD, parts[0])
    if version != CONFIG_VERSION or count != len(parts) - 1:
        raise ProtocolError("configuration of another version")
    trees = []
    for part in parts[1:]:
        path, position = TEXT.decode(part, 0)
        only, position = TEXT.decode(part, position)
        fd, position = I64.decode(part, position)
        flags, position = U8.decode(part, position)
        hidden_count, position = U16.decode(part, position)
        hidden = decode((TEXT,) * hidden_count, part, position)  # type: ignore[operator]
        is_writable, hide_sockets = bool(flags & 1), bool(flags & 2)  # type: ignore[operator]
        tree = Tree(path, fd=fd, is_writable=is_writable, hidden=tuple(hidden), hide_sockets=hide_sockets, only=only)  # type: ignore[arg-type]
        trees.append(tree)
    return Config(tuple(trees), uid=uid, gid=gid, keeps_privileges=bool(keeps))  # type: ignore[arg-type]


def encode_ready(layers: "tuple[str, ...]", error: str = "") -> bytes:
    """The gofer's answer: it serves now, with these protections in force; or why it cannot."""
    return encode(_READY, (int(bool(error)), (error or ",".join(layers)).encode()))


def decode_ready(message: bytes) -> "tuple[frozenset[str], str]":
    """(layers, error text). Raises: ProtocolError."""
    failed, text = decode(_READY, message)
    assert isinstance(text, bytes)
    if failed:
        return frozenset(), text.decode(errors="replace")
    return frozenset(text.decode().split(",")) - {""}, ""


def required_dirfds(config: Config) -> "tuple[int, ...]":
    """The directory descriptors that the gofer must inherit."""
    return tuple(tree.fd for tree in config.trees if tree.fd >= 0)


