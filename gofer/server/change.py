"""Operations that change a writable tree. Every one checks ``is_writable`` through ``Connection.place`` or the open file."""

import os
from errno import EBADF, EINVAL, ENOENT, EOPNOTSUPP, EPERM

from gofer._sys._native import ffi, lib
from gofer.protocol.message import MKDIR, SET_ATIME, SET_GID, SET_MODE, SET_MTIME, SET_SIZE, SET_UID, WRITE
from gofer.server.access import check_descriptor, check_xattr_name, hand_out, open_for_xattr, open_path
from gofer.server.connection import Connection
from gofer.server.node import Node
from gofer.server.walk import check_visible, resolve_directory

_KEEP = 0xFFFFFFFF  # chown's "leave it"
_RENAME_FLAGS = 1  # RENAME_NOREPLACE
_O_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NONBLOCK

#: plain, KEEP_SIZE, PUNCH_HOLE with KEEP_SIZE, ZERO_RANGE with and without KEEP_SIZE
_ALLOCATION_MODES = frozenset((0, 1, 3, 0x10, 0x11))


class Folder:
    """A writable folder by descriptor, closed on leaving if it was opened for this request."""

    def __init__(self, connection: Connection, place: object, name: object) -> None:
        node, names = connection.place(place, is_write=True)
        self._is_own = bool(names)
        self.node: Node = resolve_directory(connection, node, names) if names else node
        if self.node.is_veiled:
            raise OSError(EPERM, "hidden")
        self.fd = self.node.fd if names else connection.nodes.descriptor(node)
        try:
            check_visible(connection, self.node, name)  # type: ignore[arg-type]
        except OSError:
            self.__exit__()
            raise

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_own:
            os.close(self.fd)


def _own(fd: int, uid: object, gid: object) -> None:
    """Give a new object to uid and gid where the gofer may; otherwise it belongs to the gofer, as its attributes then tell."""
    if (uid, gid) != (os.geteuid(), os.getegid()):
        try:
            os.chown(fd, uid, gid)  # type: ignore[arg-type]
        except PermissionError:
            return


def create(connection: Connection, fields: "list[object]") -> bytes:
    """Make a regular file and open it, whatever its mode says. Errors: EEXIST."""
    place, name, mode, uid, gid = fields
    with Folder(connection, place, name) as folder:
        fd = check_descriptor(lib.gofer_create(folder.fd, name, _O_NEW, mode & 0o7777))  # type: ignore[operator]
        return _hand_out_new(connection, folder.node, fd, uid, gid)


def tmpfile(connection: Connection, fields: "list[object]") -> bytes:
    """O_TMPFILE: a file without a name."""
    place, mode, uid, gid = fields
    with Folder(connection, place, b"") as folder:
        fd = check_descriptor(lib.gofer_create(folder.fd, b".", os.O_TMPFILE | os.O_RDWR, mode & 0o7777))  # type: ignore[operator]
        return _hand_out_new(connection, folder.node, fd, uid, gid)


def _hand_out_new(connection: Connection, parent: Node, fd: int, uid: object, gid: object) -> bytes:
    try:
        _own(fd, uid, gid)
        lib.gofer_stat(fd, connection.attr)
    except OSError:
        os.close(fd)
        raise
    return hand_out(connection, parent, fd, is_writable=True)


def mkdir(connection: Connection, fields: "list[object]") -> bytes:
    """Make a directory; it gets a node."""
    place, name, mode, uid, gid = fields
    assert isinstance(name, bytes)
    connection.nodes.check_room()
    with Folder(connection, place, name) as folder:
        os.mkdir(name, mode & 0o7777, dir_fd=folder.fd)  # type: ignore[operator]
        fd = check_descriptor(lib.gofer_open_path(folder.fd, name, connection.attr))
        try:
            _own_by_path(connection, fd, uid, gid)
            lib.gofer_stat(fd, connection.attr)
        except OSError:
            os.close(fd)
            raise
        node = Node(folder.node.policy, folder.node, name, connection.attr.dev, connection.attr.ino)
        node.fd = fd
        if node.watches is not None:
            node.watch, _ = node.watches.add(fd)
        return MKDIR.encode_reply(connection.nodes.add(node), node.watch, ffi.buffer(connection.attr)[:])


def _own_by_path(connection: Connection, fd: int, uid: object, gid: object) -> None:
    if (uid, gid) != (os.geteuid(), os.getegid()) and connection.procfd >= 0:
        try:
            os.chown(str(fd), uid, gid, dir_fd=connection.procfd)  # type: ignore[arg-type]
        except PermissionError:
            return


def _new_attributes(connection: Connection, folder: Folder, name: bytes, uid: object, gid: object) -> bytes:
    try:
        if (uid, gid) != (os.geteuid(), os.getegid()):
            os.chown(name, uid, gid, dir_fd=folder.fd, follow_symlinks=False)  # type: ignore[arg-type]
    except PermissionError:
        pass  # it belongs to the gofer, as the attributes tell
    os.close(check_descriptor(lib.gofer_open_path(folder.fd, name, connection.attr)))
    return bytes(ffi.buffer(connection.attr)[:])


def symlink(connection: Connection, fields: "list[object]") -> bytes:
    """Make a symbolic link."""
    place, name, target, uid, gid = fields
    assert isinstance(name, bytes)
    assert isinstance(target, bytes)
    if not target or b"\0" in target:
        raise OSError(ENOENT if not target else EINVAL, "link text")
    with Folder(connection, place, name) as folder:
        os.symlink(target, name, dir_fd=folder.fd)
        return _new_attributes(connection, folder, name, uid, gid)


def mknod(connection: Connection, fields: "list[object]") -> bytes:
    """Make a FIFO or the name of a socket, which only the sentry's guests can connect to; devices never. Errors: EPERM."""
    place, name, mode, uid, gid = fields
    assert isinstance(name, bytes)
    kind = mode & 0o170000  # type: ignore[operator]
    if kind not in (0o010000, 0o140000):
        raise OSError(EPERM, "only FIFOs and sockets")
    with Folder(connection, place, name) as folder:
        os.mknod(name, kind | mode & 0o7777, dir_fd=folder.fd)  # type: ignore[operator]
        return _new_attributes(connection, folder, name, uid, gid)


def link(connection: Connection, fields: "list[object]") -> bytes:
    """Make a hard link. Errors: EXDEV, EPERM, EMLINK."""
    source, place, name = fields
    assert isinstance(name, bytes)
    node, names = connection.place(source, is_write=True)
    if not names or connection.procfd < 0:
        raise OSError(EPERM, "a folder")
    fd = open_path(connection, node, names)
    try:
        with Folder(connection, place, name) as folder:
            os.link(str(fd), name, src_dir_fd=connection.procfd, dst_dir_fd=folder.fd, follow_symlinks=True)
            lib.gofer_stat(fd, connection.attr)
    finally:
        os.close(fd)
    return bytes(ffi.buffer(connection.attr)[:])


def unlink(connection: Connection, fields: "list[object]") -> bytes:
    """Remove a name that is not a directory's."""
    place, name = fields
    assert isinstance(name, bytes)
    with Folder(connection, place, name) as folder:
        os.unlink(name, dir_fd=folder.fd)
    return b""


def rmdir(connection: Connection, fields: "list[object]") -> bytes:
    """Remove an empty directory."""
    place, name = fields
    assert isinstance(name, bytes)
    with Folder(connection, place, name) as folder:
        os.rmdir(name, dir_fd=folder.fd)
    return b""


def rename(connection: Connection, fields: "list[object]") -> bytes:
    """renameat2(2). ``moved`` is the node of a directory that moves, so that it can be found again. Errors: EXDEV, EINVAL."""
    place, name, to_place, to_name, flags, moved = fields
    if flags & ~_RENAME_FLAGS:  # type: ignore[operator]
        raise OSError(EINVAL, "rename flags")
    with Folder(connection, place, name) as folder, Folder(connection, to_place, to_name) as target:
        if folder.node.policy is not target.node.policy:
            raise OSError(EINVAL, "two trees")
        error = lib.gofer_renameat2(folder.fd, name, target.fd, to_name, flags)
        if error < 0:
            raise OSError(-error, "rename")
        if moved:
            node = connection.nodes.get(moved)  # type: ignore[arg-type]
            if node.parent is not None and node.policy is target.node.policy and not _is_above(node, target.node):
                node.parent, node.name = target.node, to_name  # type: ignore[assignment]
                node.veils = target.node.policy.veils_below(target.node.veils, to_name)  # type: ignore[arg-type]
    return b""


def _is_above(node: Node, place: Node) -> bool:
    below: Node | None = place
    while below is not None:
        if below is node:
            return True
        below = below.parent
    return False


def setattr_(connection: Connection, fields: "list[object]") -> bytes:
    """chmod, chown, truncate, utimensat: of an open file or of a place. Errors: EOPNOTSUPP for the mode of a symlink."""
    place, number, mask, mode, uid, gid, size, atime_ns, mtime_ns = fields
    assert isinstance(mask, int)
    if number:
        opened = connection.open_file(number)
        if not opened.policy.is_writable:
            raise OSError(EBADF, "read-only tree")
        if mask & SET_SIZE and opened.is_writable:  # the right to write was checked when it was opened
            _truncate(opened.fd, size)
            mask &= ~SET_SIZE
        fd = os.dup(opened.fd)
    else:
        node, names = connection.place(place, is_write=True)
        fd = open_path(connection, node, names)
    try:
        lib.gofer_stat(fd, connection.attr)
        if mask:
            _change(connection, fd, mask, (mode, uid, gid, size, atime_ns, mtime_ns))  # type: ignore[arg-type]
        lib.gofer_stat(fd, connection.attr)
    finally:
        os.close(fd)
    return bytes(ffi.buffer(connection.attr)[:])


def _truncate(fd: int, size: object) -> None:
    if size >> 63:  # type: ignore[operator]
        raise OSError(EINVAL, "truncate")
    os.ftruncate(fd, size)  # type: ignore[arg-type]


def _change(connection: Connection, fd: int, mask: int, values: "tuple[int, int, int, int, int, int]") -> None:
    """Everything goes through /proc/self/fd, which names the very object even if its path has changed."""
    mode, uid, gid, size, atime_ns, mtime_ns = values
    procfd, self_link, kind = connection.procfd, str(fd), connection.attr.mode & 0o170000
    if procfd < 0 or (kind == 0o120000 and mask & (SET_MODE | SET_SIZE)):
        raise OSError(EOPNOTSUPP, "no way to change this object")
    if mask & SET_SIZE:
        if kind != 0o100000:
            raise OSError(EINVAL, "truncate")
        writable = os.open(self_link, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=procfd)
        try:
            _truncate(writable, size)
        finally:
            os.close(writable)
    if mask & (SET_UID | SET_GID):
        wanted = (uid if mask & SET_UID else _KEEP, gid if mask & SET_GID else _KEEP)
        os.chown(self_link, *(number if number != _KEEP else -1 for number in wanted), dir_fd=procfd)
    if mask & SET_MODE:
        os.chmod(self_link, mode & 0o7777, dir_fd=procfd)
    if mask & (SET_ATIME | SET_MTIME):
        times = (
            atime_ns if mask & SET_ATIME else connection.attr.atime_ns,
            mtime_ns if mask & SET_MTIME else connection.attr.mtime_ns,
        )
        os.utime(self_link, ns=times, dir_fd=procfd)


def write(connection: Connection, fields: "list[object]") -> bytes:
    """Write to a file that stays open here. Errors: EBADF."""
    number, offset, data = fields
    opened = connection.open_file(number)
    if not opened.is_writable:
        raise OSError(EBADF, "open for reading")
    if offset < 0:  # type: ignore[operator]
        offset = os.lseek(opened.fd, 0, os.SEEK_END)
    return WRITE.encode_reply(os.pwrite(opened.fd, data, offset))  # type: ignore[arg-type]


def allocate(connection: Connection, fields: "list[object]") -> bytes:
    """fallocate(2): reserve, zero or free a range. Errors: EOPNOTSUPP for what moves the rest of the file."""
    number, mode, offset, length = fields
    opened = connection.open_file(number)
    if not opened.is_writable:
        raise OSError(EBADF, "open for reading")
    if mode not in _ALLOCATION_MODES:
        raise OSError(EOPNOTSUPP, "fallocate mode")
    if offset >> 63 or length >> 63:  # type: ignore[operator]
        raise OSError(EINVAL, "fallocate range")
    error = lib.gofer_fallocate(opened.fd, mode, offset, length)
    if error < 0:
        raise OSError(-error, "fallocate")
    return b""


def setxattr(connection: Connection, fields: "list[object]") -> bytes:
    """Set an attribute in `user.`."""
    place, name, value, flags = fields
    fd = open_for_xattr(connection, place, is_write=True)
    try:
        os.setxattr(fd, check_xattr_name(name), value, flags & 3)  # type: ignore[arg-type, operator]
    finally:
        os.close(fd)
    return b""


def removexattr(connection: Connection, fields: "list[object]") -> bytes:
    """Remove an attribute in `user.`."""
    place, name = fields
    fd = open_for_xattr(connection, place, is_write=True)
    try:
        os.removexattr(fd, check_xattr_name(name))
    finally:
        os.close(fd)
    return b""
