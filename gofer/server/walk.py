"""attach, walk, readdir, forget: from names to nodes and attributes."""

from errno import EACCES, ELOOP, ENOENT, ENOTDIR, EPROTO
from os import close

from gofer._sys._native import ffi, lib
from gofer.protocol.attr import ATTR_SIZE, FLAG_VEILED, NODE_HEAD, STEP_TAIL
from gofer.protocol.message import ATTACH, TREE_REMOTE, TREE_WATCHED, TREE_WRITABLE, WALK
from gofer.protocol.wire import FRAME_MAX, REPLY
from gofer.server.connection import STEPS_MAX, Connection
from gofer.server.node import Node
from gofer.server.watch import Watches
from gofer.server.watch import start as start_watching

_DIRECTORY = 0o040000
_BODY_MAX = FRAME_MAX - REPLY.size - 16


def attach(connection: Connection, fields: "list[object]") -> bytes:
    """The root of a tree. Errors: ENOENT."""
    index, is_watched = fields
    if not index < len(connection.policies):  # type: ignore[operator]
        raise OSError(ENOENT, "no such tree")
    connection.nodes.check_room()
    policy = connection.policies[index]  # type: ignore[call-overload]
    attr = connection.attr
    error = lib.gofer_stat(policy.root_fd, attr)
    if error < 0:
        raise OSError(-error, "root")
    node = Node(policy, None, b"", attr.dev, attr.ino)
    node.fd = policy.root_fd
    flags = TREE_WRITABLE if policy.is_writable else 0
    if policy.is_remote(attr.dev, policy.root_fd):
        flags |= TREE_REMOTE
    elif is_watched and connection.can_watch:
        connection.can_watch = False  # one descriptor for a connection: a second tree is not watched
        node.watches = start_watching()
        if node.watches is not None:
            node.watch, _ = node.watches.add(policy.root_fd)
            flags |= TREE_WATCHED
            connection.donated = node.watches.fd
            connection.is_donated_kept = True
            lib.gofer_stat(policy.root_fd, attr)
    return ATTACH.encode_reply(connection.nodes.add(node), node.watch, flags, ffi.buffer(attr)[:])


def walk(connection: Connection, fields: "list[object]") -> bytes:
    """Attributes of every component that could be reached, a node for each directory."""
    node, names = connection.place(fields[0])
    connection.nodes.check_room()
    error, count = _run(connection, node, names)
    watches: list[int] = []
    if node.watches is not None:
        watches, is_news = _watch_steps(connection, node.watches, count)
        if is_news:  # what was read before the watch began may have changed since: read it again
            _close_steps(connection.steps, count)
            error, again = _run(connection, node, names)
            for watch in watches[again:]:
                if watch:
                    node.watches.release(watch)
            watches = _same_watches(connection, node.watches, watches[:again], again)
            count = again
    steps, parts = connection.steps, []
    size = kept = 0
    for index in range(count):
        step = steps[index]
        record = ffi.buffer(ffi.addressof(step, "attr"))[:]
        number = flags = 0
        if step.attr.mode & 0o170000 == _DIRECTORY:
            node = _node_of(node, names[index], step)
            node.watch = watches[index] if watches else 0
            number = connection.nodes.add(node)
            flags = FLAG_VEILED if step.is_veiled else 0
        link = ffi.buffer(connection.link, step.link_length)[:] if step.link_length else b""
        size += ATTR_SIZE + STEP_TAIL.size + len(link)
        assert size <= _BODY_MAX, "64 components of at most 95 bytes and one link fit"
        parts.append(record + STEP_TAIL.pack(number, node.watch if number else 0, flags, len(link)) + link)
        kept += 1
    return WALK.encode_reply(error, kept, b"".join(parts))


def _watch_steps(connection: Connection, watches: Watches, count: int) -> "tuple[list[int], bool]":
    """A watch for every folder among the steps, and whether one of them is new."""
    found, is_news = [], False
    for index in range(count):
        fd = connection.steps[index].fd
        watch, is_new = watches.add(fd) if fd >= 0 else (0, False)
        found.append(watch)
        is_news |= is_new
    return found, is_news


def _same_watches(connection: Connection, watches: Watches, before: "list[int]", count: int) -> "list[int]":
    """The second walk may have met other folders under the same names: those are not watched this time."""
    after, _ = _watch_steps(connection, watches, count)
    kept = []
    for index in range(count):
        old = before[index] if index < len(before) else 0
        if old:
            watches.release(old)
        kept.append(after[index] if after[index] == old else 0)
        if after[index] and after[index] != old:
            watches.release(after[index])
    return kept


def readdir(connection: Connection, fields: "list[object]") -> bytes:
    """All entries with their attributes, in frames of bounded size; the directory gets a node on the way."""
    node, names = connection.place(fields[0])
    if names:
        connection.nodes.check_room()
        node = resolve_directory(connection, node, names)
        connection.nodes.add(node)
    try:
        return _read_directory(connection, node)
    except OSError:
        if names:
            connection.nodes.forget(node.number)
        raise


def _read_directory(connection: Connection, node: Node) -> bytes:
    attr = connection.attr
    if node.is_veiled or (node.policy.only and node.parent is None):
        return NODE_HEAD.pack(node.number, 0) + bytes(ATTR_SIZE)
    path_fd = connection.nodes.descriptor(node)
    if not node.watch and node.watches is not None:
        node.watch, _ = node.watches.add(path_fd)
    fd = lib.gofer_open_directory(path_fd)
    if fd < 0:
        raise OSError(-fd, "open directory")
    try:
        lib.gofer_stat(fd, attr)
        return _list(connection, node, fd, NODE_HEAD.pack(node.number, node.watch) + ffi.buffer(attr)[:])
    finally:
        close(fd)


def _list(connection: Connection, node: Node, fd: int, head: bytes) -> bytes:
    """Send all frames but the last, which is returned. The first one starts with ``head``, so a small folder is one frame."""
    lister, out, data = connection.lister, connection.out, node.policy.data
    lister.fd = fd
    lister.position = lister.length = lister.is_end = 0
    veils = node.veils
    veiled = b"".join([bytes((len(name),)) + name for name, below in veils.items() if not below]) if veils else b""
    room = len(out) - len(head)
    waiting = head
    while True:
        length = lib.gofer_list(lister, node.dev, data, veiled, len(veiled), out, room)
        if length < 0:
            raise OSError(-length, "getdents")
        if waiting is head:
            waiting = head + ffi.buffer(out, length)[:]
            if length:
                continue
        if not length:
            return waiting
        connection.send_part(waiting)
        waiting = ffi.buffer(out, length)[:]


def resolve_directory(connection: Connection, node: Node, names: "tuple[bytes, ...]") -> Node:
    """The directory at ``names`` below ``node``, as a node that has no number yet. Errors: ENOENT, ENOTDIR, ELOOP, EACCES."""
    error, count = _run(connection, node, names)
    steps = connection.steps
    if error or count < len(names):
        _close_steps(steps, count)
        raise OSError(error or EPROTO, "walk")
    if steps[count - 1].attr.mode & 0o170000 != _DIRECTORY:
        _close_steps(steps, count - 1)
        raise OSError(ELOOP if steps[count - 1].link_length else ENOTDIR, "not a folder")
    for index in range(count):
        node = _node_of(node, names[index], steps[index])
        if index < count - 1:  # only the last one keeps its descriptor; the others open again when needed
            close(node.fd)
            node.fd = -1
    return node


def parent_of(connection: Connection, node: Node, names: "tuple[bytes, ...]") -> "tuple[int, Node, bytes, bool]":
    """(descriptor, node, last name, whether to close the descriptor) for a place below a directory. Errors: as walk."""
    if len(names) == 1:
        parent, last = node, names[0]
        return connection.nodes.descriptor(parent), parent, last, False
    parent = resolve_directory(connection, node, names[:-1])
    if parent.is_veiled:
        raise OSError(ENOENT, "veiled")
    return parent.fd, parent, names[-1], True


def check_visible(connection: Connection, parent: Node, name: bytes) -> None:
    """Errors: EACCES for a name that the tree hides, so that nothing is made, opened or removed there."""
    if parent.veils is not None and parent.veils.get(name) == {}:
        raise OSError(EACCES, "hidden")
    if parent.policy.only and parent.parent is None and name != parent.policy.only:
        raise OSError(EACCES, "another file of the folder")


def forget(connection: Connection, fields: "list[object]") -> bytes:
    """The peer no longer holds these nodes."""
    for number in fields[0]:  # type: ignore[attr-defined]
        connection.nodes.forget(number)
    return b""


def _run(connection: Connection, node: Node, names: "tuple[bytes, ...]") -> "tuple[int, int]":
    """(errno that stopped the walk or 0, components reached); the steps lie in ``connection.steps``."""
    if node.is_veiled:
        return ENOENT, 0
    veiled_from = -1
    veils = node.veils
    for index, name in enumerate(names):
        veils = node.policy.veils_below(veils, name)
        if veils is None:
            break
        if not veils:
            veiled_from = index
            break
    packed = b"".join([bytes((len(name),)) + name for name in names])
    count: int = lib.gofer_walk(
        connection.nodes.descriptor(node),
        node.dev,
        node.policy.data,
        packed,
        len(packed),
        veiled_from,
        connection.steps,
        STEPS_MAX,
        connection.link,
        4096,
        connection.error,
    )
    return connection.error[0], count


def _node_of(parent: Node, name: bytes, step: object) -> Node:
    attr = step.attr  # type: ignore[attr-defined]
    node = Node(parent.policy, parent, name, attr.dev, attr.ino)
    node.fd = step.fd  # type: ignore[attr-defined]
    node.is_veiled = bool(step.is_veiled)  # type: ignore[attr-defined]
    return node


def _close_steps(steps: object, count: int) -> None:
    for index in range(count):
        if steps[index].fd >= 0:  # type: ignore[index]
            close(steps[index].fd)  # type: ignore[index]
