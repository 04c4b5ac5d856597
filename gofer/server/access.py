"""open, read, getattr, statfs, extended attributes: what a read-only tree offers beside walking."""

import os
from errno import EBADF, EINVAL, EISDIR, ENODATA, ENOENT, EOPNOTSUPP, EPERM, EREMOTE

from gofer._sys._native import ffi, lib
from gofer.protocol.message import OPEN, OPEN_DONATE, STATFS
from gofer.protocol.wire import FRAME_MAX, REPLY
from gofer.server.connection import Connection
from gofer.server.node import Node
from gofer.server.walk import check_visible, parent_of, resolve_directory

_OPEN_FLAGS = os.O_ACCMODE | os.O_TRUNC | os.O_APPEND | os.O_SYNC | os.O_DSYNC
_READ_MAX = FRAME_MAX - REPLY.size
_NAMESPACE = b"user."


def open_file(connection: Connection, fields: "list[object]") -> bytes:
    """Open a regular file and donate the descriptor; of a network file system it stays here. Errors: EISDIR, ENXIO, ESTALE."""
    place, flags = fields
    donate = flags & OPEN_DONATE  # type: ignore[operator]
    flags &= ~OPEN_DONATE  # type: ignore[operator]
    if flags & ~_OPEN_FLAGS or flags & os.O_ACCMODE == os.O_ACCMODE:
        raise OSError(EINVAL, "open flags")
    is_writable = bool(flags & (os.O_ACCMODE | os.O_TRUNC))
    node, names = connection.place(place, is_write=is_writable)
    if not names:
        raise OSError(EISDIR, "a folder")
    parent_fd, parent, name, is_own = parent_of(connection, node, names)
    try:
        check_visible(connection, parent, name)
        fd = lib.gofer_open(parent_fd, name, flags, connection.procfd, connection.attr)
    finally:
        if is_own:
            os.close(parent_fd)
    if fd < 0:
        raise OSError(-fd, "open")
    return hand_out(connection, parent, fd, is_writable=is_writable, is_donated=bool(donate))


def open_many(connection: Connection, fields: "list[object]") -> bytes:
    """Open several regular files of one folder for reading and donate them; what cannot be opened so has an errno."""
    place, names = fields
    node, below = connection.place(place)
    folder = resolve_directory(connection, node, below) if below else node
    folder_fd = folder.fd if below else connection.nodes.descriptor(node)
    attr, parts = connection.attr, []
    try:
        for name in names:  # type: ignore[attr-defined]
            fd = _open_to_read(connection, folder, folder_fd, name)
            if fd >= 0 and folder.policy.is_remote(attr.dev, fd):
                os.close(fd)
                fd = -EREMOTE
            if fd >= 0:
                connection.donated_many.append(fd)
            parts.append((max(0, -fd)).to_bytes(2, "little") + ffi.buffer(attr)[:])
    finally:
        if below:
            os.close(folder_fd)
    return b"".join(parts)


def _open_to_read(connection: Connection, folder: Node, folder_fd: int, name: bytes) -> int:
    try:
        check_visible(connection, folder, name)
    except OSError as error:
        return -(error.errno or EBADF)
    return int(lib.gofer_open(folder_fd, name, os.O_RDONLY, connection.procfd, connection.attr))


def hand_out(connection: Connection, parent: Node, fd: int, *, is_writable: bool, is_donated: bool = False) -> bytes:
    """The reply of OPEN for ``fd``: donated, kept here, or both. Errors: ENFILE."""
    attr = connection.attr
    is_remote = parent.policy.is_remote(attr.dev, fd)
    number = 0
    if is_writable or is_remote:
        number = connection.keep_open(fd, parent.policy, is_writable=is_writable)
    if is_donated or not is_remote:
        connection.donated = fd
        connection.is_donated_kept = number != 0
    return OPEN.encode_reply(number, ffi.buffer(attr)[:])


def getattr_(connection: Connection, fields: "list[object]") -> bytes:
    """Attributes now, of an open file or of a place."""
    place, number = fields
    attr = connection.attr
    if number:
        error = lib.gofer_stat(connection.open_file(number).fd, attr)
    else:
        node, names = connection.place(place)
        if names:
            fd = open_path(connection, node, names)
            os.close(fd)
            error = 0
        else:
            error = lib.gofer_stat(connection.nodes.descriptor(node), attr)
    if error < 0:
        raise OSError(-error, "stat")
    return bytes(ffi.buffer(attr)[:])


def open_path(connection: Connection, node: Node, names: "tuple[bytes, ...]") -> int:
    """An O_PATH descriptor of any object that may be seen; its attributes are in ``connection.attr``. Errors: ENOENT."""
    attr = connection.attr
    if not names:
        fd = os.dup(connection.nodes.descriptor(node))
        lib.gofer_stat(fd, attr)
        return fd
    parent_fd, parent, name, is_own = parent_of(connection, node, names)
    try:
        check_visible(connection, parent, name)
        fd = lib.gofer_open_path(parent_fd, name, attr)
    finally:
        if is_own:
            os.close(parent_fd)
    if fd < 0:
        raise OSError(-fd, "open")
    kind = attr.mode & 0o170000
    if kind == 0o140000 and parent.policy.data.hide_sockets:
        os.close(fd)
        raise OSError(ENOENT, "hidden")
    if kind == 0o040000:
        os.close(fd)
        below = resolve_directory(connection, node, names)
        if below.is_veiled:
            raise OSError(EPERM, "veiled")
        lib.gofer_stat(below.fd, attr)
        return int(below.fd)
    return int(fd)


def statfs(connection: Connection, fields: "list[object]") -> bytes:
    """Totals of the file system that holds a place."""
    node, names = connection.place(fields[0])
    fd = open_path(connection, node, names)
    try:
        magic = lib.gofer_fs_magic(fd)
        totals = os.fstatvfs(fd)
    finally:
        os.close(fd)
    if magic < 0:
        raise OSError(-magic, "statfs")
    numbers = (totals.f_bsize, totals.f_blocks, totals.f_bfree, totals.f_bavail, totals.f_files, totals.f_ffree, totals.f_namemax)
    return STATFS.encode_reply(magic, *numbers)


def read(connection: Connection, fields: "list[object]") -> bytes:
    """Data of a file that stays open here; at most one frame."""
    number, offset, length = fields
    opened = connection.open_file(number)
    if offset >> 63:  # type: ignore[operator]
        raise OSError(EINVAL, "offset")
    return os.pread(opened.fd, min(length, _READ_MAX), offset)  # type: ignore[arg-type, call-overload]


def close(connection: Connection, fields: "list[object]") -> bytes:
    """The peer no longer needs these open files."""
    for number in fields[0]:  # type: ignore[attr-defined]
        connection.close_open(number)
    return b""


def fsync(connection: Connection, fields: "list[object]") -> bytes:
    """Make a file's data durable."""
    number, is_data_only = fields
    opened = connection.open_file(number)
    (os.fdatasync if is_data_only else os.fsync)(opened.fd)
    return b""


def open_for_xattr(connection: Connection, place: object, *, is_write: bool = False) -> int:
    """A readable descriptor of a regular file or a folder. Errors: EOPNOTSUPP for other objects."""
    node, names = connection.place(place, is_write=is_write)
    fd = open_path(connection, node, names)
    kind = connection.attr.mode & 0o170000
    try:
        if kind == 0o040000:
            opened = lib.gofer_open_directory(fd)
        elif kind == 0o100000 and connection.procfd >= 0:
            opened = os.open(str(fd), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=connection.procfd)
        else:
            raise OSError(EOPNOTSUPP, "extended attributes of this kind of file")
    finally:
        os.close(fd)
    if opened < 0:
        raise OSError(-opened, "open")
    return int(opened)


def check_xattr_name(name: object) -> bytes:
    """Only `user.` attributes pass the border. Errors: EOPNOTSUPP."""
    assert isinstance(name, bytes)
    if not name.startswith(_NAMESPACE) or b"\0" in name:
        raise OSError(EOPNOTSUPP, "attribute namespace")
    return name


def getxattr(connection: Connection, fields: "list[object]") -> bytes:
    """One extended attribute. Errors: ENODATA, EOPNOTSUPP."""
    name = check_xattr_name(fields[1])
    fd = open_for_xattr(connection, fields[0])
    try:
        value = os.getxattr(fd, name)
    finally:
        os.close(fd)
    if len(value) > _READ_MAX:
        raise OSError(ENODATA, "attribute too large for a frame")
    return value


def listxattr(connection: Connection, fields: "list[object]") -> bytes:
    """The names of the extended attributes in `user.`."""
    fd = open_for_xattr(connection, fields[0])
    try:
        names = [os.fsencode(name) for name in os.listxattr(fd)]
    finally:
        os.close(fd)
    return b"".join([name + b"\0" for name in names if name.startswith(_NAMESPACE)])[:_READ_MAX]


def check_descriptor(fd: int) -> int:
    """Pass a descriptor on, or raise the error it stands for."""
    if fd < 0:
        raise OSError(-fd or EBADF, "open")
    return fd
